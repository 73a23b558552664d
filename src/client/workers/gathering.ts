// Decides how many received pieces a worker takes at once. Where many are hashed at once in the time of a few, the first
// one waits a few milliseconds for others, as long as they come in quick succession.

import type { StoreSlots } from './store-slots.ts'

/** How long to wait at a time, in milliseconds, and how often at most. At full speed, a piece comes every millisecond. */
const napMs = 3
const napsMax = 8
/** So many pieces have to come in a nap for another one to be worth it: else they do not come fast enough. */
const perNapMin = 1
/** When they did not, so many calls take what is there, without a nap. */
const restCalls = 16

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
    else
      for (let nap = 0; nap < napsMax && count < this.#most; nap++) {
        const before = count
        this.#slots.nap(napMs)
        count = this.#slots.receivedCount
        if (count - before >= perNapMin) continue
        this.#rest = restCalls
        break
      }
    return count >= this.#worth ? this.#most : 1
  }
}
