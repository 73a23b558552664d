// Looks for blocks at every offset of some bytes, as rsync does.

import { isBlock, placeOfBlock, placesOfSum, type BlockIndex } from './block-index.ts'
import { blockRecordBytes } from './recipe.ts'
import { rolled, sumOf, weightOfLeaving } from './rolling-sum.ts'

/**
 * Of the offsets at which a sum is right and the hash is not: so many times the bytes may be hashed in vain, and so many
 * bytes at once.
 */
const mistakenHashing = 2
const mistakenBytesAtOnce = 1024 * 1024
/** Blocks may be found again so often, in blocks a block, before what lies within them is passed over. */
const repeatsPerBlock = 4

export interface Window {
  readonly bytes: Uint8Array
  /**
   * Whether blocks that lie behind a block as they do in the content are taken by their sums alone, and no others looked for
   * among them: that is fast, and a piece that is put together is verified in any case.
   */
  readonly inRuns: boolean
}

export interface Found {
  /** Pairs: a place in `order`, or for a shorter block -1 - its number; and its offset in the bytes. */
  readonly hits: readonly number[]
  /** Too many sums are right by mistake: somebody wants this to take long. */
  readonly isCostly: boolean
}

/** Which offsets are looked at, and what is known of the sum of the first one. */
export interface Offsets {
  readonly from: number
  /** The last one. */
  readonly last: number
  /** `weightOfLeaving` of a block. */
  readonly weight: number
  /** The sum of the offset that was found before, and the offset behind that. */
  readonly state: Int32Array
}

export interface BlockSums {
  /** See rolling-sum.ts. */
  readonly sumOf: typeof sumOf
  /** The first of these offsets that has the sum of a block; -1 for none. */
  readonly nextMatch: (index: BlockIndex, bytes: Uint8Array, offsets: Offsets) => number
  /** How many blocks from `number` on, all of them looked for, lie one behind the other from `at` on, by their sums. */
  readonly countRun: (index: BlockIndex, bytes: Uint8Array, at: number, number: number) => number
}

const nextMatch: BlockSums['nextMatch'] = (index, bytes, { from, last, weight, state }) => {
  if (from > last) return -1
  const { blockBytes, filter, filterShift } = index
  let sum =
    from > 0 && state[1] === from
      ? rolled(state[0] ?? 0, bytes[from - 1] ?? 0, bytes[from + blockBytes - 1] ?? 0, weight)
      : sumOf(bytes, from, from + blockBytes)
  for (let at = from; ; at++) {
    const bit = sum >>> filterShift
    if (((filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0) {
      const same = placesOfSum(index, sum)
      if (same.to > same.from) {
        state.set([sum, at + 1])
        return at
      }
    }
    if (at === last) return -1
    sum = rolled(sum, bytes[at] ?? 0, bytes[at + blockBytes] ?? 0, weight)
  }
}

const countRun: BlockSums['countRun'] = ({ records, lengths }, bytes, from, number) => {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  let at = from
  for (let block = number; ; block++) {
    const length = lengths[block] ?? 0
    const isThere = length > 0 && at + length <= bytes.length
    if (!isThere || sumOf(bytes, at, at + length) !== view.getInt32(block * blockRecordBytes))
      return block - number
    at += length
  }
}

/** In JavaScript. */
export const blockSums: BlockSums = { sumOf, nextMatch, countRun }

/** `sums` may be faster ones. */
export function findBlocks(index: BlockIndex, { bytes, inRuns }: Window, sums: BlockSums = blockSums): Found {
  const { blockBytes, seen } = index
  const hits: number[] = []
  const weight = weightOfLeaving(blockBytes)
  const state = new Int32Array(2)
  const last = bytes.length - blockBytes
  const blocks = bytes.length / blockBytes
  let mistakes = mistakenBytesAtOnce / blockBytes + mistakenHashing * blocks
  let repeats = repeatsPerBlock * blocks
  let step = 0
  for (let at = 0; ;) {
    at = sums.nextMatch(index, bytes, { from: at + step, last, weight, state })
    if (at < 0) break
    step = 1
    const block = bytes.subarray(at, at + blockBytes)
    const place = placeOfBlock(index, placesOfSum(index, state[0] ?? 0), block)
    if (place < 0 && --mistakes < 0) return { hits, isCostly: true }
    if (place < 0) continue
    if (seen[place] !== 1) {
      take(index, place, bytes, at, hits)
      if (inRuns) step = blockBytes + takeRun(index, place, bytes, at + blockBytes, { sums, hits })
    }
    // Another block may begin within this one, where the new version has the same bytes twice. Of zeros there are too
    // many to look at all.
    else if (--repeats < 0) step = blockBytes
  }
  return { hits, isCostly: false }
}

/** Takes the blocks that follow the one at this place; returns how many bytes these are. */
function takeRun(
  index: BlockIndex,
  place: number,
  bytes: Uint8Array,
  from: number,
  { sums, hits }: { readonly sums: BlockSums; readonly hits: number[] },
): number {
  const { order, places, lengths, seen } = index
  const first = (order[place] ?? 0) + 1
  const end = first + sums.countRun(index, bytes, from, first)
  let at = from
  for (let block = first; block < end; block++) {
    const found = places[block] ?? -1
    if (found < 0) hits.push(-1 - block, at)
    else if (seen[found] !== 1) {
      hits.push(found, at)
      seen[found] = 1
    }
    at += lengths[block] ?? 0
  }
  return at - from
}

function take(index: BlockIndex, place: number, bytes: Uint8Array, at: number, hits: number[]): void {
  hits.push(place, at)
  index.seen[place] = 1
  const short = index.shortNext[place] ?? -1
  if (short < 0) return
  const from = at + index.blockBytes
  const to = from + (index.shortBytes[place] ?? 0)
  if (to <= bytes.length && isBlock(index, short, bytes.subarray(from, to))) hits.push(-1 - short, from)
}
