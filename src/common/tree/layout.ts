// How the files of a folder lie in its pieces. The tree comes first. Then small files, several in a piece and none in
// two; then large ones, each in pieces of its own. So a file that changes or comes in between changes few pieces, and
// every other piece of the next version is one that the old version had. Both ends work it out from the tree.

import { pieceBytes, pieceCountMax } from '../limits.ts'
import { pieceCount, pieceLength } from '../pieces.ts'
import type { TreeEntry } from './tree.ts'

/** A part of a piece: these bytes of a file, one behind the other in the piece. */
export interface Segment {
  /** The number of the entry in the tree. */
  readonly entry: number
  /** Where in the file it begins, in bytes. */
  readonly offset: number
  readonly length: number
}

/** A piece may end after a small file, by the file's path, from this size on: so pieces end in the same places … */
const packBytesMin = pieceBytes / 2
/** … after one in so many files. */
const packEndsEvery = 16
/** No piece is gathered from more files: opening them takes 50 ms. */
const packFilesMax = 1024

export interface Layout {
  /** How many pieces the tree takes; those of the files come behind it. */
  readonly treePieces: number
  /** Of every piece, those of the tree included, in bytes. */
  readonly lengths: Uint32Array
  /** What a piece of files consists of. Throws a RangeError for one of the tree, or beyond the end. */
  readonly segmentsOf: (index: number) => Segment[]
}

/** Entries that are laid out in one go of `layingOut`, which takes about a millisecond. */
const entriesAtOnce = 2000

/** Undefined when there would be more pieces than a folder may have. */
export function layOut(entries: readonly TreeEntry[], treeBytes: number): Layout | undefined {
  const working = layingOut(entries, treeBytes)
  for (;;) {
    const { done, value } = working.next()
    if (done === true) return value
  }
}

/** The same, and stops every now and then: a million entries take half a second. */
export function* layingOut(
  entries: readonly TreeEntry[],
  treeBytes: number,
): Generator<void, Layout | undefined> {
  const treePieces = pieceCount(treeBytes)
  const packs = yield* packSmall(entries)
  const firstLarge = treePieces + packs.ends.length
  /** For each large file, its first piece and its entry. */
  const large: (readonly [piece: number, entry: number])[] = []
  let count = firstLarge
  for (const [entry, file] of entries.entries()) {
    if (entry % entriesAtOnce === entriesAtOnce - 1) yield
    const sizeBytes = sizeOf(file)
    if (sizeBytes < pieceBytes) continue
    large.push([count, entry])
    count += pieceCount(sizeBytes)
    if (count > pieceCountMax) return undefined
  }
  if (count > pieceCountMax) return undefined
  // All are whole but the last one of the tree and of each large file, and those of small files.
  const table = new Uint32Array(count).fill(pieceBytes)
  if (treePieces > 0) table[treePieces - 1] = pieceLength(treeBytes, treePieces - 1)
  table.set(packs.lengths, treePieces)
  for (const [first, entry] of large) {
    const sizeBytes = sizeOf(entries[entry])
    const last = pieceCount(sizeBytes) - 1
    table[first + last] = pieceLength(sizeBytes, last)
  }
  return {
    treePieces,
    lengths: table,
    segmentsOf: (index) => {
      const length = table[index]
      if (length === undefined || index < treePieces) throw new RangeError(`piece ${index} holds no files`)
      if (index < firstLarge) return packs.segmentsOf(index - treePieces)
      const [piece, entry] = lastUpTo(large, index)
      return [{ entry, offset: (index - piece) * pieceBytes, length }]
    },
  }
}

interface Packs {
  /** Of each pack, the place behind its last file among the small files. */
  readonly ends: readonly number[]
  readonly lengths: readonly number[]
  segmentsOf(pack: number): Segment[]
}

/** Puts small files, in their order, into as few pieces as keep their ends when others come and go. */
function* packSmall(entries: readonly TreeEntry[]): Generator<void, Packs> {
  const small: number[] = []
  const ends: number[] = []
  const lengths: number[] = []
  let bytes = 0
  const end = (): void => {
    if (bytes > 0) {
      ends.push(small.length)
      lengths.push(bytes)
    }
    bytes = 0
  }
  for (const [index, entry] of entries.entries()) {
    if (index % entriesAtOnce === entriesAtOnce - 1) yield
    const sizeBytes = sizeOf(entry)
    if (sizeBytes === 0 || sizeBytes >= pieceBytes) continue
    if (bytes + sizeBytes > pieceBytes || small.length - (ends.at(-1) ?? 0) >= packFilesMax) end()
    small.push(index)
    bytes += sizeBytes
    if (bytes >= packBytesMin && hashOf(entry.path) % packEndsEvery === 0) end()
  }
  end()
  return {
    ends,
    lengths,
    segmentsOf: (pack) => {
      const members = small.slice(pack === 0 ? 0 : ends[pack - 1], ends[pack])
      return members.map((entry) => ({ entry, offset: 0, length: sizeOf(entries[entry]) }))
    },
  }
}

function sizeOf(entry: TreeEntry | undefined): number {
  return entry === undefined || entry.kind === 'folder' ? 0 : entry.sizeBytes
}

/** FNV-1a over the units of UTF-16 (draft-eastlake-fnv): quick, and the same everywhere. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** The last pair whose first number is not above `index`; the first pair has to be. */
function lastUpTo(
  pairs: readonly (readonly [piece: number, entry: number])[],
  index: number,
): readonly [piece: number, entry: number] {
  let low = 0
  let high = pairs.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((pairs[middle]?.[0] ?? Infinity) <= index) low = middle
    else high = middle - 1
  }
  const found = pairs[low]
  if (found === undefined) throw new RangeError(`piece ${index} holds no files`)
  return found
}
