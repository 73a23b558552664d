// Looks through a file or folder that is here for blocks of a new content, at every offset: for groups of them first, and
// then, where those were not found, for their blocks.

import type { Manifest } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { BlockIndex, SoughtBlocks } from '../../common/recipe/block-index.ts'
import { groupStarts, lengthsOf } from '../../common/recipe/block-layout.ts'
import { rangesOf, type BlockRange } from '../../common/recipe/ranges.ts'
import { blockRecordBytes, type Outline } from '../../common/recipe/recipe.ts'
import { threads, type Amount, type RecipePool } from '../workers/recipe-pool.ts'
import type { DonorBytes } from './donor-bytes.ts'
import { bytesOf, uncovered, widened, windowsOf, type Region } from './donor-regions.ts'

/** The size of what a thread looks through at once, in bytes without what overlaps. */
const windowBytes = 8 * pieceBytes
/** Where so many times the bytes that are still missing are more than all that is here, it pays to look everywhere. */
const muchMissing = 64

export interface Search {
  readonly manifest: Manifest
  readonly outline: Outline
  /** The records of the blocks of these groups, one behind the other; undefined when nobody gives them. */
  readonly blocks: (groups: readonly BlockRange[]) => Promise<Buffer | undefined>
  /** The pieces whose blocks are looked for. */
  readonly pieces: readonly number[]
  readonly donor: DonorBytes
  /** What the new version has as it is: other parts are looked at first. */
  readonly same: readonly Region[]
  readonly pool: RecipePool
  readonly signal: AbortSignal
}

/** Blocks, or groups, that are looked for, and where the bytes of each are in the donor; -1 for those not found yet. */
interface Hunt {
  readonly search: Search
  readonly index: BlockIndex
  readonly amount: Amount
  readonly inRuns: boolean
  readonly offsets: Float64Array
}

export interface FoundOffsets {
  /** Where the bytes of each block are in the donor; -1 for those that were not found. */
  readonly offsets: Float64Array
  /**
   * Looks in all of the donor for those that were not found, and adds them to `offsets`: what the new version has twice may
   * be there once. Undefined where it does not pay.
   */
  readonly lookEverywhere: (() => Promise<void>) | undefined
}

/**
 * Looks where something is likely to be found. Undefined when the recipe is made to take long. Rejects as the pool does,
 * and so does `lookEverywhere`.
 */
export async function findOffsets(search: Search): Promise<FoundOffsets | undefined> {
  const { manifest, outline, pieces, donor, same } = search
  const { layout, groups: records } = outline
  const { blockBytes, groupBytes } = layout
  const lengths = lengthsOf(manifest, pieces, { bytes: groupBytes, firsts: layout.firstGroups })
  const sought = { blockBytes: groupBytes, partBytes: blockBytes, records, lengths }
  const groups = await huntFor(search, sought, true)
  if (!(await lookThrough(groups, uncovered(same, donor.sizeBytes)))) return undefined
  const { offsets, missing } = blocksOfFound(search, groups)
  const ranges = rangesOf(missing)
  const told = ranges.length === 0 ? undefined : await search.blocks(ranges)
  if (told === undefined) return { offsets, lookEverywhere: undefined }
  const blocks = await huntFor(search, soughtIn(search, ranges, told), false)
  const covered = [...same, ...regionsFound(groups)]
  if (!(await lookThrough(blocks, uncovered(covered, donor.sizeBytes)))) return undefined
  addFound(offsets, blocks)
  const lookEverywhere = async (): Promise<void> => {
    const rest = covered.toSorted(([one], [other]) => one - other)
    if (await lookThrough(blocks, rest)) addFound(offsets, blocks)
  }
  const isMuch = muchMissing * missingBytes(blocks) > donor.sizeBytes
  return { offsets, lookEverywhere: isMuch ? lookEverywhere : undefined }
}

function addFound(offsets: Float64Array, { offsets: found }: Hunt): void {
  for (const [block, offset] of found.entries()) if (offset >= 0) offsets[block] = offset
}

/** Where the blocks of the groups that were found are, and the numbers of those that were not. */
function blocksOfFound(
  { outline }: Search,
  { offsets: found, index }: Hunt,
): { offsets: Float64Array; missing: number[] } {
  const { blockBytes, blockCount } = outline.layout
  const starts = groupStarts(outline.layout)
  const offsets = new Float64Array(blockCount).fill(-1)
  const missing: number[] = []
  for (const [group, offset] of found.entries()) {
    if (index.lengths[group] === 0) continue
    if (offset < 0) missing.push(group)
    else {
      const [from = 0, to = 0] = [starts[group], starts[group + 1]]
      for (let block = from; block < to; block++) offsets[block] = offset + (block - from) * blockBytes
    }
  }
  return { offsets, missing }
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

async function huntFor(search: Search, sought: SoughtBlocks, inRuns: boolean): Promise<Hunt> {
  const { donor, pool, signal } = search
  const { blockBytes, lengths } = sought
  const amount = { totalBytes: Math.max(donor.sizeBytes, lengths.length * blockBytes), signal }
  const index = await pool.indexOf(sought, amount)
  return { search, index, amount, inRuns, offsets: new Float64Array(lengths.length).fill(-1) }
}

/** Looks for blocks that are partly in these regions of the donor. False when that would take too long. */
async function lookThrough(hunt: Hunt, regions: readonly Region[]): Promise<boolean> {
  const { search, index } = hunt
  const { blockBytes } = index
  // A shorter block may come behind a whole one.
  const overlapBytes = 2 * blockBytes
  const wide = widened(regions, overlapBytes, search.donor.sizeBytes)
  const amount = { ...hunt.amount, totalBytes: bytesOf(wide) }
  const windows = windowsOf(wide, windowBytes + overlapBytes, overlapBytes)
  const waiting = windows.values()
  const places = new Float64Array(index.order.length).fill(-1)
  let isCostly = false
  const lookAtNext = async (): Promise<void> => {
    const memory = Buffer.from(new SharedArrayBuffer(windowBytes + overlapBytes))
    for (const window of waiting) {
      if (isCostly) return
      if (!(await lookAt({ ...hunt, amount }, window, memory, places))) isCostly = true
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, windows.length) }, lookAtNext))
  for (const [block, place] of index.places.entries())
    if (place >= 0 && (places[place] ?? -1) >= 0) hunt.offsets[block] = places[place] ?? -1
  return !isCostly
}

/** Looks at these regions, which are read into `memory`, likewise. `places`: where each place of the index was found. */
async function lookAt(
  { search, index, amount, inRuns, offsets }: Hunt,
  window: readonly Region[],
  memory: Buffer,
  places: Float64Array,
): Promise<boolean> {
  const { donor, pool } = search
  const bytes = memory.subarray(0, bytesOf(window))
  let filled = 0
  for (const [from, to] of window) {
    const into = bytes.subarray(filled, (filled += to - from))
    // What cannot be read any more has nothing to be found.
    if (!(await donor.read(from, into))) into.fill(0)
  }
  const { hits, isCostly } = await pool.find(index, { bytes, inRuns }, amount)
  let [region, start] = [0, 0]
  for (let at = 0; at < hits.length; at += 2) {
    const [place = 0, offset = 0] = [hits[at], hits[at + 1]]
    const sizeOf = (number: number): number => (window[number]?.[1] ?? 0) - (window[number]?.[0] ?? 0)
    // They come in the order of their offsets, but for shorter ones, which lie behind a whole one.
    while (region + 1 < window.length && offset >= start + sizeOf(region)) start += sizeOf(region++)
    const length = place >= 0 ? index.blockBytes : (index.lengths[-1 - place] ?? 0)
    // Of two regions, by chance.
    if (offset + length > start + sizeOf(region) || offset < start) continue
    const inDonor = (window[region]?.[0] ?? 0) + offset - start
    if (place >= 0) places[place] = inDonor
    else offsets[-1 - place] = inDonor
  }
  return !isCostly
}

function regionsFound({ offsets, index }: Hunt): Region[] {
  const regions: Region[] = []
  for (const [block, offset] of offsets.entries())
    if (offset >= 0) regions.push([offset, offset + (index.lengths[block] ?? 0)])
  return regions
}

function missingBytes({ offsets, index }: Hunt): number {
  return index.lengths.reduce((sum, length, block) => ((offsets[block] ?? -1) < 0 ? sum + length : sum), 0)
}
