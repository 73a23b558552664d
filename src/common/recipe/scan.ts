// Looks for blocks at every offset of some bytes, as rsync does.

import { isBlock, placeOfBlock, placesOfSum, type BlockIndex } from './block-index.ts'
import { rolled, sumOf, weightOfLeaving } from './rolling-sum.ts'

/** Of the offsets at which a sum is right and the hash is not: in so many bytes one is allowed, and some at once. */
const bytesPerMistake = 256
const mistakesAtOnce = 1024
/** In so many bytes one block may be found again before what lies within it is passed over. */
const bytesPerRepeat = 1024

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

export function findBlocks(index: BlockIndex, { bytes, from, isLast }: Window): Found {
  const { blockBytes, filter, filterShift, seen } = index
  const hits: number[] = []
  const weight = weightOfLeaving(blockBytes)
  // A shorter block may come behind a whole one.
  const last = bytes.length - (isLast ? 1 : 2) * blockBytes
  let mistakes = mistakesAtOnce + (bytes.length - from) / bytesPerMistake
  let repeats = (bytes.length - from) / bytesPerRepeat
  let at = from
  while (at <= last) {
    let sum = sumOf(bytes, at, at + blockBytes)
    let isKnown = false
    for (;;) {
      const bit = sum >>> filterShift
      if (((filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0) {
        const same = placesOfSum(index, sum)
        if (same.to > same.from) {
          const place = placeOfBlock(index, same, bytes.subarray(at, at + blockBytes))
          if (place < 0 && --mistakes < 0) return { hits, next: at, isCostly: true }
          if (place >= 0 && seen[place] !== 1) take(index, place, bytes, at, hits)
          // Another block may begin within this one, where the new version has the same bytes twice. Of zeros there are
          // too many to look at all.
          else if (place >= 0) isKnown = --repeats < 0
        }
      }
      if (isKnown || at === last) break
      sum = rolled(sum, bytes[at] ?? 0, bytes[at + blockBytes] ?? 0, weight)
      at++
    }
    at += isKnown ? blockBytes : 1
  }
  return { hits, next: at, isCostly: false }
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
