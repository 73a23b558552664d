// Lets handshakes begin one by one, in turn by where they come from: each takes a millisecond of the processor, and
// costs its caller next to nothing. Between two of them the event loop runs, so that requests are served meanwhile.

/** Begins a handshake; false when there is no need any more. `onEnded` is to be called when it is done or has failed. */
export type Begin = (onEnded: () => void) => boolean

/** How many may be unfinished, so that no more begin than callers can keep up with. */
export interface HandshakePace {
  /** The next one waits while so many are unfinished. */
  readonly unfinished: number
  /** An unfinished one no longer counts after this time, in milliseconds: its caller may be slow, or mean no good. */
  readonly countsForMs: number
}

export class HandshakeTurns {
  /** By origin, in the order of their turns. Bounded by the places of those that wait. */
  readonly #waiting = new Map<string, Begin[]>()
  readonly #soon: (go: () => void) => void
  readonly #pace: HandshakePace
  #unfinished = 0
  #isOver = false

  /** `soon` calls back after the event loop has run. Without a pace, any number may be unfinished. */
  constructor(
    pace: HandshakePace = { unfinished: Infinity, countsForMs: 0 },
    soon: (go: () => void) => void = (go) => void setImmediate(go),
  ) {
    this.#pace = pace
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
    while (!this.#isOver && this.#unfinished < this.#pace.unfinished) {
      const begin = this.#next()
      if (begin === undefined) return
      if (!this.#begin(begin)) continue
      this.#isOver = true
      this.#soon(() => {
        this.#isOver = false
        this.#work()
      })
    }
  }

  #begin(begin: Begin): boolean {
    if (this.#pace.unfinished === Infinity) return begin(() => undefined)
    this.#unfinished++
    let counts = true
    /** Whether it still counted. */
    const uncount = (): boolean => {
      clearTimeout(timer)
      const did = counts
      if (counts) this.#unfinished--
      counts = false
      return did
    }
    const end = (): void => {
      if (uncount()) this.#work()
    }
    const timer = setTimeout(end, this.#pace.countsForMs)
    timer.unref()
    const hasBegun = begin(end)
    // Without `end`: the caller looks for the next one itself.
    if (!hasBegun) uncount()
    return hasBegun
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
