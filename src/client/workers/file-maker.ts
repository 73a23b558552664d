// Makes the files of a folder that replaces another one: those that are the same in both get another name.

import { closeSync, constants, fstatSync, openSync, type BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { pieceBytes } from '../../common/limits.ts'
import type { TreeEntry, TreeFile } from '../../common/tree/tree.ts'
import { readUpTo } from '../folder/read-up-to.ts'
import type { FolderWriter, PackedFile } from './folder-writer.ts'
import { writeAll } from './write-all.ts'

/** Makes files with this content, or another name for one that has it. */
export class FileMaker {
  readonly #folder: FolderWriter
  readonly #former: string | undefined

  /** `former`: the folder that is replaced. */
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
    const there = openSame(this.#former, file)
    if (there === undefined) return false
    try {
      return hasBytes(there.opened, file, read) && this.#folder.link(file.path, there.path, there.isIt)
    } finally {
      closeSync(there.opened)
    }
  }
}

/** A file that was opened. */
export interface SameFile {
  readonly path: string
  readonly opened: number
  /** Whether a name is one of this file, which has not been written to since: its number may be that of another one by now. */
  readonly isIt: (named: BigIntStats) => boolean
}

/** Opens what is there under this path, if it has the size, the time and the mode of this file; its bytes may be others. */
export function openSame(folder: string, file: TreeFile): SameFile | undefined {
  const path = join(folder, file.path)
  let opened: number
  try {
    opened = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
  const stats = fstatSync(opened, { bigint: true })
  if (!hasAttributes(stats, file)) {
    closeSync(opened)
    return undefined
  }
  const { ino, dev, size, mtimeNs } = stats
  const isIt = (named: BigIntStats): boolean =>
    named.ino === ino && named.dev === dev && named.size === size && named.mtimeNs === mtimeNs
  return { path, opened, isIt }
}

export function attributesOf({
  kind,
  mtimeSeconds,
}: TreeFile): Pick<PackedFile, 'isExecutable' | 'mtimeSeconds'> {
  return { isExecutable: kind === 'executable', mtimeSeconds }
}

/** The file of a segment. */
export function fileOf(entries: readonly TreeEntry[], entry: number): TreeFile {
  const file = entries[entry]
  if (file === undefined || file.kind === 'folder') throw new Error('a segment of no file')
  return file
}

function hasAttributes(stats: BigIntStats, file: TreeFile): boolean {
  const isExecutable = (stats.mode & 0o111n) !== 0n
  return (
    stats.isFile() &&
    Number(stats.size) === file.sizeBytes &&
    // Rounds to the second below, before 1970 too.
    Math.floor(Number(stats.mtimeMs) / 1000) === file.mtimeSeconds &&
    isExecutable === (file.kind === 'executable')
  )
}

function hasBytes(opened: number, file: TreeFile, read: (offset: number) => Uint8Array): boolean {
  for (let at = 0; at < file.sizeBytes; at += pieceBytes) {
    const wanted = read(at)
    const found = Buffer.allocUnsafe(wanted.length)
    if (readUpTo(opened, found, at) < wanted.length || Buffer.compare(found, wanted) !== 0) return false
  }
  return true
}
