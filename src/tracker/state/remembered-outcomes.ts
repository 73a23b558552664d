// Outcomes of recent commands by `retryKey`, oldest first, at most `rememberedOutcomesMax`: what a retry is
// answered with. A Map, and the one way to keep it short that costs nothing.

import { rememberedOutcomesMax } from '../../common/limits.ts'
import type { Answer } from '../../common/refusal.ts'

export class RememberedOutcomes implements Iterable<[string, Answer<object>]> {
  readonly #byKey = new Map<string, Answer<object>>()
  /**
   * Kept, and never made anew: a Map keeps holes where entries were deleted, and an iterator that begins
   * at the front walks over tens of thousands of them. This one stands where the oldest entry is.
   */
  readonly #oldest = this.#byKey.keys()

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Answer<object> | undefined {
    return this.#byKey.get(key)
  }

  /** Remembers the outcome of a command that was not seen before, and forgets the oldest if there are too many. */
  add(key: string, outcome: Answer<object>): void {
    this.#byKey.set(key, outcome)
    if (this.#byKey.size <= rememberedOutcomesMax) return
    const oldest = this.#oldest.next()
    if (oldest.done !== true) this.#byKey.delete(oldest.value)
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<[string, Answer<object>]> {
    return this.#byKey.entries()
  }
}
