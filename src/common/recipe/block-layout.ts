// How a content falls into blocks, and these into groups: neither crosses a piece.

import { pieceBytes } from '../limits.ts'
import { lengthOfPiece, type Manifest } from '../manifest.ts'
import type { BlockRange } from './ranges.ts'

/** Blocks of a group; fewer in the last one of a piece, and where a group would be longer than a piece. */
const groupBlocks = 16

export interface BlockLayout {
  /** In bytes, of a block and of a group. The last ones of a piece may be shorter. */
  readonly blockBytes: number
  readonly groupBytes: number
  readonly blockCount: number
  readonly groupCount: number
  /** The number of the first block of each piece, and behind the last one the number of blocks; likewise of groups. */
  readonly firstBlocks: Uint32Array
  readonly firstGroups: Uint32Array
}

export function layoutOf(manifest: Manifest, blockBytes: number): BlockLayout {
  const groupBytes = groupBytesFor(blockBytes)
  const [firstBlocks, firstGroups] = [firstsOf(manifest, blockBytes), firstsOf(manifest, groupBytes)]
  const [blockCount = 0, groupCount = 0] = [firstBlocks.at(-1), firstGroups.at(-1)]
  return { blockBytes, groupBytes, blockCount, groupCount, firstBlocks, firstGroups }
}

export function groupBytesFor(blockBytes: number): number {
  return Math.min(pieceBytes, groupBlocks * blockBytes)
}

/** How many blocks, or groups, of this length a content has. */
export function countOf(manifest: Manifest, blockBytes: number): number {
  return firstsOf(manifest, blockBytes).at(-1) ?? 0
}

/** The length in bytes of each block, or group, of these pieces; 0 for those of others. */
export function lengthsOf(
  manifest: Manifest,
  pieces: Iterable<number>,
  { bytes, firsts }: { readonly bytes: number; readonly firsts: Uint32Array },
): Uint32Array {
  const lengths = new Uint32Array(firsts.at(-1) ?? 0)
  for (const index of pieces) {
    const [from = 0, length] = [firsts[index], lengthOfPiece(manifest, index)]
    for (let at = 0; at < length; at += bytes) lengths[from + at / bytes] = Math.min(bytes, length - at)
  }
  return lengths
}

/** For each group the number of its first block, and behind the last one the number of blocks. */
export function groupStarts({
  blockBytes,
  groupBytes,
  firstBlocks,
  firstGroups,
  groupCount,
}: BlockLayout): Uint32Array {
  const starts = new Uint32Array(groupCount + 1)
  const perGroup = groupBytes / blockBytes
  for (const [piece, block] of firstBlocks.entries()) {
    const [from = 0, to = from + 1] = [firstGroups[piece], firstGroups[piece + 1]]
    for (let group = from; group < to; group++) starts[group] = block + (group - from) * perGroup
  }
  return starts
}

/** How many blocks these groups have together, all of which are there. */
export function blocksIn(layout: BlockLayout, groups: readonly BlockRange[]): number {
  const starts = groupStarts(layout)
  return groups.reduce((sum, [first, count]) => sum + (starts[first + count] ?? 0) - (starts[first] ?? 0), 0)
}

function firstsOf(manifest: Manifest, blockBytes: number): Uint32Array {
  const first = new Uint32Array(manifest.pieceCount + 1)
  for (let index = 0; index < manifest.pieceCount; index++)
    first[index + 1] = (first[index] ?? 0) + Math.ceil(lengthOfPiece(manifest, index) / blockBytes)
  return first
}
