// Writes the files of a folder out of the part file, where all its pieces lie one behind the other.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { layOut, type Layout } from '../../common/tree/layout.ts'
import { parseTree, type TreeEntry, type TreeFile } from '../../common/tree/tree.ts'
import { FolderWriter, writeAll, type PackedFile } from './folder-writer.ts'

/** A part file, from which a folder is filled. */
export interface UnpackSource {
  /** Open for reading. */
  readonly source: number
  /** How many bytes of it are the tree, from its beginning. */
  readonly treeBytes: number
  /** Those, where they are at hand. */
  readonly tree?: Uint8Array | undefined
}

export interface UnpackTask {
  /** The folder to fill, which is there and empty. */
  readonly target: string
  /** A folder that this one replaces: files that are the same in both get another name instead of being written again. */
  readonly former?: string | undefined
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

/** What is in the folder, and where it lies in the part file. */
export interface UnpackContents {
  readonly entries: readonly TreeEntry[]
  readonly layout: Layout
}

/** If the tree is not at hand, its pieces have to be there. Throws a `file` failure, or a `protocol` one for one that is none. */
export function readContents({ source, treeBytes, tree }: UnpackSource): UnpackContents {
  const entries = parseTree(tree ?? readAll(source, 0, Buffer.allocUnsafe(treeBytes)))
  if ('problem' in entries) throw new Failure('protocol', entries.problem)
  const layout = layOut(entries, treeBytes)
  if (layout === undefined) throw new Failure('protocol', 'it has too many pieces')
  return { entries, layout }
}

/** Fills the folder; all pieces that it needs have to be there. Throws a `file` failure. */
export function unpack(
  { source, treeBytes }: UnpackSource,
  { entries, layout }: UnpackContents,
  { target, former, selection }: UnpackTask,
): void {
  const isChosen = (entry: number): boolean => selection === undefined || selection.chosen[entry] === 1
  // Of one piece at a time: memory that is always the same stays in the cache.
  const room = Buffer.allocUnsafe(pieceBytes)
  const read = (at: number, length: number): Buffer => readAll(source, at, room.subarray(0, length))
  const folder = new FolderWriter(target, selection?.above)
  const writer = new FileMaker(folder, former)
  try {
    let offset = treeBytes
    for (let index = layout.treePieces; index < layout.lengths.length;) {
      const segments = layout.segmentsOf(index)
      const [segment, ...others] = segments
      const file = segment === undefined ? undefined : entries[segment.entry]
      if (segment === undefined || file === undefined || file.kind === 'folder')
        throw new Error('a piece of no file')
      const isLarge = others.length === 0 && file.sizeBytes > segment.length
      // A large file is in the pieces from here on; small ones are in this piece.
      if (segments.some(({ entry }) => isChosen(entry))) {
        if (isLarge) copyLarge(writer, file, offset, read)
        else unpackSmall(writer, entries, segments, read(offset, bytesOf(segments)), isChosen)
      }
      index += isLarge ? Math.ceil(file.sizeBytes / pieceBytes) : 1
      offset += isLarge ? file.sizeBytes : bytesOf(segments)
    }
    for (const [index, entry] of entries.entries()) {
      if (!isChosen(index)) continue
      if (entry.kind === 'folder') folder.folder(entry.path)
      else if (entry.sizeBytes === 0) writer.make(entry, () => Buffer.alloc(0))
    }
  } finally {
    folder.close()
  }
}

/** Makes files with this content, or another name for one that has it. */
class FileMaker {
  readonly #folder: FolderWriter
  readonly #former: string | undefined

  constructor(folder: FolderWriter, former: string | undefined) {
    this.#folder = folder
    this.#former = former
  }

  /** `read`: the bytes of the file from an offset on, up to the length of a piece. */
  make(file: TreeFile, read: (offset: number) => Uint8Array): void {
    if (this.#linkSame(file, read)) return
    this.#folder.file(file.path, attributesOf(file), (to) => {
      for (let at = 0; at < file.sizeBytes; at += pieceBytes) writeAll(to, read(at))
    })
  }

  /** Likewise for files whose bytes are in `content`. */
  makeSmall(files: readonly (readonly [file: TreeFile, offset: number])[], content: Uint8Array): void {
    const written: PackedFile[] = []
    for (const [file, offset] of files) {
      const { path, sizeBytes: length } = file
      if (!this.#linkSame(file, (from) => content.subarray(offset + from, offset + length)))
        written.push({ path, offset, length, ...attributesOf(file) })
    }
    this.#folder.files(written, content)
  }

  /** Whether the folder before has this file with the same time and the same bytes, which then has this name, too. */
  #linkSame(file: TreeFile, read: (offset: number) => Uint8Array): boolean {
    if (this.#former === undefined) return false
    const path = join(this.#former, file.path)
    let opened: number
    try {
      opened = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    } catch {
      return false
    }
    try {
      return isSame(opened, file, read) && this.#folder.link(file.path, path, opened)
    } finally {
      closeSync(opened)
    }
  }
}

function attributesOf({ kind, mtimeSeconds }: TreeFile): Pick<PackedFile, 'isExecutable' | 'mtimeSeconds'> {
  return { isExecutable: kind === 'executable', mtimeSeconds }
}

function isSame(opened: number, file: TreeFile, read: (offset: number) => Uint8Array): boolean {
  const { size, mtimeMs, mode } = fstatSync(opened)
  const isExecutable = (mode & 0o111) !== 0
  if (size !== file.sizeBytes || Math.floor(mtimeMs / 1000) !== file.mtimeSeconds) return false
  if (isExecutable !== (file.kind === 'executable')) return false
  for (let at = 0; at < file.sizeBytes; at += pieceBytes) {
    const wanted = read(at)
    if (Buffer.compare(readUpTo(opened, at, Buffer.allocUnsafe(wanted.length)), wanted) !== 0) return false
  }
  return true
}

function bytesOf(segments: readonly { readonly length: number }[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0)
}

function unpackSmall(
  writer: FileMaker,
  entries: readonly TreeEntry[],
  segments: readonly { readonly entry: number; readonly length: number }[],
  bytes: Uint8Array,
  isChosen: (entry: number) => boolean,
): void {
  const files: (readonly [file: TreeFile, offset: number])[] = []
  let at = 0
  for (const { entry, length } of segments) {
    const file = entries[entry]
    if (file === undefined || file.kind === 'folder') throw new Error('a segment of no file')
    if (isChosen(entry)) files.push([file, at])
    at += length
  }
  writer.makeSmall(files, bytes)
}

function copyLarge(
  writer: FileMaker,
  file: TreeFile,
  offset: number,
  read: (offset: number, length: number) => Uint8Array,
): void {
  writer.make(file, (at) => read(offset + at, Math.min(pieceBytes, file.sizeBytes - at)))
}

function readAll(source: number, offset: number, into: Buffer): Buffer {
  const bytes = readUpTo(source, offset, into)
  if (bytes.length < into.length) throw new Failure('file', 'the part file became shorter')
  return bytes
}

/** Fewer bytes at the end of the file. */
function readUpTo(file: number, offset: number, into: Buffer): Buffer {
  let at = 0
  for (let count = 1; count > 0 && at < into.length; at += count)
    count = readSync(file, into, at, into.length - at, offset + at)
  return into.subarray(0, at)
}
