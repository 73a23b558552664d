// Writes the files of a folder out of the part file, where all its pieces lie one behind the other.

import { Failure } from '../../common/failure.ts'
import type { FolderFacts } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import { pieceCount } from '../../common/pieces.ts'
import { layOut, type Segment } from '../../common/tree/layout.ts'
import { parseTree, type TreeFile } from '../../common/tree/tree.ts'
import {
  cannotBeFetched,
  isThatOfPieces,
  notThatOfPieces,
  type FolderContents,
} from '../folder/folder-contents.ts'
import { readUpTo } from '../folder/read-up-to.ts'
import { FileMaker, fileOf } from './file-maker.ts'
import { FolderWriter } from './folder-writer.ts'
import { LentFiles, type LentTo } from './lent-files.ts'

/** A part file, from which a folder is filled. */
export interface UnpackSource {
  /** Open for reading. */
  readonly source: number
  /** What its manifest says of the folder. */
  readonly folder: FolderFacts
  /** Its tree, where that is at hand. */
  readonly tree?: Uint8Array | undefined
}

export interface UnpackTask {
  /** The folder to fill, which is there and empty. */
  readonly target: string
  /** A folder that this one replaces: files that are the same in both get another name instead of being written again. */
  readonly former?: string | undefined
  /** Pieces that are in that folder, as it was hashed, and not in the part file. */
  readonly lent?: LentTo | undefined
  /** Of a part of the folder; undefined for the whole. The pieces of the others need not be in the part file. */
  readonly selection?: Chosen | undefined
}

/** Which entries of the tree are written, and to where. */
interface Chosen {
  /** For each entry 1, or 0 for one that is not. */
  readonly chosen: Uint8Array
  /** How many characters of their paths are left out. */
  readonly above: number
}

/**
 * What is in the folder. If the tree is not at hand, its pieces have to be there. Throws a `file` failure, or a `protocol` one
 * for a tree that is none, or not that of the pieces.
 */
export function readContents({ source, folder, tree }: UnpackSource): FolderContents {
  const entries = parseTree(tree ?? readAll(source, 0, Buffer.allocUnsafe(folder.treeBytes)))
  if ('problem' in entries) throw cannotBeFetched(entries.problem)
  const layout = layOut(entries, folder.treeBytes)
  const contents = layout && { entries, layout }
  if (contents === undefined || !isThatOfPieces(contents, folder)) throw cannotBeFetched(notThatOfPieces)
  return contents
}

/** How a folder was filled. */
export interface Filled {
  /** What was written, and so may not be on the disk yet: the paths of files and folders; undefined where they are many. */
  readonly made: readonly string[] | undefined
}

/** Fills the folder; all pieces that it needs have to be in the part file. Throws a `file` failure. */
export function unpack(source: UnpackSource, contents: FolderContents, task: UnpackTask): Filled {
  const unpacker = new Unpacker(source, contents, task)
  try {
    return unpacker.finish()
  } finally {
    unpacker.close()
  }
}

/** Fills a folder while its pieces come, in any order. */
export class Unpacker {
  readonly #source: UnpackSource
  readonly #contents: FolderContents
  readonly #selection: Chosen | undefined
  readonly #folder: FolderWriter
  readonly #maker: FileMaker
  readonly #lent: LentFiles | undefined
  /** For each piece 1 when it is there. */
  readonly #there: Uint8Array
  /** For each piece of small files, and the first one of a large file: 1 when they are written. */
  readonly #written: Uint8Array
  /** Of large files that are not complete, by their first piece: how many pieces are there. */
  readonly #counts = new Map<number, number>()
  // Of one piece at a time: memory that is always the same stays in the cache.
  readonly #room = Buffer.allocUnsafe(pieceBytes)

  /** Throws a `file` failure. */
  constructor(
    source: UnpackSource,
    contents: FolderContents,
    { target, former, lent, selection }: UnpackTask,
  ) {
    this.#source = source
    this.#contents = contents
    this.#selection = selection
    this.#folder = new FolderWriter(target, selection?.above)
    this.#maker = new FileMaker(this.#folder, former)
    this.#lent =
      former === undefined || lent === undefined
        ? undefined
        : new LentFiles(contents, lent, { former, folder: this.#folder })
    const { lengths } = contents.layout
    this.#there = new Uint8Array(lengths.length)
    this.#written = new Uint8Array(lengths.length)
  }

  /**
   * Gives other names to the files of the folder before that are as they were, by the pieces that are lent. Returns those of
   * them that have to be in the part file. Throws a `file` failure.
   */
  linkLent(): readonly number[] {
    const { linked, needed } = this.#lent?.link() ?? { linked: [], needed: [] }
    for (const index of linked) this.#written[index] = 1
    return needed
  }

  /** The piece is there: writes the files that are complete by that. Again it does nothing. Throws a `file` failure. */
  onPiece(index: number): void {
    if (index < this.#contents.layout.treePieces || this.#there[index] === 1) return
    this.#there[index] = 1
    const segments = this.#contents.layout.segmentsOf(index)
    const large = this.#largeOf(segments)
    if (large === undefined) {
      this.#writeSmall(index, segments)
      return
    }
    const first = index - large.offset / pieceBytes
    const count = (this.#counts.get(first) ?? 0) + 1
    this.#counts.set(first, count)
    if (count < pieceCount(large.file.sizeBytes)) return
    this.#counts.delete(first)
    this.#writeLarge(first, large)
  }

  /** All pieces that it needs are there: writes what is not written yet. Throws a `file` failure. */
  finish(): Filled {
    const { entries, layout } = this.#contents
    for (let index = layout.treePieces; index < layout.lengths.length;) {
      const segments = layout.segmentsOf(index)
      const large = this.#largeOf(segments)
      if (large === undefined) this.#writeSmall(index, segments)
      else this.#writeLarge(index, large)
      index += large === undefined ? 1 : pieceCount(large.file.sizeBytes)
    }
    for (const [index, entry] of entries.entries()) {
      if (!this.#isChosen(index)) continue
      if (entry.kind === 'folder') this.#folder.folder(entry.path)
      else if (entry.sizeBytes === 0) this.#maker.make(entry, () => Buffer.alloc(0))
    }
    return { made: this.#folder.made }
  }

  close(): void {
    this.#folder.close()
  }

  /** Whether its files are not written yet; from now on they are. */
  #isDue(index: number): boolean {
    const isDue = this.#written[index] === 0
    this.#written[index] = 1
    return isDue
  }

  #isChosen(entry: number): boolean {
    return this.#selection === undefined || this.#selection.chosen[entry] === 1
  }

  /** The large file that the piece belongs to; undefined for one of small files. */
  #largeOf([segment]: readonly Segment[]): LargeFile | undefined {
    if (segment === undefined) throw new Error('a piece of no file')
    const file = fileOf(this.#contents.entries, segment.entry)
    return file.sizeBytes > segment.length ? { file, ...segment } : undefined
  }

  #writeSmall(index: number, segments: readonly Segment[]): void {
    if (!this.#isDue(index) || !segments.some(({ entry }) => this.#isChosen(entry))) return
    const bytes = this.#read(this.#source.folder.offsets[index] ?? 0, bytesOf(segments))
    const files: (readonly [file: TreeFile, offset: number])[] = []
    let at = 0
    for (const { entry, length } of segments) {
      if (this.#isChosen(entry)) files.push([fileOf(this.#contents.entries, entry), at])
      at += length
    }
    this.#maker.makeSmall(files, bytes)
  }

  /** `first`: its first piece. */
  #writeLarge(first: number, { file, entry }: LargeFile): void {
    if (!this.#isDue(first) || !this.#isChosen(entry)) return
    const offset = this.#source.folder.offsets[first] ?? 0
    this.#maker.make(file, (at) => this.#read(offset + at, Math.min(pieceBytes, file.sizeBytes - at)))
  }

  #read(at: number, length: number): Buffer {
    return readAll(this.#source.source, at, this.#room.subarray(0, length))
  }
}

/** A file that has pieces of its own, and a part of it. */
interface LargeFile extends Segment {
  readonly file: TreeFile
}

function bytesOf(segments: readonly { readonly length: number }[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0)
}

function readAll(source: number, offset: number, into: Buffer): Buffer {
  if (readUpTo(source, into, offset) < into.length) throw new Failure('file', 'the part file became shorter')
  return into
}
