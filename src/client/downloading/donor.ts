// What is here already of a new content, in another file or folder: an earlier version, or one that the person names. Each
// piece that the new content has, too, is copied instead of fetched; then its recipe tells which parts of others are
// there, at any offset. The hashes of a piece decide when it is stored.

import { hashesOfPiece, lengthOfPiece, offsetOfPiece } from '../../common/manifest.ts'
import type { BlockRange } from '../../common/recipe/ranges.ts'
import { blockBytesFor, outlineLength } from '../../common/recipe/recipe.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { LocalContent, ServedContent } from '../sharing/local-content.ts'
import type { RecipePool } from '../workers/recipe-pool.ts'
import { findOffsets } from './block-search.ts'
import { DonorBytes } from './donor-bytes.ts'
import type { Region } from './donor-regions.ts'
import { KnownBlocks, type PartsHere } from './known-blocks.ts'
import type { PieceStore } from './piece-store.ts'
import type { RecipeFetch } from './recipe-fetch.ts'

/** The outline of a recipe is worth its bytes where so many times as many are missing. */
const worthFrom = 4
/** Pieces that are copied or put together at once. */
const piecesAtOnce = 4
/** The loop stores so many (128 MiB) in the time in which two workers start and store them. */
const fewPieces = 256

export interface FindParts {
  readonly recipe: Pick<RecipeFetch, 'outline' | 'blocks'>
  readonly pool: RecipePool
  readonly signal: AbortSignal
}

export class Donor {
  readonly #content: LocalContent
  readonly #source: ServedContent
  #bytes: DonorBytes | undefined
  /** What was copied. */
  readonly #same: Region[] = []

  private constructor(content: LocalContent) {
    this.#content = content
    const nothing = (): void => undefined
    this.#source = content.serve({ onChanged: nothing, onGone: nothing, onAway: nothing })
  }

  /** The file or folder at this path. Refuses what cannot be read. */
  static async open(
    path: string,
    contentAt: (path: string) => Promise<Answer<LocalContent>>,
    signal: AbortSignal,
  ): Promise<Answer<Donor>> {
    const content = await contentAt(path)
    signal.throwIfAborted()
    return content.ok ? accept(new Donor(content.value)) : content
  }

  /**
   * Copies the pieces that the store lacks; resolves to how many that were. Rejects with the signal's reason, or with a
   * `file` failure when the store cannot be written to.
   */
  async takeSame(store: PieceStore, signal: AbortSignal): Promise<number> {
    const { manifest } = this.#content
    const places = new Map<string, number>()
    for (let place = 0; place < manifest.pieceCount; place++)
      places.set(hashesOfPiece(manifest, place).toString('latin1'), place)
    const missing = missingOf(store)
    const pieces = missing.values()
    const isFew = missing.length <= fewPieces
    let taken = 0
    await inLanes(async () => {
      for (const index of pieces) {
        const place = places.get(hashesOfPiece(store.manifest, index).toString('latin1'))
        if (place === undefined) continue
        signal.throwIfAborted()
        if (!(await this.#takePiece(place, store, index, isFew))) continue
        taken++
        const from = offsetOfPiece(manifest, place)
        this.#same.push([from, from + lengthOfPiece(manifest, place)])
      }
    })
    return taken
  }

  async #takePiece(place: number, store: PieceStore, index: number, isOneOfFew: boolean): Promise<boolean> {
    const piece = store.takeBuffer(isOneOfFew)
    try {
      // It may have been written to since it was hashed: what cannot be read as it was is fetched.
      const read = await this.#source.read(place, piece.bytes)
      return read.ok && (await store.receive(index, piece))
    } finally {
      piece.release()
    }
  }

  /**
   * Puts together the missing pieces that are here as a whole, and resolves to what is here of the others; undefined when
   * there is nothing. Rejects as `takeSame` does.
   */
  async findParts(
    store: PieceStore,
    { recipe, pool, signal }: FindParts,
  ): Promise<(PartsHere & { readonly whole: number }) | undefined> {
    const { manifest } = store
    const pieces = missingOf(store)
    const missingBytes = pieces.reduce((sum, index) => sum + lengthOfPiece(manifest, index), 0)
    if (missingBytes < worthFrom * outlineLength(manifest, blockBytesFor(manifest))) return undefined
    const outline = await recipe.outline()
    if (outline === undefined) return undefined
    this.#bytes = new DonorBytes(this.#source)
    const blocks = (groups: readonly BlockRange[]): Promise<Buffer | undefined> =>
      recipe.blocks(outline, groups)
    const search = { manifest, outline, blocks, pieces, donor: this.#bytes, same: this.#same, pool, signal }
    const offsets = await findOffsets(search)
    if (offsets === undefined) return undefined
    const known = new KnownBlocks({ manifest, layout: outline.layout, offsets }, this.#bytes)
    const { whole, partial } = known.sort(pieces)
    const assembled = await assembleWhole(known, whole, store, signal)
    return whole.length + partial.size === 0 ? undefined : { known, partial, whole: assembled }
  }

  close(): void {
    this.#bytes?.close()
    this.#source.close()
  }
}

/** How many were good. */
async function assembleWhole(
  known: KnownBlocks,
  whole: readonly number[],
  store: PieceStore,
  signal: AbortSignal,
): Promise<number> {
  const pieces = whole.values()
  let count = 0
  await inLanes(async () => {
    for (const index of pieces) {
      signal.throwIfAborted()
      const piece = store.takeBuffer(whole.length <= fewPieces)
      try {
        if (!(await known.assemble(index, [], piece.bytes))) continue
        if (await store.receive(index, piece)) count++
        else known.onBad(index)
      } finally {
        piece.release()
      }
    }
  })
  return count
}

/** Waits for all of them: the store is closed when one has failed. */
async function inLanes(work: () => Promise<void>): Promise<void> {
  const lanes = await Promise.allSettled(Array.from({ length: piecesAtOnce }, work))
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
}

function missingOf({ manifest, have, wanted }: PieceStore): number[] {
  return Array.from({ length: manifest.pieceCount }, (_, index) => index).filter(
    (index) => !have.has(index) && wanted?.has(index) !== false,
  )
}
