// A sample of latencies and its summary.

export interface Latencies {
  readonly count: number
  /** Requests refused or never answered; quantiles count them as infinitely late. */
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export class LatencySample {
  readonly #ms: number[] = []
  #lost = 0

  add(ms: number): void {
    this.#ms.push(ms)
  }

  addLost(): void {
    this.#lost++
  }

  get summary(): Latencies {
    const sorted = Float64Array.from(this.#ms).sort()
    const count = sorted.length + this.#lost
    const at = (share: number): number =>
      count === 0 ? 0 : (sorted[Math.max(0, Math.ceil(count * share) - 1)] ?? Infinity)
    return { count, lost: this.#lost, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  }
}
