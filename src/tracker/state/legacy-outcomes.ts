// Level 1 only: outcomes of everybody's last commands by `legacyKey`, oldest first, at most `legacyOutcomesMax`. A
// Map with a way to drop the oldest that costs nothing.

import type { Outcome } from './outcomes.ts'

/** Outcomes that trackers of level 1 remember. Part of its rules: never to be changed. */
export const legacyOutcomesMax = 65_536

export class LegacyOutcomes implements Iterable<[string, Outcome]> {
  readonly #byKey = new Map<string, Outcome>()
  /**
   * Kept between calls: a Map has holes where entries were deleted, and a new iterator would walk over tens of
   * thousands of them. This one stands at the oldest entry.
   */
  #oldest = this.#byKey.keys()

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Outcome | undefined {
    return this.#byKey.get(key)
  }

  /** Remembers the outcome of a command that was not seen before, and forgets the oldest if there are too many. */
  add(key: string, outcome: Outcome): void {
    this.#byKey.set(key, outcome)
    if (this.#byKey.size <= legacyOutcomesMax) return
    const oldest = this.#oldest.next()
    if (oldest.done !== true) this.#byKey.delete(oldest.value)
  }

  clear(): void {
    this.#byKey.clear()
    this.#oldest = this.#byKey.keys()
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<[string, Outcome]> {
    return this.#byKey.entries()
  }
}
