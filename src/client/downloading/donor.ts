// What is here already of a new content, in another file or folder: an earlier version, or one that the person names. The
// hashes tell which pieces the new content has, too; its recipe which parts of others are there, at any offset.

import { hashesOfPiece, lengthOfPiece, offsetOfPiece } from '../../common/manifest.ts'
import type { BlockRange } from '../../common/recipe/ranges.ts'
import { blockBytesFor, outlineLength } from '../../common/recipe/recipe.ts'
import type { Answer } from '../../common/refusal.ts'
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

/** Pieces that are compared between two looks at the clock. */
const piecesAtOnce = 1024

export interface FindParts {
  readonly recipe: Pick<RecipeFetch, 'outline' | 'blocks'>
  readonly pool: RecipePool
  readonly signal: AbortSignal
}

/** What is here of the pieces that were asked for. */
export interface FoundParts extends PartsHere {
  /** Those that are wholly here. */
  readonly whole: readonly number[]
  /** Looks at all of it, which may find more of them; undefined where that does not pay. Rejects as `findParts` does. */
  readonly lookEverywhere: (() => Promise<void>) | undefined
}

export class Donor {
  readonly #content: LocalContent
  #source: ServedContent
  #isAway = false
  #isClosed = false
  #bytes: DonorBytes | undefined
  /** What the new content has as it is. */
  readonly #same: Region[] = []

  constructor(content: LocalContent) {
    this.#content = content
    this.#source = this.#serve()
  }

  /** Whether nothing was at its path when it was read last. */
  get isAway(): boolean {
    return this.#isAway
  }

  get isFolder(): boolean {
    return this.#content.tree !== undefined
  }

  /**
   * Of the pieces that the store lacks those that it has, too, each with its place here. They count as taken. Stops now and
   * then.
   */
  *sameAs(store: PieceStore): Generator<void, Map<number, number>> {
    const { manifest } = this.#content
    const places = new PlacesByHash()
    for (let place = 0; place < manifest.pieceCount; place++) {
      if (place % piecesAtOnce === 0) yield
      if (this.#source.have.has(place)) places.add(place, hashesOfPiece(manifest, place))
    }
    const missing = new Set(missingOf(store))
    const same = new Map<number, number>()
    for (let index = 0; index < store.manifest.pieceCount; index++) {
      if (index % piecesAtOnce === 0) yield
      const place = places.next(hashesOfPiece(store.manifest, index))
      if (place === undefined || !missing.has(index)) continue
      same.set(index, place)
      const from = offsetOfPiece(manifest, place)
      this.#same.push([from, from + lengthOfPiece(manifest, place)])
    }
    return same
  }

  /** Where the piece at this place begins, in bytes. */
  offsetOf(place: number): number {
    return offsetOfPiece(this.#content.manifest, place)
  }

  /**
   * Runs `use` with the descriptor of the file, of which what is read has to be verified. Undefined for a folder, and when it
   * cannot be opened.
   */
  async lend<T>(use: (file: number) => Promise<T>): Promise<T | undefined> {
    return this.#source.file?.lend(use)
  }

  /** Fills the buffer with the piece at this place. Refuses when it may have been written to since it was hashed. */
  read(place: number, buffer: Buffer): Promise<Answer<void>> {
    // What is replaced is away for a moment; it comes back when it is not replaced after all.
    if (this.#isAway && !this.#isClosed) {
      this.#source.close()
      this.#source = this.#serve()
    }
    return this.#source.read(place, buffer)
  }

  /**
   * Finds what is here of these pieces; undefined when there is nothing. Rejects with the signal's reason, or with a `file`
   * failure when a thread ended.
   */
  async findParts(
    { manifest }: PieceStore,
    pieces: readonly number[],
    { recipe, pool, signal }: FindParts,
  ): Promise<FoundParts | undefined> {
    const missingBytes = pieces.reduce((sum, index) => sum + lengthOfPiece(manifest, index), 0)
    if (missingBytes < worthFrom * outlineLength(manifest, blockBytesFor(manifest))) return undefined
    const outline = await recipe.outline()
    if (outline === undefined) return undefined
    this.#bytes ??= new DonorBytes(this.#source)
    const blocks = (groups: readonly BlockRange[]): Promise<Buffer | undefined> =>
      recipe.blocks(outline, groups)
    const search = { manifest, outline, blocks, pieces, donor: this.#bytes, same: this.#same, pool, signal }
    const found = await findOffsets(search)
    if (found === undefined) return undefined
    const { offsets, lookEverywhere } = found
    const known = new KnownBlocks({ manifest, layout: outline.layout, offsets }, this.#bytes)
    return { known, ...known.sort(pieces), lookEverywhere }
  }

  #serve(): ServedContent {
    const nothing = (): void => undefined
    this.#isAway = false
    return this.#content.serve({ onChanged: nothing, onGone: nothing, onAway: () => (this.#isAway = true) })
  }

  close(): void {
    this.#isClosed = true
    this.#bytes?.close()
    this.#source.close()
  }
}

/** The pieces that are there, by their hashes. */
class PlacesByHash {
  /** Several where the same bytes are in several files. */
  readonly #places = new Map<string, { readonly places: number[]; next: number }>()

  add(place: number, hashes: Buffer): void {
    const key = hashes.toString('latin1')
    const known = this.#places.get(key)
    if (known === undefined) this.#places.set(key, { places: [place], next: 0 })
    else known.places.push(place)
  }

  /** One that has these; of several each in turn, so that what is in both in the same order is found where it was. */
  next(hashes: Buffer): number | undefined {
    const known = this.#places.get(hashes.toString('latin1'))
    return known?.places[Math.min(known.next++, known.places.length - 1)]
  }
}

/** The pieces that are to be fetched, or taken from somewhere. */
export function missingOf({ manifest, have, wanted }: PieceStore): number[] {
  return Array.from({ length: manifest.pieceCount }, (_, index) => index).filter(
    (index) => !have.has(index) && wanted?.has(index) !== false,
  )
}
