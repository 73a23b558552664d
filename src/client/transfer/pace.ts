// The rate of a transfer: a decaying average, so that it follows a line whose speed changes.

/** The time after which a measurement has decayed to about a third (1/e). */
const memoryMs = 3000

export class Pace {
  #bytes = 0
  #weightMs = 0
  #atMs: number | undefined

  /** Counts bytes that arrived at this time. */
  onBytes(bytes: number, nowMs: number): void {
    this.#forget(nowMs)
    this.#bytes += bytes
  }

  /** Bytes per second over the last few seconds. */
  bytesPerSecond(nowMs: number): number {
    this.#forget(nowMs)
    // Too early to tell: data that was already buffered would look like a fast line.
    return this.#weightMs < 50 ? 0 : (this.#bytes / this.#weightMs) * 1000
  }

  #forget(nowMs: number): void {
    const passedMs = nowMs - (this.#atMs ?? nowMs)
    this.#atMs = nowMs
    const keep = Math.exp(-passedMs / memoryMs)
    this.#bytes *= keep
    this.#weightMs = this.#weightMs * keep + passedMs
  }
}
