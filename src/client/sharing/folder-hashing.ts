// Hashes folders: all pieces of one that is to be shared, or those that files touch which changed.

import { pieceBytes } from '../../common/limits.ts'
import { buildFolderManifest, hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { FolderPieces } from '../folder/folder-pieces.ts'
import { pickStamps, type FolderStamps } from '../folder/folder-stamps.ts'
import { inSlices } from '../folder/in-slices.ts'
import { hashPiece } from '../hashing/piece-hash.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { SegmentTask } from '../workers/hash-worker.ts'
import type { HashingTurn } from './hashing-files.ts'

/** The manifest of a folder. Refuses when a file is not what its stamp says; rejects as `HashPool.hashSegments`. */
export async function manifestOfFolder(
  pieces: FolderPieces,
  stamps: FolderStamps,
  hashes: HashPool,
  turn: HashingTurn,
): Promise<Answer<Manifest>> {
  const { entries, bytes, layout } = pieces.tree
  const count = layout.lengths.length
  const indices = Array.from({ length: count - layout.treePieces }, (_, index) => layout.treePieces + index)
  const hashed = await hashSome(pieces, stamps, indices, hashes, turn)
  if (!hashed.ok) return hashed
  const files = entries.filter(({ kind }) => kind !== 'folder')
  return accept(
    buildFolderManifest({
      sizeBytes: layout.lengths.reduce((all, length) => all + length, 0) - bytes.length,
      files: files.length,
      treeBytes: bytes.length,
      lengths: layout.lengths,
      hashes: Buffer.concat([await inSlices(treeHashes(bytes)), hashed.value]),
    }),
  )
}

/** Of these pieces, those that are not what the manifest says. Refuses and rejects likewise. */
export async function wrongPieces(
  pieces: FolderPieces,
  manifest: Manifest,
  stamps: FolderStamps,
  indices: readonly number[],
  hashes: HashPool,
  turn: HashingTurn,
): Promise<Answer<number[]>> {
  const hashed = await hashSome(pieces, stamps, indices, hashes, turn)
  if (!hashed.ok) return hashed
  const isWrong = (piece: number, place: number): boolean =>
    !hashesOfPiece(manifest, piece).equals(hashed.value.subarray(place * hashBytes, (place + 1) * hashBytes))
  return accept(indices.filter(isWrong))
}

/** Whether these bytes are the first pieces of the folder. */
export async function isItsTree(manifest: Manifest, bytes: Buffer): Promise<boolean> {
  if (manifest.folder?.treeBytes !== bytes.length) return false
  const hashes = await inSlices(treeHashes(bytes))
  return Array.from({ length: hashes.length / hashBytes }, (_, piece) => piece).every((piece) =>
    hashesOfPiece(manifest, piece).equals(hashes.subarray(piece * hashBytes, (piece + 1) * hashBytes)),
  )
}

function* treeHashes(bytes: Buffer): Generator<void, Buffer> {
  const hashes: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    hashes.push(hashPiece(bytes.subarray(at, at + pieceBytes)))
    yield
  }
  return Buffer.concat(hashes)
}

/** The hashes of these pieces, which hold files, 52 bytes each. */
async function hashSome(
  pieces: FolderPieces,
  stamps: FolderStamps,
  indices: readonly number[],
  hashes: HashPool,
  { signal, onHashed }: HashingTurn,
): Promise<Answer<Buffer>> {
  const { lengths } = pieces.tree.layout
  const task = (from: number, to: number): SegmentTask => {
    const parts = indices.slice(from, to).map((piece) => pieces.segmentsOf(piece))
    const entries = parts.flat().map(({ entry }) => entry)
    return {
      root: pieces.root,
      pieces: parts.map((segments) => segments.map(({ path, offset, length }) => ({ path, offset, length }))),
      stamps: pickStamps(stamps, entries),
    }
  }
  const onProgress = (count: number, first: number): void =>
    onHashed(indices.slice(first, first + count).reduce((all, piece) => all + (lengths[piece] ?? 0), 0))
  return hashes.hashSegments({ root: pieces.root, count: indices.length, task }, { signal, onProgress })
}
