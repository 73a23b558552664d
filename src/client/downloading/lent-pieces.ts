// Pieces of a new version of a folder that lie in the version that it replaces. They are read from there, and copied into
// the part file only when they are needed there: files that are the same in both versions get another name at the end.

import { setImmediate } from 'node:timers/promises'
import { hashesOfPiece } from '../../common/manifest.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import type { LentTo } from '../workers/lent-files.ts'
import type { Donor } from './donor.ts'
import type { Lender, PieceStore } from './piece-store.ts'
import { storeFromHere } from './store-from-here.ts'

/** So many are lent in one turn of the event loop: each is told to whoever is connected. */
const lentAtOnce = 1024

interface LentParts {
  readonly donor: Donor
  readonly store: PieceStore
  /** For each of them, in order, which piece of the donor it is. */
  readonly places: ReadonlyMap<number, number>
  readonly signal: AbortSignal
  /** Some that were there are not there any more. */
  readonly onLost: () => void
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

  /** In bytes, all together. */
  get sizeBytes(): number {
    return this.#parts.store.bytesOf(this.#lent)
  }

  /** Reads it where it is, and verifies it if it may have changed there. */
  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    const { donor, places } = this.#parts
    const read = await donor.read(places.get(index) ?? -1, buffer)
    if (read.ok) return read
    // While the folder steps aside, until it or the new one has the name.
    if (donor.isAway) return refuse('busy', 'the folder is being replaced')
    if (read.refusal.code === 'busy' || read.refusal.code === 'not-shared') return read
    this.#lose([index])
    return refuse('piece-missing', read.refusal.sentence)
  }

  onStored(index: number): void {
    this.#lent.delete(index)
    this.#lost.delete(index)
  }

  /** For the thread that fills the folder; undefined for none. */
  get to(): LentTo | undefined {
    if (this.#lent.size === 0) return undefined
    const { manifest } = this.#parts.store
    const pieces = Int32Array.from(this.#lent)
    return { pieces, hashes: Buffer.concat(Array.from(pieces, (index) => hashesOfPiece(manifest, index))) }
  }

  /**
   * Copies these into the part file, as far as they are lent; all when none are named. Resolves to whether all were what they
   * were. Rejects as `storeFromHere`.
   */
  async copy(pieces: Iterable<number> = this.#lent): Promise<boolean> {
    const { store, signal, donor } = this.#parts
    const wanted = [...pieces].filter((index) => this.#lent.has(index))
    const bad: number[] = []
    await storeFromHere(wanted.values(), wanted.length, {
      store,
      source: { fill: async (index, into) => (await this.read(index, into)).ok },
      signal,
      onOutcome: (index, isGood) => {
        if (!isGood) bad.push(index)
      },
    })
    // With the folder all that is in it is gone.
    if (bad.length > 0) this.#lose(donor.isAway ? [...this.#lent] : bad)
    return bad.length === 0
  }

  /** Those that are lost have to be fetched from now on. Returns whether there are such. */
  giveUpLost(): boolean {
    const isAny = this.#lost.size > 0
    for (const index of this.#lost) this.#lent.delete(index)
    this.#lost.clear()
    return isAny
  }

  #lose(pieces: readonly number[]): void {
    const { store, onLost } = this.#parts
    for (const index of pieces) {
      // It may have been copied meanwhile.
      if (!this.#lent.has(index)) continue
      this.#lost.add(index)
      store.lose(index)
    }
    onLost()
  }
}
