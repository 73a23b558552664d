// An entry of a group in versions: a file, or a folder. Each version differs a little from the one before.

import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pieceBytes } from '../../src/common/limits.ts'

export type EntryKind = 'file' | 'folder'

export interface EntryShape {
  readonly kind: EntryKind
  /** How many pieces a file has, or a folder in large files. */
  readonly largePieces: number
  /** How many files of some KiB a folder has. */
  readonly smallFiles?: number
}

const largeFilePieces = 8
const smallPerFolder = 100

export class EntryVersions {
  readonly shape: EntryShape
  /** Under which it is shared. */
  readonly name: string
  readonly #folder: string
  readonly #random: () => number
  #made = 0

  /** `folder`: where the versions are made, one beside the other. */
  constructor(folder: string, shape: EntryShape, random: () => number) {
    this.shape = shape
    this.name = shape.kind === 'file' ? 'data.bin' : 'data'
    this.#folder = folder
    this.#random = random
  }

  /** Of this version: the first is 1. */
  pathOf(version: number): string {
    return join(this.#folder, 'versions', String(version), this.name)
  }

  /** Makes the next version; returns its path. Those before the last two are removed. */
  next(): string {
    const path = this.pathOf(++this.#made)
    mkdirSync(join(path, '..'), { recursive: true })
    if (this.#made === 1) this.#make(path)
    else {
      this.put(this.#made - 1, path)
      this.#change(path)
    }
    rmSync(join(this.pathOf(this.#made - 2), '..'), { recursive: true, force: true })
    return path
  }

  /** Puts a copy of a version, times included, where nothing else stays. */
  put(version: number, path: string): void {
    rmSync(path, { recursive: true, force: true })
    cpSync(this.pathOf(version), path, { recursive: true, preserveTimestamps: true })
  }

  /** Whether exactly this version is at the path: its files, with their bytes. */
  isAt(path: string, version: number): boolean {
    return isSame(this.pathOf(version), path)
  }

  #make(path: string): void {
    const { kind, largePieces, smallFiles = 0 } = this.shape
    if (kind === 'file') {
      writeFileSync(path, randomBytes(largePieces * pieceBytes - 5))
      return
    }
    mkdirSync(join(path, 'without anything'), { recursive: true })
    for (let file = 0; file * largeFilePieces < largePieces; file++) {
      const pieces = Math.min(largeFilePieces, largePieces - file * largeFilePieces)
      writeFileSync(join(path, `large ${file}`), randomBytes(pieces * pieceBytes - 5))
    }
    for (let file = 0; file < smallFiles; file++) {
      const below = join(path, `part ${Math.floor(file / smallPerFolder)}`)
      mkdirSync(below, { recursive: true })
      writeFileSync(join(below, `file ${file}`), randomBytes(4000 + Math.floor(8000 * this.#random())))
    }
    writeFileSync(join(path, 'run.sh'), 'exit 0\n')
    chmodSync(join(path, 'run.sh'), 0o755)
  }

  /** One piece of a large file, and a few small files that are new, gone or others. */
  #change(path: string): void {
    const { kind, largePieces, smallFiles = 0 } = this.shape
    if (kind === 'file') {
      changePiece(path, Math.floor(this.#random() * largePieces))
      return
    }
    const large = Math.floor((this.#random() * largePieces) / largeFilePieces)
    changePiece(join(path, `large ${large}`), 0)
    writeFileSync(join(path, 'run.sh'), `exit ${this.#made}\n`)
    rmSync(join(path, `new ${this.#made - 1}`), { force: true })
    writeFileSync(join(path, `new ${this.#made}`), randomBytes(3000))
    const first = Math.floor(this.#random() * Math.max(0, smallFiles - 5))
    for (let file = first; file < Math.min(smallFiles, first + 5); file++)
      writeFileSync(
        join(path, `part ${Math.floor(file / smallPerFolder)}`, `file ${file}`),
        randomBytes(5000),
      )
  }
}

function changePiece(path: string, piece: number): void {
  const bytes = readFileSync(path)
  randomBytes(100).copy(bytes, piece * pieceBytes)
  writeFileSync(path, bytes)
}

/** Whether two files, or folders with all that is below, have the same names and bytes. */
/** Whether the same files are at both paths: with their bytes, and with the executable bit where it is set. */
export function isSame(one: string, other: string): boolean {
  if (!existsSync(other)) return false
  const [facts, found] = [lstatSync(one), lstatSync(other)]
  if (facts.isDirectory() !== found.isDirectory()) return false
  if (!facts.isDirectory()) {
    const isAlike = facts.size === found.size && (facts.mode & 0o100) === (found.mode & 0o100)
    return isAlike && readFileSync(one).equals(readFileSync(other))
  }
  const names = readdirSync(one).toSorted()
  return (
    readdirSync(other).toSorted().join('/') === names.join('/') &&
    names.every((name) => isSame(join(one, name), join(other, name)))
  )
}
