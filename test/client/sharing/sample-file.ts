// Files with content that is different in every piece, and their manifests.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { stampAt, type FileStamp } from '../../../src/client/sharing/file-stamp.ts'
import { buildManifest, type Manifest } from '../../../src/common/manifest.ts'
import { pieceCount, pieceLength, pieceOffset } from '../../../src/common/pieces.ts'

/** The same for the same size and seed; no two pieces alike. */
export function sampleBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes, seed)
  for (let at = 0; at + 4 <= sizeBytes; at += 4096) bytes.writeUInt32LE((at / 4096) * 31 + seed, at)
  return bytes
}

export function pieceOf(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(pieceOffset(index), pieceOffset(index) + pieceLength(bytes.length, index))
}

/** The hashes of all pieces, made the plain way. */
export function plainHashes(bytes: Buffer): Buffer {
  const indices = Array.from({ length: pieceCount(bytes.length) }, (_, index) => index)
  return Buffer.concat(indices.map((index) => hashPiece(pieceOf(bytes, index))))
}

export function manifestOf(bytes: Buffer): Manifest {
  return buildManifest(bytes.length, plainHashes(bytes))
}

export interface Sample {
  readonly path: string
  readonly bytes: Buffer
  readonly manifest: Manifest
  readonly stamp: FileStamp
}

/** A file of this size in the folder. */
export async function sampleFile(folder: string, sizeBytes: number, seed = 1): Promise<Sample> {
  const path = join(folder, `sample-${sizeBytes}-${seed}`)
  const bytes = sampleBytes(sizeBytes, seed)
  writeFileSync(path, bytes)
  const stamp = await stampAt(path)
  if (stamp === undefined) throw new Error('the file is there')
  return { path, bytes, manifest: manifestOf(bytes), stamp }
}
