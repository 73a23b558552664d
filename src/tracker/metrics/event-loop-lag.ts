// How late the event loop is: the longest that anything had to wait for its turn since last asked. Measured
// with a timer of our own, since Node's histogram counts from its resolution up.

/** Short enough that whatever a person would notice is seen, long enough to cost nothing. */
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

  /** Milliseconds; begins anew with each call. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
