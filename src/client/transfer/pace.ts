// How fast something goes: an average that forgets, so that it follows a line that changes.

/** The time after which a measurement counts for about a third. */
const memoryMs = 3000

export class Pace {
  #bytes = 0
  #weightMs = 0
  #atMs: number | undefined

  /** So many bytes came, at this time. */
  onBytes(bytes: number, nowMs: number): void {
    this.#forget(nowMs)
    this.#bytes += bytes
  }

  /** Bytes a second over the last seconds. */
  bytesPerSecond(nowMs: number): number {
    this.#forget(nowMs)
    // The first moments are no measurement: a buffer that was full already reads as a fast line.
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
