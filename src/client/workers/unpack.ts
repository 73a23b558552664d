// Writes the files of a folder out of the part file, where all its pieces lie one behind the other.

import { readSync, writeSync } from 'node:fs'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { layOut } from '../../common/tree/layout.ts'
import { parseTree, type TreeEntry, type TreeFile } from '../../common/tree/tree.ts'
import { FolderWriter } from './folder-writer.ts'

export interface UnpackTask {
  /** The part file, open for reading. */
  readonly source: number
  /** How many bytes of it are the tree, from its beginning. */
  readonly treeBytes: number
  /** The folder to fill, which is there and empty. */
  readonly target: string
}

/** Fills the folder. Throws a `file` failure, or a `protocol` one when the tree is none. */
export function unpack({ source, treeBytes, target }: UnpackTask): void {
  const entries = parseTree(readAll(source, 0, treeBytes))
  if ('problem' in entries) throw new Failure('protocol', entries.problem)
  const layout = layOut(entries, treeBytes)
  if (layout === undefined) throw new Failure('protocol', 'it has too many pieces')
  const folder = new FolderWriter(target)
  try {
    let offset = treeBytes
    for (let index = layout.treePieces; index < layout.lengths.length;) {
      const [segment, ...others] = layout.segmentsOf(index)
      const file = segment === undefined ? undefined : entries[segment.entry]
      if (segment === undefined || file === undefined || file.kind === 'folder')
        throw new Error('a piece of no file')
      const isLarge = others.length === 0 && file.sizeBytes > segment.length
      // A large file is in the pieces from here on; small ones are in this piece.
      const bytes = isLarge
        ? copyLarge(folder, file, source, offset)
        : unpackSmall(folder, entries, layout.segmentsOf(index), source, offset)
      index += isLarge ? Math.ceil(file.sizeBytes / pieceBytes) : 1
      offset += bytes
    }
    for (const entry of entries) {
      if (entry.kind === 'folder') folder.folder(entry.path)
      else if (entry.sizeBytes === 0) folder.file(entry.path, attributesOf(entry), () => undefined)
    }
  } finally {
    folder.close()
  }
}

/** Returns how many bytes of the source it took. */
function unpackSmall(
  folder: FolderWriter,
  entries: readonly TreeEntry[],
  segments: readonly { readonly entry: number; readonly length: number }[],
  source: number,
  offset: number,
): number {
  const bytes = readAll(
    source,
    offset,
    segments.reduce((sum, { length }) => sum + length, 0),
  )
  let at = 0
  for (const { entry, length } of segments) {
    const file = entries[entry]
    if (file === undefined || file.kind === 'folder') throw new Error('a segment of no file')
    const content = bytes.subarray(at, at + length)
    folder.file(file.path, attributesOf(file), (to) => writeAll(to, content))
    at += length
  }
  return bytes.length
}

/** Likewise. */
function copyLarge(folder: FolderWriter, file: TreeFile, source: number, offset: number): number {
  folder.file(file.path, attributesOf(file), (to) => {
    for (let at = 0; at < file.sizeBytes; at += pieceBytes)
      writeAll(to, readAll(source, offset + at, Math.min(pieceBytes, file.sizeBytes - at)))
  })
  return file.sizeBytes
}

function attributesOf({ kind, mtimeSeconds }: TreeFile): { isExecutable: boolean; mtimeSeconds: number } {
  return { isExecutable: kind === 'executable', mtimeSeconds }
}

function readAll(source: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length;) {
    const count = readSync(source, bytes, at, length - at, offset + at)
    if (count === 0) throw new Failure('file', 'the part file became shorter')
    at += count
  }
  return bytes
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}
