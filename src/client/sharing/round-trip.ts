// How far away a downloader is: the shortest time from an answer to what it can only ask for upon that. A busy machine makes
// it longer, so it is an upper bound. Pure: callers pass in times.

export class RoundTrip {
  #answeredAtMs: number | undefined
  #shortestMs: number | undefined

  /** In milliseconds; 0 while that is not known. */
  get ms(): number {
    return this.#shortestMs ?? 0
  }

  /** An answer goes out, which it needs for what it asks next. */
  onAnswered(nowMs: number): void {
    this.#answeredAtMs = nowMs
  }

  /** It asks for what comes next. */
  onAsked(nowMs: number): void {
    if (this.#answeredAtMs === undefined) return
    this.#shortestMs = Math.min(this.#shortestMs ?? Infinity, nowMs - this.#answeredAtMs)
    this.#answeredAtMs = undefined
  }
}
