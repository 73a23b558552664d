// Decides how many received pieces a worker takes at once. Where two or sixteen are hashed at once in less time than one by
// one, the first one waits a few milliseconds for others, as long as they come in quick succession.

import type { StoreSlots } from './store-slots.ts'

/** How long to wait at a time, in milliseconds, and how often at most. At full speed, a piece comes every millisecond. */
const napMs = 3
const napsMax = 8
/** After so many naps in a row in which none came, they come too slowly to wait: on busy cores one may be bad luck. */
const emptyNapsMax = 2
/** Then so many calls take what is there, without a nap. */
const restCalls = 8

export class Gathering {
  readonly #slots: Pick<StoreSlots, 'receivedCount' | 'nap'>
  readonly #worth: number
  readonly #most: number
  #rest = 0

  /** `worth`: from so many pieces on it is faster to hash them at once, `most` of them; Infinity for never. */
  constructor(slots: Pick<StoreSlots, 'receivedCount' | 'nap'>, worth: number, most: number) {
    this.#slots = slots
    this.#worth = worth
    this.#most = most
  }

  /** How many to take, if they are there: one, or all that can be hashed at once. May wait first. */
  pieces(): number {
    if (this.#worth === Infinity) return 1
    let count = this.#slots.receivedCount
    if (count === 0) return 1
    if (this.#rest > 0) this.#rest--
    else count = this.#gather(count)
    return count >= this.#worth ? this.#most : 1
  }

  #gather(there: number): number {
    let count = there
    let empty = 0
    for (let nap = 0; nap < napsMax && count < this.#most; nap++) {
      const before = count
      this.#slots.nap(napMs)
      count = this.#slots.receivedCount
      empty = count > before ? 0 : empty + 1
      if (empty < emptyNapsMax) continue
      this.#rest = restCalls
      break
    }
    return count
  }
}
