// Which pieces of a new version of a folder consist of files that are in the version before as they are. Those files get
// another name, and nobody needs their pieces in the part file.

import type { BigIntStats } from 'node:fs'
import { pieceCount } from '../../common/pieces.ts'
import { layOut, type Layout, type Segment } from '../../common/tree/layout.ts'
import { parseTree, type TreeEntry, type TreeFile } from '../../common/tree/tree.ts'
import { isStampOf, type FolderStamps, type Spellings } from '../folder/folder-stamps.ts'
import type { FolderContents } from '../folder/folder-contents.ts'

/** Pieces of a new folder that lie in another one, which was hashed. */
export interface LentFrom {
  /** Its tree, encoded. */
  readonly tree: Uint8Array
  /** Of its files when they were hashed. */
  readonly stamps: FolderStamps
  readonly spellings: Spellings
  /** For each piece of the new folder the one that it is there; -1 where it is not lent. */
  readonly places: Int32Array
}

export class UnchangedFiles {
  /** Lent pieces that are needed in the part file, since a file in them is new, or has another name, time or mode. */
  readonly needed: readonly number[]
  readonly #stamps: FolderStamps
  /** For each piece 1 when it consists of unchanged files. */
  readonly #pieces: Uint8Array
  /** For each entry its number in the tree before, where it was found. */
  readonly #before: Int32Array

  constructor(now: FolderContents, { tree, stamps, spellings, places }: LentFrom) {
    const entries = parseTree(tree)
    const layout = 'problem' in entries ? undefined : layOut(entries, tree.length)
    if ('problem' in entries || layout === undefined) throw new Error('the tree of a hashed folder is none')
    this.#stamps = stamps
    this.#pieces = new Uint8Array(now.layout.lengths.length)
    this.#before = new Int32Array(now.entries.length)
    this.#compare(now, { entries, layout, spelt: new Set(spellings.map(([path]) => path)) }, places)
    forgetPartsOfFiles(now, this.#pieces)
    const needed: number[] = []
    for (const [piece, place] of places.entries()) if (place >= 0 && !this.has(piece)) needed.push(piece)
    this.needed = needed
  }

  has(piece: number): boolean {
    return this.#pieces[piece] === 1
  }

  /** Whether a file of such a piece, by its number in the new tree, has these stats, as it had when it was hashed. */
  isAsHashed(entry: number, stats: BigIntStats): boolean {
    return isStampOf(this.#stamps, this.#before[entry] ?? 0, stats)
  }

  #compare(now: FolderContents, before: Before, places: Int32Array): void {
    for (const [piece, place] of places.entries()) {
      if (piece < now.layout.treePieces || place < before.layout.treePieces) continue
      const [segments, there] = [now.layout.segmentsOf(piece), before.layout.segmentsOf(place)]
      if (segments.length !== there.length) continue
      const isSame = (segment: Segment, at: number): boolean => isUnchanged(segment, there[at], now, before)
      if (!segments.every(isSame)) continue
      this.#pieces[piece] = 1
      for (const [at, { entry }] of segments.entries()) this.#before[entry] = there[at]?.entry ?? 0
    }
  }
}

interface Before {
  readonly entries: readonly TreeEntry[]
  readonly layout: Layout
  /** Paths that are others on the disk. */
  readonly spelt: ReadonlySet<string>
}

function isUnchanged(
  { entry, offset, length }: Segment,
  there: Segment | undefined,
  now: FolderContents,
  { entries, spelt }: Before,
): boolean {
  if (there === undefined || offset !== there.offset || length !== there.length) return false
  const [file, before] = [fileAt(now.entries, entry), fileAt(entries, there.entry)]
  return (
    file.path === before.path &&
    file.kind === before.kind &&
    file.sizeBytes === before.sizeBytes &&
    file.mtimeSeconds === before.mtimeSeconds &&
    !spelt.has(file.path)
  )
}

/** A file of several pieces is unchanged when all of them are. */
function forgetPartsOfFiles({ entries, layout }: FolderContents, pieces: Uint8Array): void {
  for (let first = layout.treePieces; first < pieces.length;) {
    const [segment] = layout.segmentsOf(first)
    if (segment === undefined) throw new Error('a piece of no file')
    const { sizeBytes } = fileAt(entries, segment.entry)
    const count = sizeBytes > segment.length ? pieceCount(sizeBytes) : 1
    if (pieces.subarray(first, first + count).includes(0)) pieces.fill(0, first, first + count)
    first += count
  }
}

function fileAt(entries: readonly TreeEntry[], entry: number): TreeFile {
  const file = entries[entry]
  if (file === undefined || file.kind === 'folder') throw new Error('a segment of no file')
  return file
}
