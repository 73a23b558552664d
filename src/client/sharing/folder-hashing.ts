// Hashes folders: all pieces of one that is to be shared, or those that files touch which changed.

import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { pieceBytes } from '../../common/limits.ts'
import { buildFolderManifest, hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { EntrySegment, FolderPieces } from '../folder/folder-pieces.ts'
import { hasGrown, haveSameStamp, pickStamps, type FolderStamps } from '../folder/folder-stamps.ts'
import { packSegments } from '../folder/packed-segments.ts'
import { inSlices } from '../folder/in-slices.ts'
import { hashPiece } from '../hashing/piece-hash.ts'
import { changedWhileRead, type HashedSegments, type HashPool } from '../workers/hash-pool.ts'
import type { SegmentTask } from '../workers/hash-worker.ts'
import type { HashingTurn } from './hashing-files.ts'
import type { KnownFolder } from './known-folder.ts'

/** A folder that was hashed. */
interface HashedFolder {
  readonly manifest: Manifest
  /** Files that have been written to since, by their numbers in the tree. */
  readonly changed: readonly number[]
}

/**
 * The manifest of a folder. Of pieces that a version `before` has, too, by the stamps of their files, the hashes are
 * taken from there. Of a file that grows meanwhile, such as a log, the bytes that it had before are taken. Refuses when a
 * file changes otherwise; rejects as `HashPool.hashSegments`.
 */
export async function manifestOfFolder(
  pieces: FolderPieces,
  stamps: FolderStamps,
  before: KnownFolder | undefined,
  hashes: HashPool,
  turn: HashingTurn,
): Promise<Answer<HashedFolder>> {
  const { entries, bytes, layout } = pieces.tree
  const { treePieces, lengths } = layout
  const all = Buffer.alloc(lengths.length * hashBytes)
  all.set(await inSlices(treeHashes(bytes)))
  const known =
    before === undefined ? new Map<number, number>() : await inSlices(samePieces(pieces, stamps, before))
  const unknown: number[] = []
  for (let piece = treePieces; piece < lengths.length; piece++) {
    const same = known.get(piece)
    if (before === undefined || same === undefined) unknown.push(piece)
    else all.set(hashesOfPiece(before.manifest, same), piece * hashBytes)
  }
  turn.onSize(unknown.reduce((sum, piece) => sum + (lengths[piece] ?? 0), 0))
  const hashed = await hashSome(pieces, stamps, unknown, hashes, turn)
  if (!hashed.ok) return hashed
  for (const [place, piece] of unknown.entries())
    all.set(hashAt(hashed.value.hashes, place), piece * hashBytes)
  const { touched } = hashed.value
  const changed =
    touched.size === 0 ? [] : [...entries.keys()].filter((entry) => touched.has(pieces.pathOf(entry)))
  const isStill = await areAsRead(pieces, stamps, { changed, all }, hashes, turn)
  if (!isStill.ok) return isStill
  const manifest = buildFolderManifest({
    sizeBytes: lengths.reduce((sum, length) => sum + length, 0) - bytes.length,
    files: entries.filter(({ kind }) => kind !== 'folder').length,
    treeBytes: bytes.length,
    lengths,
    hashes: all,
  })
  return accept({ manifest, changed })
}

function hashAt(hashes: Buffer, place: number): Buffer {
  return hashes.subarray(place * hashBytes, (place + 1) * hashBytes)
}

interface Read {
  /** Files that were written to while they were read, by their numbers in the tree. */
  readonly changed: readonly number[]
  /** The hashes of all pieces, as they were read. */
  readonly all: Buffer
}

/**
 * Refuses unless the files that were written to while they were read have only grown, and what was read of them gives the
 * same bytes once more. What is so at both times was so between them, in all pieces at once.
 */
async function areAsRead(
  pieces: FolderPieces,
  stamps: FolderStamps,
  { changed, all }: Read,
  hashes: HashPool,
  { signal }: HashingTurn,
): Promise<Answer<void>> {
  if (changed.length === 0) return accept(undefined)
  const onDisk = (entry: number): string => join(pieces.root, pieces.pathOf(entry))
  for (const entry of changed) {
    const stats = await lstat(onDisk(entry), { bigint: true }).catch(() => undefined)
    if (stats === undefined || !hasGrown(stamps, entry, stats)) return changedWhileRead(onDisk(entry))
  }
  const grown = new Set(changed)
  const again: number[] = []
  for (const [piece, parts] of partsOf(pieces))
    if (parts.some(({ entry }) => grown.has(entry))) again.push(piece)
  const turn = { signal, onSize: () => undefined, onHashed: () => undefined }
  const hashed = await hashSome(pieces, stamps, again, hashes, turn)
  if (!hashed.ok) return hashed
  for (const [place, piece] of again.entries()) {
    if (hashAt(hashed.value.hashes, place).equals(hashAt(all, piece))) continue
    const part = pieces.segmentsOf(piece).find(({ entry }) => grown.has(entry))
    return changedWhileRead(onDisk(part?.entry ?? 0))
  }
  return accept(undefined)
}

/** For each piece that consists of the same parts of the same files as one of before, the number of that. */
function* samePieces(
  pieces: FolderPieces,
  stamps: FolderStamps,
  before: KnownFolder,
): Generator<void, Map<number, number>> {
  const beginningWith = new Map<string, number>()
  for (const [piece, parts] of partsOf(before.pieces)) {
    beginningWith.set(startOf(parts), piece)
    yield
  }
  const isSame = (part: EntrySegment, other: EntrySegment | undefined): boolean =>
    part.path === other?.path &&
    part.offset === other.offset &&
    part.length === other.length &&
    haveSameStamp(stamps, part.entry, before.stamps, other.entry)
  const same = new Map<number, number>()
  for (const [piece, parts] of partsOf(pieces)) {
    const candidate = beginningWith.get(startOf(parts))
    const others = candidate === undefined ? [] : before.pieces.segmentsOf(candidate)
    if (
      candidate !== undefined &&
      parts.length === others.length &&
      parts.every((part, at) => isSame(part, others[at]))
    )
      same.set(piece, candidate)
    yield
  }
  return same
}

/** What each piece behind those of the tree consists of. */
function* partsOf(pieces: FolderPieces): Generator<readonly [piece: number, parts: EntrySegment[]]> {
  const { treePieces, lengths } = pieces.tree.layout
  for (let piece = treePieces; piece < lengths.length; piece++) yield [piece, pieces.segmentsOf(piece)]
}

function startOf([first]: readonly EntrySegment[]): string {
  return `${first?.offset} ${first?.path}`
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
    !hashesOfPiece(manifest, piece).equals(hashAt(hashed.value.hashes, place))
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

/** Files in the pieces of one task, about: finding them takes some milliseconds. */
const taskFiles = 4000
const taskPiecesMax = 64

function taskPiecesOf({ tree }: FolderPieces): number {
  const filesPerPiece = tree.entries.length / tree.layout.lengths.length
  return Math.max(1, Math.min(taskPiecesMax, Math.floor(taskFiles / filesPerPiece)))
}

/** The hashes of these pieces, which hold files, 52 bytes each. */
async function hashSome(
  pieces: FolderPieces,
  stamps: FolderStamps,
  indices: readonly number[],
  hashes: HashPool,
  { signal, onHashed }: HashingTurn,
): Promise<Answer<HashedSegments>> {
  const { lengths } = pieces.tree.layout
  const task = (from: number, to: number): SegmentTask => {
    const parts = indices.slice(from, to).map((piece) => pieces.segmentsOf(piece))
    const entries = parts.flat().map(({ entry }) => entry)
    return {
      root: pieces.root,
      pieces: parts.map(packSegments),
      stamps: pickStamps(stamps, entries),
    }
  }
  const onProgress = (count: number, first: number): void =>
    onHashed(indices.slice(first, first + count).reduce((all, piece) => all + (lengths[piece] ?? 0), 0))
  const work = { root: pieces.root, count: indices.length, task, taskPieces: taskPiecesOf(pieces) }
  return hashes.hashSegments(work, { signal, onProgress })
}
