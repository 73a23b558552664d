// Files of a folder that is replaced which are as they were: by pieces that are the same in the new one, and are not fetched
// or copied. Each is hashed here once more, since a file may have been written to without a trace, as by mmap.

import { closeSync } from 'node:fs'
import { hashBytes } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import { pieceCount } from '../../common/pieces.ts'
import type { Segment } from '../../common/tree/layout.ts'
import type { TreeFile } from '../../common/tree/tree.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import { readUpTo } from '../folder/read-up-to.ts'
import { hashPiece, hashPieces, piecesAtOnce } from '../hashing/piece-hash.ts'
import { attributesOf, fileOf, openSame, type SameFile } from './file-maker.ts'
import type { FolderWriter } from './folder-writer.ts'
import { writeAll } from './write-all.ts'

/** Pieces that are lent to a new folder. */
export interface LentTo {
  /** Their numbers in it, in order. None is of the tree. */
  readonly pieces: Int32Array
  /** Of each the hashes, as in the manifest. */
  readonly hashes: Uint8Array
}

/** Pieces that are hashed together: no more is held in memory. */
const hashedAtOnce = Math.min(piecesAtOnce, 4)

interface Outcome {
  /** Those whose files have their new names. */
  readonly linked: number[]
  /** Those with a file that is not there with this path, size, time, mode and bytes, or can have no other name. */
  readonly needed: number[]
}

export class LentFiles {
  readonly #contents: FolderContents
  readonly #lent: LentTo
  readonly #former: string
  readonly #folder: FolderWriter
  readonly #room = Buffer.allocUnsafe(hashedAtOnce * pieceBytes)

  constructor(
    contents: FolderContents,
    lent: LentTo,
    { former, folder }: { readonly former: string; readonly folder: FolderWriter },
  ) {
    this.#contents = contents
    this.#lent = lent
    this.#former = former
    this.#folder = folder
  }

  /** Throws a `file` failure. */
  link(): Outcome {
    const outcome: Outcome = { linked: [], needed: [] }
    const { pieces } = this.#lent
    for (let at = 0; at < pieces.length;) {
      const piece = pieces[at] ?? 0
      const segments = this.#contents.layout.segmentsOf(piece)
      const [segment] = segments
      if (segment === undefined) throw new Error('a piece of no file')
      const file = fileOf(this.#contents.entries, segment.entry)
      const isLarge = file.sizeBytes > segment.length
      const count = isLarge ? this.#countOf(at, file, segment) : 1
      const isLinked = isLarge ? this.#linkLarge(at, count, file) : this.#linkSmall(at, segments)
      const those = isLinked ? outcome.linked : outcome.needed
      for (const end = at + count; at < end; at++) those.push(pieces[at] ?? 0)
    }
    return outcome
  }

  /** How many pieces of the file are lent, from the one at this place on. */
  #countOf(from: number, file: TreeFile, { offset }: Segment): number {
    const { pieces } = this.#lent
    const end = (pieces[from] ?? 0) - offset / pieceBytes + pieceCount(file.sizeBytes)
    let to = from
    while ((pieces[to] ?? end) < end) to++
    return to - from
  }

  #linkLarge(from: number, count: number, file: TreeFile): boolean {
    if (count < pieceCount(file.sizeBytes)) return false
    const there = openSame(this.#former, file)
    if (there === undefined) return false
    try {
      for (let piece = 0; piece < count; piece += hashedAtOnce) {
        const together = Math.min(hashedAtOnce, count - piece)
        const at = piece * pieceBytes
        const bytes = this.#room.subarray(0, Math.min(together * pieceBytes, file.sizeBytes - at))
        if (readUpTo(there.opened, bytes, at) < bytes.length) return false
        const parts = Array.from({ length: together }, (_, part) =>
          bytes.subarray(part * pieceBytes, (part + 1) * pieceBytes),
        )
        if (!hashPieces(parts).equals(this.#hashesOf(from + piece, together))) return false
      }
      return this.#folder.link(file.path, there.path, there.isIt)
    } finally {
      closeSync(there.opened)
    }
  }

  #linkSmall(at: number, segments: readonly Segment[]): boolean {
    const files: (readonly [file: TreeFile, there: SameFile, bytes: Buffer])[] = []
    let filled = 0
    for (const { entry } of segments) {
      const file = fileOf(this.#contents.entries, entry)
      const into = this.#room.subarray(filled, (filled += file.sizeBytes))
      const there = this.#readSame(file, into)
      if (there === undefined) return false
      files.push([file, there, into])
    }
    if (!hashPiece(this.#room.subarray(0, filled)).equals(this.#hashesOf(at, 1))) return false
    for (const [file, there, bytes] of files) {
      // Where that cannot be, its bytes are at hand.
      if (!this.#folder.link(file.path, there.path, there.isIt))
        this.#folder.file(file.path, attributesOf(file), (to) => writeAll(to, bytes))
    }
    return true
  }

  #readSame(file: TreeFile, into: Buffer): SameFile | undefined {
    const there = openSame(this.#former, file)
    if (there === undefined) return undefined
    try {
      return readUpTo(there.opened, into, 0) < into.length ? undefined : there
    } finally {
      closeSync(there.opened)
    }
  }

  #hashesOf(at: number, count: number): Uint8Array {
    return this.#lent.hashes.subarray(at * hashBytes, (at + count) * hashBytes)
  }
}
