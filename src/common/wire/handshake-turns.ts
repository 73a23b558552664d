// Lets handshakes begin one by one, in turn by where they come from: each takes a millisecond of the processor, and
// costs its caller next to nothing. Between two of them the event loop runs, so that requests are served meanwhile.

/** Begins a handshake; false when there is no need any more. */
export type Begin = () => boolean

export class HandshakeTurns {
  /** By origin, in the order of their turns. Bounded by the places of those that wait. */
  readonly #waiting = new Map<string, Begin[]>()
  readonly #soon: (go: () => void) => void
  #isOver = false

  /** `soon` calls back after the event loop has run. */
  constructor(soon: (go: () => void) => void = (go) => void setImmediate(go)) {
    this.#soon = soon
  }

  ask(origin: string, begin: Begin): void {
    const waiting = this.#waiting.get(origin)
    if (waiting === undefined) this.#waiting.set(origin, [begin])
    else waiting.push(begin)
    this.#work()
  }

  /** One in each turn of the event loop. */
  #work(): void {
    while (!this.#isOver) {
      const begin = this.#next()
      if (begin === undefined) return
      if (!begin()) continue
      this.#isOver = true
      this.#soon(() => {
        this.#isOver = false
        this.#work()
      })
    }
  }

  #next(): Begin | undefined {
    for (const [origin, waiting] of this.#waiting) {
      const begin = waiting.shift()
      // Behind the others.
      this.#waiting.delete(origin)
      if (waiting.length > 0) this.#waiting.set(origin, waiting)
      return begin
    }
    return undefined
  }
}
