// Sums of blocks, and the search for blocks by them: in C where the build could compile block-match.c.

import { compiledFile, loadCompiled } from '../../common/compiled-file.ts'
import { blockSums, type BlockSums } from '../../common/recipe/scan.ts'

/** What is compiled, with the parts of an index one by one. */
interface Compiled {
  readonly nextMatch: (
    bytes: Uint8Array,
    from: number,
    last: number,
    blockBytes: number,
    weight: number,
    filter: Uint32Array,
    filterShift: number,
    buckets: Uint32Array,
    bucketShift: number,
    sums: Uint32Array,
    state: Int32Array,
  ) => number
  readonly countRun: (
    bytes: Uint8Array,
    at: number,
    records: Uint8Array,
    lengths: Uint32Array,
    number: number,
  ) => number
  readonly sumOf: BlockSums['sumOf']
}

/** The compiled ones, where there are such. */
export const fastestSums: BlockSums = loadBlockSums(compiledFile('block-match.node')) ?? blockSums

/** The compiled functions at `path`; undefined when they are missing or are others. */
export function loadBlockSums(path: string): BlockSums | undefined {
  const { nextMatch, countRun, sumOf } = loadCompiled<Compiled>(path)
  if (nextMatch === undefined || countRun === undefined || sumOf === undefined) return undefined
  return {
    sumOf,
    countRun: ({ records, lengths }, bytes, at, number) => countRun(bytes, at, records, lengths, number),
    nextMatch: (index, bytes, { from, last, weight, state }) => {
      const { blockBytes, filter, filterShift, buckets, bucketShift, sums } = index
      const leaving = weight >>> 0
      // prettier-ignore
      return nextMatch(
        bytes, from, last, blockBytes, leaving, filter, filterShift, buckets, bucketShift, sums, state,
      )
    },
  }
}
