// Measures how late the event loop is: the longest that anything waited for its turn since the last call. Uses a
// timer of its own, because Node's histogram counts from its resolution up.

/** Short enough to catch what a person would notice, long enough to cost nothing. */
const lookEveryMs = 50

export class EventLoopLag {
  readonly #timer: NodeJS.Timeout
  #dueAtMs = performance.now() + lookEveryMs
  #longestMs = 0

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      this.#longestMs = Math.max(this.#longestMs, nowMs - this.#dueAtMs)
      this.#dueAtMs = nowMs + lookEveryMs
    }, lookEveryMs)
    this.#timer.unref()
  }

  /** In milliseconds; starts anew with each call. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
