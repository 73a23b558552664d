// How much arrives from a peer at present, and since when nothing does, from looks a few times a second. Moments are
// milliseconds of `performance.now()`.

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

/** A rate is that of the last one to two of these. */
const windowMs = 1000

export class Flow {
  #older: Sample
  #newer: Sample
  #bytes = 0
  #movedAtMs: number

  constructor(nowMs: number) {
    this.#older = { atMs: nowMs, bytes: 0 }
    this.#newer = this.#older
    this.#movedAtMs = nowMs
  }

  /** When something was last seen to have arrived. */
  get movedAtMs(): number {
    return this.#movedAtMs
  }

  /** `bytes`: all that arrived so far. */
  look(nowMs: number, bytes: number): void {
    if (bytes > this.#bytes) this.#movedAtMs = nowMs
    this.#bytes = bytes
    if (nowMs - this.#newer.atMs < windowMs) return
    this.#older = this.#newer
    this.#newer = { atMs: nowMs, bytes }
  }

  bytesPerSecond(nowMs: number): number {
    const passedMs = nowMs - this.#older.atMs
    return passedMs <= 0 ? 0 : ((this.#bytes - this.#older.bytes) * 1000) / passedMs
  }
}
