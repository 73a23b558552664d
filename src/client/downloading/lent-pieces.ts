// Pieces of a new version of a folder that lie in the version that it replaces. They are read from there, and copied into
// the part file only when they are needed there: files that are the same in both versions get another name at the end.

import { setImmediate } from 'node:timers/promises'
import type { LentFrom } from '../workers/unchanged-files.ts'
import type { Donor } from './donor.ts'
import type { Lender, PieceStore } from './piece-store.ts'
import { storeFromHere } from './store-from-here.ts'

/** So many are lent in one turn of the event loop: each is told to whoever is connected. */
const lentAtOnce = 1024

interface LentParts {
  readonly donor: Donor
  readonly store: PieceStore
  /** For each of them, which piece of the donor it is. */
  readonly places: ReadonlyMap<number, number>
  readonly signal: AbortSignal
}

export class LentPieces implements Lender {
  readonly #parts: LentParts
  readonly #lent = new Set<number>()
  /** Those of them that are not what they were. */
  readonly #lost = new Set<number>()

  constructor(parts: LentParts) {
    this.#parts = parts
    parts.store.setLender(this)
  }

  /** From now on they are there. Rejects with the signal's reason. */
  async begin(): Promise<void> {
    const { store, places, signal } = this.#parts
    for (const index of places.keys()) {
      this.#lent.add(index)
      store.onLent(index)
      if (this.#lent.size % lentAtOnce > 0) continue
      await setImmediate()
      signal.throwIfAborted()
    }
  }

  has(index: number): boolean {
    return this.#lent.has(index)
  }

  /** Reads it where it is, and verifies it if it may have changed there. */
  read(index: number, buffer: Buffer): Promise<boolean> {
    const { donor, places } = this.#parts
    return donor.read(places.get(index) ?? -1, buffer)
  }

  onStored(index: number): void {
    this.#lent.delete(index)
  }

  /** What a thread needs to know of them; undefined for none. */
  get from(): LentFrom | undefined {
    const { donor, places, store } = this.#parts
    if (this.#lent.size === 0 || donor.folder === undefined) return undefined
    const { pieces, stamps } = donor.folder
    const found = new Int32Array(store.manifest.pieceCount).fill(-1)
    for (const index of this.#lent) found[index] = places.get(index) ?? -1
    return { tree: pieces.tree.bytes, spellings: pieces.tree.spellings, stamps, places: found }
  }

  /**
   * Copies these into the part file, as far as they are lent; all when none are named. Resolves to whether all were what they
   * were. Rejects as `storeFromHere`.
   */
  async copy(pieces: Iterable<number> = this.#lent): Promise<boolean> {
    const { store, signal } = this.#parts
    const wanted = [...pieces].filter((index) => this.#lent.has(index))
    const good = await storeFromHere(wanted.values(), wanted.length, {
      store,
      source: { fill: (index, into) => this.read(index, into) },
      signal,
      onOutcome: (index, isGood) => {
        if (!isGood) this.#lost.add(index)
      },
    })
    return good === wanted.length
  }

  /** Those that could not be copied are missing from now on. Resolves to whether there are such. */
  giveUpLost(): boolean {
    const isAny = this.#lost.size > 0
    for (const index of this.#lost) {
      this.#lent.delete(index)
      this.#parts.store.lose(index)
    }
    this.#lost.clear()
    return isAny
  }
}
