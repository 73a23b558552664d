// Looks through a file or folder that is here for blocks of a new content, at every offset.

import { lengthOfPiece, type Manifest } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { BlockIndex, SoughtBlocks } from '../../common/recipe/block-index.ts'
import type { Recipe } from '../../common/recipe/recipe.ts'
import type { Found } from '../../common/recipe/scan.ts'
import type { Amount, RecipePool } from '../workers/recipe-pool.ts'
import type { DonorBytes } from './donor-bytes.ts'

export interface Search {
  readonly manifest: Manifest
  readonly recipe: Recipe
  /** The pieces whose blocks are looked for. */
  readonly pieces: readonly number[]
  readonly donor: DonorBytes
  readonly pool: RecipePool
  readonly signal: AbortSignal
}

/**
 * Where the bytes of each block of the recipe are in the donor; -1 for those that were not found. Undefined when the recipe
 * is made to take long. Rejects as the pool does.
 */
export async function findOffsets(search: Search): Promise<Float64Array | undefined> {
  const { donor, pool, recipe, signal } = search
  const totalBytes = Math.max(donor.sizeBytes, recipe.blockCount * recipe.blockBytes)
  const amount = { totalBytes, signal }
  const index = await pool.indexOf(soughtIn(search), amount)
  const places = new Float64Array(index.order.length).fill(-1)
  const offsets = new Float64Array(recipe.blockCount).fill(-1)
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
  { donor, recipe: { blockBytes }, pool }: Search,
  index: BlockIndex,
  amount: Amount,
  take: (found: Found, base: number) => void,
): Promise<boolean> {
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

function soughtIn({ manifest, recipe, pieces }: Search): SoughtBlocks {
  const { blockBytes, firstBlocks, records } = recipe
  const lengths = new Uint32Array(recipe.blockCount)
  for (const index of pieces) {
    const from = firstBlocks[index] ?? 0
    const length = lengthOfPiece(manifest, index)
    for (let at = 0; at < length; at += blockBytes)
      lengths[from + at / blockBytes] = Math.min(blockBytes, length - at)
  }
  return { blockBytes, records, lengths }
}
