// The tree of a shared folder: which files are in it, with their sizes, times and whether they may be run, and which
// folders are empty. Its bytes are the first pieces of the folder's content, so the file id proves them as it proves
// all pieces.

import { isUtf8 } from 'node:buffer'
import { pathBytesMax, treeBytesMax, treeFilesMax, treePathBytesMax } from '../limits.ts'
import { comparePaths, foreignPathProblem, SameNames } from './paths.ts'
import { ByteReader, ByteWriter } from './varint.ts'

// The encoding:
//
//   bytes 0–3   "CTT1"
//   number of entries
//   then, for each entry, in the order of `comparePaths`:
//     how many bytes of its path are those of the path before, how many follow, and those
//     0 for a file, 1 for one that may be run, 2 for an empty folder
//     of a file: its size in bytes
//     of a file: how many seconds it was changed after the file before (the first one: after 1970), zigzag
//
// Numbers are unsigned LEB128 in their shortest form. So a folder has one tree, and one tree one spelling.

const magic = Buffer.from('CTT1')

/** The largest size and time that the encoding takes. */
const sizeMax = 2 ** 47
const secondsMax = 2 ** 40

export interface TreeFile {
  /** Names with "/" between them. */
  readonly path: string
  readonly kind: 'file' | 'executable'
  readonly sizeBytes: number
  /** When it was changed, in seconds since 1970, rounded down. */
  readonly mtimeSeconds: number
}

/** A folder with nothing in it; the others follow from the paths of files. */
export interface EmptyFolder {
  readonly path: string
  readonly kind: 'folder'
}

export type TreeEntry = TreeFile | EmptyFolder

/** What a tree that came from others breaks, as a sentence. */
export interface BadTree {
  readonly problem: string
}

/** Encodes entries, which have to be in the order of `comparePaths` and valid. Throws a RangeError for too many bytes. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const writer = new ByteWriter(treeBytesMax)
  writer.bytes(magic)
  writer.number(entries.length)
  let before: Buffer = Buffer.alloc(0)
  let beforeSeconds = 0
  for (const entry of entries) {
    const path = Buffer.from(entry.path)
    const shared = sharedBytes(before, path)
    writer.number(shared)
    writer.number(path.length - shared)
    writer.bytes(path.subarray(shared))
    before = path
    writer.number(kinds.indexOf(entry.kind))
    if (entry.kind === 'folder') continue
    writer.number(entry.sizeBytes)
    writer.signed(entry.mtimeSeconds - beforeSeconds)
    beforeSeconds = entry.mtimeSeconds
  }
  return writer.done()
}

const kinds = ['file', 'executable', 'folder'] as const

function sharedBytes(one: Uint8Array, other: Uint8Array): number {
  let at = 0
  while (at < one.length && at < other.length && one[at] === other[at]) at++
  return at
}

/** Decodes a tree that came from others, or says what is wrong with it. */
export function parseTree(bytes: Uint8Array): TreeEntry[] | BadTree {
  const reading = readTree(bytes)
  for (;;) {
    const { done, value } = reading.next()
    if (done === true) return value
  }
}

/** Entries that are decoded in one go of `readTree`, which takes about a millisecond. */
const entriesAtOnce = 500

/**
 * Decodes a tree likewise, and stops every now and then: a million entries take a second. Nothing is allocated that the
 * bytes have not paid for, except paths, of which all together are bounded.
 */
export function* readTree(bytes: Uint8Array): Generator<void, TreeEntry[] | BadTree> {
  if (bytes.length > treeBytesMax) return bad(`the list of its files has more than ${treeBytesMax} bytes`)
  const reader = new ByteReader(bytes)
  if (!reader.starts(magic)) return bad('the list of its files is not one')
  const count = reader.number(treeFilesMax)
  if (count === undefined) return bad(`it has more than ${treeFilesMax} files`)
  const decoder = new EntryDecoder(reader)
  const entries: TreeEntry[] = []
  for (let index = 0; index < count; index++) {
    if (index % entriesAtOnce === entriesAtOnce - 1) yield
    const entry = decoder.next()
    if ('problem' in entry) return entry
    entries.push(entry)
  }
  return reader.isAtEnd ? entries : cutOff
}

const cutOff = bad('the list of its files is cut off or goes on behind its end')

/** Reads one entry after the other, and compares each with those before it. */
class EntryDecoder {
  readonly #reader: ByteReader
  readonly #names = new SameNames()
  /** Of the path before. */
  readonly #path = Buffer.alloc(pathBytesMax)
  #pathLength = 0
  #last: TreeEntry | undefined
  #seconds = 0
  #pathBytes = 0

  constructor(reader: ByteReader) {
    this.#reader = reader
  }

  next(): TreeEntry | BadTree {
    const path = this.#nextPath()
    if (typeof path !== 'string') return path
    const kind = kinds[this.#reader.number(kinds.length - 1) ?? kinds.length]
    if (kind === undefined) return cutOff
    const entry = kind === 'folder' ? ({ path, kind } as const) : this.#nextFile(path, kind)
    if ('problem' in entry) return entry
    this.#last = entry
    return entry
  }

  #nextFile(path: string, kind: TreeFile['kind']): TreeFile | BadTree {
    const sizeBytes = this.#reader.number(sizeMax)
    const seconds = this.#reader.signed(2 * secondsMax)
    if (sizeBytes === undefined || seconds === undefined) return cutOff
    this.#seconds += seconds
    if (Math.abs(this.#seconds) > secondsMax) return bad(`${path} has no possible time`)
    return { path, kind, sizeBytes, mtimeSeconds: this.#seconds }
  }

  #nextPath(): string | BadTree {
    const shared = this.#reader.number(this.#pathLength)
    const length = this.#reader.number(treeBytesMax)
    if (shared === undefined || length === undefined) return cutOff
    if (shared + length > pathBytesMax) return bad(`a path is longer than ${pathBytesMax} bytes`)
    const rest = this.#reader.bytes(length)
    if (rest === undefined) return cutOff
    this.#pathBytes += shared + length
    if (this.#pathBytes > treePathBytesMax) return bad('its paths are too long together')
    const sharedMore = shared < this.#pathLength && length > 0 && rest[0] === this.#path[shared]
    this.#path.set(rest, shared)
    this.#pathLength = shared + length
    const bytes = this.#path.subarray(0, this.#pathLength)
    // A part of the path before that is written out again would be a second spelling.
    if (sharedMore || !isUtf8(bytes)) return bad('the list of its files is not spelt as it has to be')
    const path = bytes.toString()
    return this.#placeProblem(path) ?? path
  }

  /** What is wrong with a path behind the last one. */
  #placeProblem(path: string): BadTree | undefined {
    const problem = foreignPathProblem(path)
    if (problem !== undefined) return bad(problem)
    const last = this.#last
    if (last !== undefined) {
      if (path.startsWith(`${last.path}/`))
        return bad(
          last.kind === 'folder' ? `${last.path} is not empty` : `${last.path} is a file and a folder`,
        )
      if (comparePaths(last.path, path) >= 0) return bad(`${path} is listed twice or out of order`)
    }
    const same = this.#names.add(path)
    return same === undefined ? undefined : bad(same)
  }
}

function bad(problem: string): BadTree {
  return { problem }
}
