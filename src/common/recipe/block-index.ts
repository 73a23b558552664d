// Blocks of a recipe, arranged to be found by the bytes at any offset: sorted by sum and hash, with a filter that turns
// away most offsets by one bit. All of it lies in memory that threads share.

import { blockRecordBytes, strongOf } from './recipe.ts'

/** Bits of the filter for each block; one offset of so many passes by chance. But it should fit into a cache. */
const filterBitsPerBlock = 256
const filterBitsMax = 2 ** 25
/** A number of a block fits in so many bits: a recipe has at most 1.4 million. */
const numberBits = 21

export interface BlockIndex {
  readonly blockBytes: number
  /** Of groups, how long their blocks are. */
  readonly partBytes: number | undefined
  /** The records of all blocks of the recipe, as they stand in it. */
  readonly records: Uint8Array
  /** The length of each in bytes; 0 for one that is not looked for. */
  readonly lengths: Uint32Array
  /** Numbers of blocks of full length, no two the same by sum and hash, sorted by these. */
  readonly order: Uint32Array
  /** Their sums, in the same order. */
  readonly sums: Uint32Array
  /** By the highest bits of a sum: where in `order` such sums begin, and behind the last where they end. */
  readonly buckets: Uint32Array
  readonly bucketShift: number
  /** One bit for each value of the highest bits of a sum; `filterShift` says how many bits are lower. */
  readonly filter: Uint32Array
  readonly filterShift: number
  /** For each block of the recipe, its place in `order`; that of one that is not looked for is -1. */
  readonly places: Int32Array
  /** For each place in `order`, 1 when the block was found. */
  readonly seen: Uint8Array
  /** For each place in `order`, the number of a shorter block that comes behind such a block; -1 for none. */
  readonly shortNext: Int32Array
  /** The lengths of those, in bytes. */
  readonly shortBytes: Uint32Array
}

/** A block that is looked for. */
export interface SoughtBlocks {
  readonly blockBytes: number
  /** Where they are groups, how long their blocks are. */
  readonly partBytes?: number | undefined
  readonly records: Uint8Array
  /** The length of each block of the recipe in bytes; 0 for one that is not looked for. */
  readonly lengths: Uint32Array
}

/** Takes time that grows hardly more than with the number of blocks, whatever their sums. */
export function buildIndex({ blockBytes, partBytes, records, lengths }: SoughtBlocks): BlockIndex {
  const view = viewOf(records)
  const sorted = sortedBlocks(view, lengths, blockBytes)
  const places = shared(Int32Array, lengths.length).fill(-1)
  const order = shared(Uint32Array, sorted.length)
  let count = 0
  for (const number of sorted) {
    const before = order[count - 1]
    if (count === 0 || before === undefined || compare(view, before, number) !== 0) order[count++] = number
    places[number] = count - 1
  }
  const distinct = order.subarray(0, count)
  const sums = shared(Uint32Array, count)
  for (const [place, number] of distinct.entries()) sums[place] = sumAt(view, number)
  const shortNext = shared(Int32Array, count).fill(-1)
  const shortBytes = shared(Uint32Array, count)
  const seen = shared(Uint8Array, count)
  for (let number = 1; number < lengths.length; number++) {
    const [length = 0, place = -1] = [lengths[number], places[number - 1]]
    if (length === 0 || length >= blockBytes || place < 0 || shortNext[place] !== -1) continue
    shortNext[place] = number
    shortBytes[place] = length
  }
  return {
    blockBytes,
    partBytes,
    records,
    lengths: shared(Uint32Array, lengths.length, lengths),
    order: distinct,
    sums,
    ...lookupOf(sums),
    places,
    seen,
    shortNext,
    shortBytes,
  }
}

/** How many blocks have this sum: their places begin at `from`, and end before `to`. */
export function placesOfSum(
  { sums, buckets, bucketShift }: BlockIndex,
  sum: number,
): { from: number; to: number } {
  const unsigned = sum >>> 0
  const bucket = unsigned >>> bucketShift
  const [first = 0, end = 0] = [buckets[bucket], buckets[bucket + 1]]
  const from = lowest(first, end, (place) => (sums[place] ?? 0) >= unsigned)
  const to = sums[from] === unsigned && from < end ? from + 1 : from
  // More than one is rare, unless somebody wants it.
  if (to === from || sums[to] !== unsigned || to >= end) return { from, to }
  return { from, to: lowest(to, end, (place) => (sums[place] ?? 0) > unsigned) }
}

/** The place, among these of one sum, of the block with these bytes; -1 for none. */
export function placeOfBlock(
  { order, records, partBytes }: BlockIndex,
  { from, to }: { readonly from: number; readonly to: number },
  block: Uint8Array,
): number {
  const view = viewOf(records)
  const strong = viewOf(strongOf(block, partBytes))
  const place = lowest(from, to, (at) => compareStrong(view, order[at] ?? 0, strong) >= 0)
  return place < to && compareStrong(view, order[place] ?? 0, strong) === 0 ? place : -1
}

/** Whether these bytes are this block, by its hash. */
export function isBlock(
  { records, partBytes }: Pick<BlockIndex, 'records' | 'partBytes'>,
  number: number,
  block: Uint8Array,
): boolean {
  return compareStrong(viewOf(records), number, viewOf(strongOf(block, partBytes))) === 0
}

/** By sum, and those of the same sum by hash. */
function sortedBlocks(view: DataView, lengths: Uint32Array, blockBytes: number): Uint32Array {
  const full = lengths.reduce((count, length) => (length === blockBytes ? count + 1 : count), 0)
  // One number each, since numbers are sorted far faster than by a function.
  const keys = new Float64Array(full)
  let at = 0
  for (const [number, length] of lengths.entries())
    if (length === blockBytes) keys[at++] = sumAt(view, number) * 2 ** numberBits + number
  keys.sort()
  const sorted = Uint32Array.from(keys, (key) => key % 2 ** numberBits)
  for (let from = 0; from < full;) {
    const sum = Math.floor((keys[from] ?? 0) / 2 ** numberBits)
    let to = from + 1
    while (to < full && Math.floor((keys[to] ?? 0) / 2 ** numberBits) === sum) to++
    if (to - from > 1) sorted.subarray(from, to).sort((one, other) => compare(view, one, other))
    from = to
  }
  return sorted
}

function lookupOf(sums: Uint32Array): Pick<BlockIndex, 'buckets' | 'bucketShift' | 'filter' | 'filterShift'> {
  const buckets = shared(Uint32Array, powerAbove(sums.length) + 1)
  const filterBits = Math.min(filterBitsMax, powerAbove(sums.length) * filterBitsPerBlock)
  const filter = shared(Uint32Array, filterBits / 32)
  const bucketShift = 32 - Math.log2(buckets.length - 1)
  const filterShift = 32 - Math.log2(filter.length * 32)
  for (const sum of sums) {
    const bucket = sum >>> bucketShift
    buckets[bucket + 1] = (buckets[bucket + 1] ?? 0) + 1
    const bit = sum >>> filterShift
    filter[bit >>> 5] = (filter[bit >>> 5] ?? 0) | (1 << (bit & 31))
  }
  for (let bucket = 1; bucket < buckets.length; bucket++)
    buckets[bucket] = (buckets[bucket] ?? 0) + (buckets[bucket - 1] ?? 0)
  return { buckets, bucketShift, filter, filterShift }
}

/** A power of two, at least 2. */
function powerAbove(count: number): number {
  return 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(1, count))))
}

/** The first number for which it is true, which stays true for all behind; `to` when there is none. */
function lowest(from: number, to: number, isTrue: (at: number) => boolean): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

function sumAt(view: DataView, number: number): number {
  return view.getUint32(number * blockRecordBytes)
}

function compare(view: DataView, one: number, other: number): number {
  const [a, b] = [one * blockRecordBytes, other * blockRecordBytes]
  return (
    view.getUint32(a) - view.getUint32(b) ||
    view.getUint32(a + 4) - view.getUint32(b + 4) ||
    view.getUint32(a + 8) - view.getUint32(b + 8)
  )
}

function compareStrong(view: DataView, number: number, strong: DataView): number {
  const at = number * blockRecordBytes + 4
  return view.getUint32(at) - strong.getUint32(0) || view.getUint32(at + 4) - strong.getUint32(4)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function shared<T extends Int32Array | Uint32Array | Uint8Array>(
  kind: { new (memory: SharedArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
  count: number,
  values: ArrayLike<number> = [],
): T {
  const array = new kind(new SharedArrayBuffer(count * kind.BYTES_PER_ELEMENT))
  array.set(values)
  return array
}
