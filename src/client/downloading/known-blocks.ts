// Which blocks of the missing pieces are here already, in another file, and where. Puts pieces together from them and from
// the parts that were fetched. What comes of it counts only if it has the hashes of the piece.

import { rangeBytes } from '../../common/limits.ts'
import { lengthOfPiece, type Manifest } from '../../common/manifest.ts'
import { scatter, type BlockRange } from '../../common/recipe/ranges.ts'
import type { BlockLayout } from '../../common/recipe/block-layout.ts'
import type { DonorBytes } from './donor-bytes.ts'

/**
 * So many bad pieces, and the recipe lies, or the file here changes all the time. A few come of groups that were taken by
 * their sums.
 */
const badMax = 4

export interface Finds {
  readonly manifest: Manifest
  readonly layout: Pick<BlockLayout, 'blockBytes' | 'firstBlocks'>
  /** For each block, where its bytes are in the donor; -1 for one that was not found. */
  readonly offsets: Float64Array
}

/** What is here of pieces that are missing. */
export interface PartsHere {
  readonly known: KnownBlocks
  /** The pieces of which parts are here. */
  readonly partial: ReadonlySet<number>
}

export class KnownBlocks {
  readonly #finds: Finds
  readonly #donor: DonorBytes
  /** Pieces whose blocks are not there any more. */
  readonly #lost = new Set<number>()
  /** Pieces that were put together and were bad. */
  #badCount = 0

  constructor(finds: Finds, donor: DonorBytes) {
    this.#finds = finds
    this.#donor = donor
  }

  /** Of these pieces, those that are wholly here, and those of which a part is. */
  sort(pieces: Iterable<number>): { whole: number[]; partial: Set<number> } {
    const whole: number[] = []
    const partial = new Set<number>()
    for (const index of pieces) {
      const parts = this.#missingParts(index)
      if (parts === undefined) continue
      if (parts.length === 0) whole.push(index)
      else partial.add(index)
    }
    return { whole, partial }
  }

  /** The parts of this piece that are not here; undefined when it has to be fetched as a whole. */
  partsToFetch(index: number): BlockRange[] | undefined {
    if (this.#isDropped || this.#lost.has(index)) return undefined
    const parts = this.#missingParts(index)
    return parts?.length === 0 ? undefined : parts
  }

  /**
   * Makes the piece of the parts at the start of `buffer` and of the blocks that are here. False when they are not there any
   * more, or are not believed.
   */
  async assemble(index: number, parts: readonly BlockRange[], buffer: Buffer): Promise<boolean> {
    if (this.#isDropped) return false
    const isHere = await this.#fill(index, parts, buffer)
    if (!isHere) this.#lost.add(index)
    return isHere
  }

  /** Where all of this piece is in the donor, one byte behind the other; undefined when it has to be put together. */
  offsetOf(index: number): number | undefined {
    const { layout, offsets } = this.#finds
    const [from = 0, to = 0] = [layout.firstBlocks[index], layout.firstBlocks[index + 1]]
    const offset = offsets[from] ?? -1
    const isOneRun = offset >= 0 && this.#endOfRun(from, to) === to
    return isOneRun && !this.#isDropped && !this.#lost.has(index) ? offset : undefined
  }

  /** A piece that was put together was bad: it is fetched as a whole, and after some of these all others, too. */
  onBad(index: number): void {
    this.#lost.add(index)
    this.#badCount++
  }

  get #isDropped(): boolean {
    return this.#badCount >= badMax
  }

  /** Undefined when no part of it is here. */
  #missingParts(index: number): BlockRange[] | undefined {
    const { manifest, layout, offsets } = this.#finds
    const perBlock = layout.blockBytes / rangeBytes
    const end = Math.ceil(lengthOfPiece(manifest, index) / rangeBytes)
    const ranges: BlockRange[] = []
    const [from = 0, to = 0] = [layout.firstBlocks[index], layout.firstBlocks[index + 1]]
    let found = 0
    for (let block = from; block < to; block++) {
      if ((offsets[block] ?? -1) >= 0) {
        found++
        continue
      }
      const first = (block - from) * perBlock
      const count = Math.min(perBlock, end - first)
      const before = ranges.at(-1)
      if (before !== undefined && before[0] + before[1] === first) before[1] += count
      else ranges.push([first, count])
    }
    return found === 0 ? undefined : ranges
  }

  /** The first block, up to `to`, that does not lie behind the one before it in the donor, too. */
  #endOfRun(from: number, to: number): number {
    const { layout, offsets } = this.#finds
    const offset = offsets[from] ?? -1
    let next = from + 1
    while (next < to && offsets[next] === offset + (next - from) * layout.blockBytes) next++
    return next
  }

  async #fill(index: number, parts: readonly BlockRange[], buffer: Buffer): Promise<boolean> {
    const { manifest, layout, offsets } = this.#finds
    const { blockBytes, firstBlocks } = layout
    const length = lengthOfPiece(manifest, index)
    scatter(buffer, parts, length)
    const [from = 0, to = 0] = [firstBlocks[index], firstBlocks[index + 1]]
    for (let block = from, next = from; block < to; block = next) {
      const offset = offsets[block] ?? -1
      next = offset < 0 ? block + 1 : this.#endOfRun(block, to)
      if (offset < 0) continue
      // Blocks that lie one behind the other there, too, are read at once.
      const [start, end] = [(block - from) * blockBytes, Math.min(length, (next - from) * blockBytes)]
      if (!(await this.#donor.read(offset, buffer.subarray(start, end)))) return false
    }
    return true
  }
}
