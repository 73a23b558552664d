// Looks through a file or folder that is here for blocks of a new content, at every offset: for groups of them first, and
// then for the blocks of those that were not found.

import type { Manifest } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { BlockIndex, SoughtBlocks } from '../../common/recipe/block-index.ts'
import { groupStarts, lengthsOf } from '../../common/recipe/block-layout.ts'
import { rangesOf, type BlockRange } from '../../common/recipe/ranges.ts'
import { blockRecordBytes, type Outline } from '../../common/recipe/recipe.ts'
import type { Found } from '../../common/recipe/scan.ts'
import type { Amount, RecipePool } from '../workers/recipe-pool.ts'
import type { DonorBytes } from './donor-bytes.ts'

export interface Search {
  readonly manifest: Manifest
  readonly outline: Outline
  /** The records of the blocks of these groups, one behind the other; undefined when nobody gives them. */
  readonly blocks: (groups: readonly BlockRange[]) => Promise<Buffer | undefined>
  /** The pieces whose blocks are looked for. */
  readonly pieces: readonly number[]
  readonly donor: DonorBytes
  readonly pool: RecipePool
  readonly signal: AbortSignal
}

/**
 * Where the bytes of each block are in the donor; -1 for those that were not found. Undefined when the recipe is made to take
 * long. Rejects as the pool does.
 */
export async function findOffsets(search: Search): Promise<Float64Array | undefined> {
  const { manifest, outline, blocks, pieces } = search
  const { layout, groups: records } = outline
  const { blockBytes, groupBytes, blockCount } = layout
  const lengths = lengthsOf(manifest, pieces, { bytes: groupBytes, firsts: layout.firstGroups })
  const groups = await offsetsOf(search, { blockBytes: groupBytes, partBytes: blockBytes, records, lengths })
  if (groups === undefined) return undefined
  const starts = groupStarts(layout)
  const offsets = new Float64Array(blockCount).fill(-1)
  const missing: number[] = []
  for (const [group, offset] of groups.entries()) {
    if (lengths[group] === 0) continue
    if (offset < 0) missing.push(group)
    else {
      const [from = 0, to = 0] = [starts[group], starts[group + 1]]
      for (let block = from; block < to; block++) offsets[block] = offset + (block - from) * blockBytes
    }
  }
  const ranges = rangesOf(missing)
  const told = ranges.length === 0 ? undefined : await blocks(ranges)
  if (told === undefined) return offsets
  const sought = soughtIn(search, ranges, told)
  const found = await offsetsOf(search, sought)
  if (found === undefined) return undefined
  for (const [block, offset] of found.entries()) if (offset >= 0) offsets[block] = offset
  return offsets
}

/** The blocks of these groups, of which `told` has the records. */
function soughtIn(
  { manifest, outline, pieces }: Search,
  groups: readonly BlockRange[],
  told: Buffer,
): SoughtBlocks {
  const { blockBytes, blockCount, firstBlocks } = outline.layout
  const starts = groupStarts(outline.layout)
  const all = lengthsOf(manifest, pieces, { bytes: blockBytes, firsts: firstBlocks })
  const lengths = new Uint32Array(blockCount)
  const records = new Uint8Array(blockCount * blockRecordBytes)
  let at = 0
  for (const [first, count] of groups) {
    const [from = 0, to = 0] = [starts[first], starts[first + count]]
    lengths.set(all.subarray(from, to), from)
    const bytes = told.subarray(at, at + (to - from) * blockRecordBytes)
    records.set(bytes, from * blockRecordBytes)
    at += bytes.length
  }
  return { blockBytes, records, lengths }
}

/** Where the bytes of each block that is sought are. Undefined, and rejects, likewise. */
async function offsetsOf(search: Search, sought: SoughtBlocks): Promise<Float64Array | undefined> {
  const { donor, pool, signal } = search
  const { blockBytes, lengths } = sought
  const amount = { totalBytes: Math.max(donor.sizeBytes, lengths.length * blockBytes), signal }
  const index = await pool.indexOf(sought, amount)
  const places = new Float64Array(index.order.length).fill(-1)
  const offsets = new Float64Array(lengths.length).fill(-1)
  const isLooked = await lookThrough(search, index, amount, ({ hits }, base) => {
    for (let at = 0; at < hits.length; at += 2) {
      const [place = 0, offset = 0] = [hits[at], hits[at + 1]]
      if (place >= 0) places[place] = base + offset
      else offsets[-1 - place] = base + offset
    }
  })
  if (!isLooked) return undefined
  for (const [block, place] of index.places.entries()) if (place >= 0) offsets[block] = places[place] ?? -1
  return offsets
}

/** False when that would take too long. */
async function lookThrough(
  { donor, pool }: Search,
  index: BlockIndex,
  amount: Amount,
  take: (found: Found, base: number) => void,
): Promise<boolean> {
  const { blockBytes } = index
  const memory = Buffer.from(new SharedArrayBuffer(8 * pieceBytes + 2 * blockBytes))
  let [base, kept, end] = [0, 0, 0]
  while (end < donor.sizeBytes) {
    const count = Math.min(memory.length - kept, donor.sizeBytes - end)
    const isRead = await donor.read(end, memory.subarray(kept, kept + count))
    // What cannot be read any more has nothing to be found.
    if (!isRead) memory.fill(0, kept, kept + count)
    end += count
    const bytes = memory.subarray(0, kept + count)
    const found = await pool.find(index, { bytes, from: 0, isLast: end === donor.sizeBytes }, amount)
    if (found.isCostly) return false
    take(found, base)
    base += found.next
    memory.copyWithin(0, found.next, bytes.length)
    kept = bytes.length - found.next
  }
  return true
}
