// Does work in the background, a few milliseconds in each turn of the event loop, so that what concerns a hundred
// thousand files at once keeps nobody waiting.

/** A ping waits behind one. */
const sliceMs = 2

export class Slices {
  readonly #nowMs: () => number
  readonly #soon: (go: () => void) => void
  readonly #waiting: Iterator<unknown>[] = []
  #isUnderWay = false

  /** `soon` calls back after the event loop has run. */
  constructor(
    nowMs: () => number = () => performance.now(),
    soon: (go: () => void) => void = (go) => void setImmediate(go),
  ) {
    this.#nowMs = nowMs
    this.#soon = soon
  }

  /** Runs an iterator to its end; what fits into the first slice is done when this returns. */
  add(work: Iterator<unknown>): void {
    this.#waiting.push(work)
    if (!this.#isUnderWay) this.#work()
  }

  #work(): void {
    const untilMs = this.#nowMs() + sliceMs
    this.#isUnderWay = true
    for (;;) {
      const [work] = this.#waiting
      if (work === undefined) break
      if (work.next().done === true) this.#waiting.shift()
      if (this.#nowMs() >= untilMs) {
        this.#soon(() => this.#work())
        return
      }
    }
    this.#isUnderWay = false
  }
}
