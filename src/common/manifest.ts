// The manifest of a file: its size, and a SHA-1 and a SHA-256 of each piece. A piece counts only if both match:
// published collisions yield different pieces with the same SHA-1, and a forger would have to break both at once.
// The file id is the SHA-256 of the manifest, so the id alone verifies a manifest from anybody, and the manifest
// verifies every piece.

import { hash } from 'node:crypto'
import { manifestBytesMax, pieceCountMax } from './limits.ts'
import { pieceCount } from './pieces.ts'

// The encoding:
//
//   bytes 0–3   "CTM1"
//   bytes 4–11  size of the file in bytes, unsigned, big-endian
//   then, for each piece, 20 bytes SHA-1 and 32 bytes SHA-256

const magic = Buffer.from('CTM1')
const headerBytes = 12
/** Bytes of the hashes of a piece: its SHA-1, then its SHA-256. */
export const hashBytes = 20 + 32

export interface Manifest {
  readonly sizeBytes: number
  readonly pieceCount: number
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly fileId: string
  /** The encoded manifest. */
  readonly bytes: Buffer
}

/** The size in bytes of the manifest of a file of `sizeBytes`. */
export function manifestLength(sizeBytes: number): number {
  return headerBytes + pieceCount(sizeBytes) * hashBytes
}

/** Builds the manifest of a file of `sizeBytes` from the hashes of its pieces (52 bytes each, in order). */
export function buildManifest(sizeBytes: number, hashes: Uint8Array): Manifest {
  if (hashes.length !== pieceCount(sizeBytes) * hashBytes)
    throw new RangeError('a manifest needs 52 bytes of hashes per piece')
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeBigUInt64BE(BigInt(sizeBytes), 4)
  const bytes = Buffer.concat([header, hashes])
  return { sizeBytes, pieceCount: pieceCount(sizeBytes), fileId: fileIdOf(bytes), bytes }
}

/** Decodes a manifest; undefined when the bytes are not one. The caller compares the file id. */
export function parseManifest(bytes: Buffer): Manifest | undefined {
  if (bytes.length < headerBytes || bytes.length > manifestBytesMax) return undefined
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined
  const size = bytes.readBigUInt64BE(4)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const sizeBytes = Number(size)
  if (pieceCount(sizeBytes) > pieceCountMax || bytes.length !== manifestLength(sizeBytes)) return undefined
  return { sizeBytes, pieceCount: pieceCount(sizeBytes), fileId: fileIdOf(bytes), bytes }
}

/** The hashes of piece `index`: SHA-1, then SHA-256. */
export function hashesOfPiece(manifest: Manifest, index: number): Buffer {
  return manifest.bytes.subarray(headerBytes + index * hashBytes, headerBytes + (index + 1) * hashBytes)
}

function fileIdOf(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}
