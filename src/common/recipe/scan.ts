// Looks for blocks at every offset of some bytes, as rsync does.

import { isBlock, placeOfBlock, placesOfSum, type BlockIndex } from './block-index.ts'
import { rolled, sumOf, weightOfLeaving } from './rolling-sum.ts'

/**
 * Of the offsets at which a sum is right and the hash is not: so many times the bytes may be hashed in vain, and so many
 * bytes at once.
 */
const mistakenHashing = 16
const mistakenBytesAtOnce = 1024 * 1024
/** Blocks may be found again so often, in blocks a block, before what lies within them is passed over. */
const repeatsPerBlock = 4

export interface Window {
  readonly bytes: Uint8Array
  /** The first offset to look at. */
  readonly from: number
  /** Nothing comes behind these bytes. */
  readonly isLast: boolean
}

export interface Found {
  /** Pairs: a place in `order`, or for a shorter block -1 - its number; and its offset in the bytes. */
  readonly hits: readonly number[]
  /** The first offset that was not looked at, since too few bytes come behind it. */
  readonly next: number
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

/** The first of these offsets that has the sum of a block; -1 for none. */
export type NextMatch = (index: BlockIndex, bytes: Uint8Array, offsets: Offsets) => number

export const nextMatch: NextMatch = (index, bytes, { from, last, weight, state }) => {
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

/** `next` may be a faster one. */
export function findBlocks(
  index: BlockIndex,
  { bytes, from, isLast }: Window,
  next: NextMatch = nextMatch,
): Found {
  const { blockBytes, seen } = index
  const hits: number[] = []
  const weight = weightOfLeaving(blockBytes)
  const state = new Int32Array(2)
  // A shorter block may come behind a whole one.
  const last = bytes.length - (isLast ? 1 : 2) * blockBytes
  const blocks = (bytes.length - from) / blockBytes
  let mistakes = mistakenBytesAtOnce / blockBytes + mistakenHashing * blocks
  let repeats = repeatsPerBlock * blocks
  let step = 0
  let end = from
  for (let at = from; ; end = at + step) {
    at = next(index, bytes, { from: end, last, weight, state })
    if (at < 0) break
    step = 1
    const block = bytes.subarray(at, at + blockBytes)
    const place = placeOfBlock(index, placesOfSum(index, state[0] ?? 0), block)
    if (place < 0 && --mistakes < 0) return { hits, next: at, isCostly: true }
    if (place >= 0 && seen[place] !== 1) take(index, place, bytes, at, hits)
    // Another block may begin within this one, where the new version has the same bytes twice. Of zeros there are too
    // many to look at all.
    else if (place >= 0 && --repeats < 0) step = blockBytes
  }
  return { hits, next: Math.max(end, last + 1), isCostly: false }
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
