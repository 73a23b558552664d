// Looks for blocks by their sums, in C where the build could compile block-match.c.

import { createRequire } from 'node:module'
import type { BlockIndex } from '../../common/recipe/block-index.ts'
import { nextMatch, type NextMatch } from '../../common/recipe/scan.ts'

type Compiled = (
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

/** The compiled one, where there is one. */
export const fastestMatch: NextMatch = loadNextMatch('./block-match.node') ?? nextMatch

/** The compiled function at `path`; undefined when it is missing or is another one. */
export function loadNextMatch(path: string): NextMatch | undefined {
  let compiled: { readonly nextMatch?: Compiled }
  try {
    compiled = createRequire(import.meta.url)(path) as typeof compiled
  } catch {
    return undefined
  }
  const { nextMatch: next } = compiled
  if (next === undefined) return undefined
  return (index: BlockIndex, bytes, { from, last, weight, state }) => {
    const { blockBytes, filter, filterShift, buckets, bucketShift, sums } = index
    return next(
      bytes,
      from,
      last,
      blockBytes,
      weight >>> 0,
      filter,
      filterShift,
      buckets,
      bucketShift,
      sums,
      state,
    )
  }
}
