// Parts of a piece: which are asked for, and how their bytes lie one behind the other in an answer. Likewise parts of a
// recipe.

import { pieceBytes, rangeBytes } from '../limits.ts'

/** In blocks of 4 KiB, or groups of a recipe: the first one, and how many. */
export type BlockRange = [first: number, count: number]

/** The most parts of a piece: every second block. */
export const rangesMax = pieceBytes / rangeBytes / 2

/** The most parts of a recipe that are asked for at once: their line has 20 KiB at most. */
export const groupRangesMax = 1024

/** Whether each part has blocks, and lies behind the one before without touching it. */
export function areInOrder(ranges: BlockRange[]): boolean {
  let end = -1
  return ranges.every(([first, count]) => {
    const isRight = first > end && count > 0
    end = first + count
    return isRight
  })
}

/** Likewise where they are blocks of a piece. */
export function areInPiece(ranges: BlockRange[]): boolean {
  const [first, count] = ranges.at(-1) ?? [0, 0]
  return areInOrder(ranges) && first + count <= pieceBytes / rangeBytes
}

/** The parts that these numbers make, which come in their order. */
export function rangesOf(numbers: Iterable<number>): BlockRange[] {
  const ranges: BlockRange[] = []
  for (const number of numbers) {
    const before = ranges.at(-1)
    if (before !== undefined && before[0] + before[1] === number) before[1]++
    else ranges.push([number, 1])
  }
  return ranges
}

/**
 * How many bytes these parts of a piece of `length` bytes have together. The last block may be shorter. Undefined when
 * one begins behind its end.
 */
export function bytesIn(ranges: readonly BlockRange[], length: number): number | undefined {
  let bytes = 0
  for (const [from, to] of placesOf(ranges, length)) {
    if (from >= to) return undefined
    bytes += to - from
  }
  return bytes
}

/** Moves the parts of the piece at the start of `buffer` to its start, one behind the other. */
export function gather(buffer: Uint8Array, ranges: readonly BlockRange[], length: number): void {
  let at = 0
  for (const [from, to] of placesOf(ranges, length)) {
    buffer.copyWithin(at, from, to)
    at += to - from
  }
}

/** Undoes `gather`; what lies between the parts is arbitrary then. */
export function scatter(buffer: Uint8Array, ranges: readonly BlockRange[], length: number): void {
  let at = bytesIn(ranges, length) ?? 0
  // From behind: a part never lies further to the front than its bytes.
  for (const [from, to] of placesOf(ranges, length).toReversed()) {
    at -= to - from
    buffer.copyWithin(from, at, at + to - from)
  }
}

/** From where to where each lies, in bytes. */
function placesOf(ranges: readonly BlockRange[], length: number): [from: number, to: number][] {
  return ranges.map(([first, count]) => [first * rangeBytes, Math.min(length, (first + count) * rangeBytes)])
}
