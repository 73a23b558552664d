// Lets so many things be done at a time. Of those that wait, the first of the highest priority comes next.

import { priorities, type Priority } from '../operations.ts'

/** Every so manyth one that comes next is the first of the lowest priority, so that nothing waits for ever. */
const lowestEvery = 10

export class RankedLimit {
  #free: number
  #nextCount = 0
  /** Each in the order in which it came. */
  readonly #waiting: Readonly<Record<Priority, Set<() => void>>> = {
    high: new Set(),
    normal: new Set(),
    low: new Set(),
  }

  constructor(max: number) {
    this.#free = max
  }

  /** Settles as `work` does. */
  async run<T>(priority: Priority, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((go) => this.#waiting[priority].add(go))
    try {
      return await work()
    } finally {
      this.#passOn()
    }
  }

  #passOn(): void {
    const isForLowest = ++this.#nextCount % lowestEvery === 0
    for (const priority of isForLowest ? priorities.toReversed() : priorities) {
      const [next] = this.#waiting[priority]
      if (next === undefined) continue
      this.#waiting[priority].delete(next)
      next()
      return
    }
    this.#free++
  }
}
