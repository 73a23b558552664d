// Gives out recipes of what is served here: the one that is kept beside the manifest, or one that is made from the pieces
// when somebody first asks for it.

import pLimit from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { contentBytes, lengthOfPiece } from '../../common/manifest.ts'
import type { BlockRange } from '../../common/recipe/ranges.ts'
import {
  blockBytesFor,
  blocksOfGroups,
  buildRecipe,
  parseRecipe,
  type PieceRecords,
} from '../../common/recipe/recipe.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { isSmall } from '../storage/small-manifest.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import { threads, type RecipePool } from '../workers/recipe-pool.ts'
import { recipesWaitingMax } from './limits.ts'
import type { PieceSource } from './piece-source.ts'

/** Pieces that a thread is given at once. */
const piecesAtOnce = 8

export class RecipeOffice {
  readonly #pool: RecipePool
  readonly #kept: ManifestStore
  /** By file id. One is made at a time: it reads the whole content. */
  readonly #making = new Map<string, Promise<Answer<void>>>()
  readonly #turns = pLimit(1)

  constructor(pool: RecipePool, kept: ManifestStore) {
    this.#pool = pool
    this.#kept = kept
  }

  /**
   * Resolves when there is a recipe to load, which may take as long as hashing the content. Refuses where pieces are
   * missing, and while too many are waited for.
   */
  async prepare(source: PieceSource): Promise<Answer<void>> {
    const { fileId } = source.manifest
    if (this.#kept.hasRecipe(fileId)) return accept(undefined)
    if (!source.have.isFull) return refuse('piece-missing', 'this client does not have all of it')
    const before = this.#making.get(fileId)
    if (before !== undefined) return before
    if (this.#making.size >= recipesWaitingMax) return refuse('busy', 'other recipes are being made')
    const making = this.#turns(() => this.#make(source)).finally(() => this.#making.delete(fileId))
    this.#making.set(fileId, making)
    return making
  }

  /** The outline of the recipe that was prepared, or the records of the blocks of these groups. */
  async load({ manifest }: PieceSource, groups?: readonly BlockRange[]): Promise<Answer<Buffer>> {
    try {
      const bytes = this.#kept.loadRecipe(manifest.fileId)
      const recipe = bytes && parseRecipe(bytes, manifest)
      if (recipe !== undefined) {
        const told = groups === undefined ? recipe.outline.bytes : blocksOfGroups(recipe, groups)
        return told === undefined ? refuse('invalid-request', 'there are fewer groups') : accept(told)
      }
      if (bytes !== undefined) await this.#kept.removeRecipe(manifest.fileId)
    } catch (error) {
      ignoreFailure(error)
    }
    return refuse('piece-missing', 'there is no recipe any more')
  }

  async #make(source: PieceSource): Promise<Answer<void>> {
    const { manifest } = source
    const blockBytes = blockBytesFor(manifest)
    const amount = { totalBytes: contentBytes(manifest) }
    const records: PieceRecords[] = []
    let refused: Answer<void> | undefined
    let next = 0
    const makeNext = async (): Promise<void> => {
      const memory = Buffer.from(new SharedArrayBuffer(piecesAtOnce * pieceBytes))
      while (next < manifest.pieceCount && refused === undefined) {
        const first = next
        const end = Math.min(first + piecesAtOnce, manifest.pieceCount)
        next = end
        const pieces: Buffer[] = []
        for (let index = first; index < end; index++) {
          const piece = memory.subarray(pieces.length * pieceBytes, (pieces.length + 1) * pieceBytes)
          const read = await source.read(index, piece)
          if (!read.ok) refused = read
          pieces.push(piece.subarray(0, lengthOfPiece(manifest, index)))
        }
        const made = await this.#pool.recordsOf(pieces, blockBytes, amount)
        for (const [at, piece] of made.entries()) records[first + at] = piece
      }
    }
    try {
      await Promise.all(Array.from({ length: threads }, makeNext))
      if (refused !== undefined) return refused
      const { bytes } = buildRecipe(manifest, blockBytes, records)
      // Recipes are kept beside manifests that have a file.
      if (isSmall(manifest)) await this.#kept.save(manifest)
      await this.#kept.saveRecipe(manifest.fileId, bytes)
      return accept(undefined)
    } catch (error) {
      ignoreFailure(error)
      return refuse('busy', 'the recipe cannot be made at the moment')
    }
  }
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof Failure)) throw error
}
