// A folder as one file that programs on every system open, a tar archive (POSIX.1-2017, pax). Of all such forms it is the
// one whose size, and every part of which, follows from the tree without reading the files: so it can be resumed anywhere,
// and is the same bytes each time. A zip says the sums of all files at its end. Files come in the order in which they lie
// in the pieces of the folder, so that each piece is read once. Pure.

import type { Layout } from '../../common/tree/layout.ts'
import type { TreeEntry, TreeFile } from '../../common/tree/tree.ts'

const unit = 512
/** Of a file whose number in the header has 11 octal digits. */
const plainSizeMax = 8 ** 11 - 1
/** Entries without bytes that are in one block. */
const emptyAtOnce = 256
/** Entries that are looked at in one go of `laying`, which takes about a millisecond. */
const entriesAtOnce = 5000

/** A part of the archive that needs one piece of the folder at most. */
export interface TarBlock {
  /** Undefined where it needs none. */
  readonly piece: number | undefined
  /** In bytes. */
  readonly length: number
}

export class Tar {
  readonly blocks: readonly TarBlock[]
  /** Where each block begins, and at the end where the last one ends. */
  readonly offsets: Float64Array
  /** The name of the folder, above all its files. */
  readonly root: string
  readonly #entries: readonly TreeEntry[]
  readonly #layout: Layout
  /** By their numbers in the tree. */
  readonly #empty: readonly number[]

  /** Stops every now and then: a million entries take a second. */
  static *laying(root: string, entries: readonly TreeEntry[], layout: Layout): Generator<void, Tar> {
    const empty: number[] = []
    for (const [at, entry] of entries.entries()) {
      if (at % entriesAtOnce === entriesAtOnce - 1) yield
      if (sizeOf(entry) === 0) empty.push(at)
    }
    const blocks: TarBlock[] = []
    for (let at = 0; at < empty.length; at += emptyAtOnce) {
      yield
      const some = empty.slice(at, at + emptyAtOnce)
      const length = some.reduce((sum, each) => sum + headerLength(root, entries[each] ?? noEntry), 0)
      blocks.push({ piece: undefined, length })
    }
    for (let piece = layout.treePieces; piece < layout.lengths.length; piece++) {
      yield
      blocks.push({ piece, length: lengthOf(root, entries, layout, piece) })
    }
    blocks.push({ piece: undefined, length: 2 * unit })
    return new Tar(root, entries, layout, empty, blocks)
  }

  private constructor(
    root: string,
    entries: readonly TreeEntry[],
    layout: Layout,
    empty: readonly number[],
    blocks: readonly TarBlock[],
  ) {
    this.root = root
    this.#entries = entries
    this.#layout = layout
    this.#empty = empty
    this.blocks = blocks
    this.offsets = new Float64Array(blocks.length + 1)
    for (const [at, { length }] of blocks.entries()) this.offsets[at + 1] = (this.offsets[at] ?? 0) + length
  }

  get sizeBytes(): number {
    return this.offsets[this.blocks.length] ?? 0
  }

  /** The number of the block that has this byte. */
  blockAt(byte: number): number {
    let [low, high] = [0, this.blocks.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.offsets[middle] ?? 0) <= byte) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The bytes of a block, from those of its piece. */
  make(block: number, piece: Uint8Array): Buffer {
    const { piece: index, length } = this.blocks[block] ?? { piece: undefined, length: 0 }
    if (index === undefined)
      return block === this.blocks.length - 1 ? Buffer.alloc(length) : this.#emptyBlock(block * emptyAtOnce)
    const made = Buffer.alloc(length)
    let [to, from] = [0, 0]
    for (const segment of this.#layout.segmentsOf(index)) {
      const file = fileAt(this.#entries, segment.entry)
      if (segment.offset === 0) to += headerOf(this.root, file).copy(made, to)
      made.set(piece.subarray(from, from + segment.length), to)
      from += segment.length
      to += segment.length
      if (segment.offset + segment.length === file.sizeBytes) to += paddingOf(file.sizeBytes)
    }
    return made
  }

  #emptyBlock(first: number): Buffer {
    const some = this.#empty.slice(first, first + emptyAtOnce)
    return Buffer.concat(some.map((at) => headerOf(this.root, this.#entries[at] ?? noEntry)))
  }
}

/** Of the part of the archive that a piece of files becomes. */
function lengthOf(root: string, entries: readonly TreeEntry[], layout: Layout, piece: number): number {
  let length = 0
  for (const segment of layout.segmentsOf(piece)) {
    const file = fileAt(entries, segment.entry)
    if (segment.offset === 0) length += headerLength(root, file)
    length += segment.length
    if (segment.offset + segment.length === file.sizeBytes) length += paddingOf(file.sizeBytes)
  }
  return length
}

function fileAt(entries: readonly TreeEntry[], at: number): TreeFile {
  const entry = entries[at]
  if (entry === undefined || entry.kind === 'folder') throw new Error('only files lie in pieces')
  return entry
}

const noEntry: TreeEntry = { path: '', kind: 'folder' }

/** All that stands before the bytes of an entry. */
function headerOf(root: string, entry: TreeEntry): Buffer {
  const facts = factsOf(root, entry)
  const records = recordsOf(facts)
  if (records === '') return plainHeader(facts)
  const bytes = Buffer.from(records)
  const extended = plainHeader({ ...facts, path: 'pax', sizeBytes: bytes.length, mode: 0o644, type: 'x' })
  return Buffer.concat([extended, bytes, Buffer.alloc(paddingOf(bytes.length)), plainHeader(facts)])
}

function headerLength(root: string, entry: TreeEntry): number {
  const length = Buffer.byteLength(recordsOf(factsOf(root, entry)))
  return length === 0 ? unit : 2 * unit + length + paddingOf(length)
}

function factsOf(root: string, entry: TreeEntry): HeaderFacts {
  const isFolder = entry.kind === 'folder'
  return {
    path: `${root}/${entry.path}${isFolder ? '/' : ''}`,
    sizeBytes: sizeOf(entry),
    seconds: isFolder ? 0 : Math.max(0, entry.mtimeSeconds),
    mode: isFolder || entry.kind === 'executable' ? 0o755 : 0o644,
    type: isFolder ? '5' : '0',
  }
}

/** What does not fit into the plain header. */
function recordsOf({ path, sizeBytes, seconds }: HeaderFacts): string {
  return [
    isPlain(path) ? '' : recordOf('path', path),
    sizeBytes <= plainSizeMax ? '' : recordOf('size', String(sizeBytes)),
    seconds <= plainSizeMax ? '' : recordOf('mtime', String(seconds)),
  ].join('')
}

interface HeaderFacts {
  readonly path: string
  readonly sizeBytes: number
  readonly seconds: number
  readonly mode: number
  readonly type: string
}

/** What does not fit is in the records before it. */
function plainHeader({ path, sizeBytes, seconds, mode, type }: HeaderFacts): Buffer {
  const header = Buffer.alloc(unit)
  const octal = (value: number, at: number, digits: number): void =>
    void header.write(
      Math.min(value, 8 ** digits - 1)
        .toString(8)
        .padStart(digits, '0'),
      at,
      'latin1',
    )
  header.write(path.replaceAll(/[^\x20-\x7e]/g, '_').slice(0, 100), 0, 'latin1')
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(sizeBytes, 124, 11)
  octal(seconds, 136, 11)
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(type, 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  octal(0, 329, 7)
  octal(0, 337, 7)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function isPlain(path: string): boolean {
  return path.length <= 100 && /^[\x20-\x7e]*$/.test(path)
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function recordOf(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (rest + String(length).length > length) length++
  return `${length} ${key}=${value}\n`
}

function paddingOf(sizeBytes: number): number {
  return (unit - (sizeBytes % unit)) % unit
}

function sizeOf(entry: TreeEntry): number {
  return entry.kind === 'folder' ? 0 : entry.sizeBytes
}
