// A sample of latencies and its summary.

export interface Latencies {
  readonly count: number
  /** Requests refused or never answered; quantiles count them as infinitely late. */
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What a process has measured: each latency in milliseconds, and how many requests got no answer. */
export interface RawLatencies {
  readonly ms: Float64Array
  readonly lost: number
}

export class LatencySample {
  readonly #ms: number[] = []
  #lost = 0

  /** One of what several processes have measured. */
  static of(parts: readonly RawLatencies[]): LatencySample {
    const sample = new LatencySample()
    for (const { ms, lost } of parts) {
      for (const each of ms) sample.add(each)
      sample.#lost += lost
    }
    return sample
  }

  add(ms: number): void {
    this.#ms.push(ms)
  }

  addLost(): void {
    this.#lost++
  }

  /** For another process. */
  get raw(): RawLatencies {
    return { ms: Float64Array.from(this.#ms), lost: this.#lost }
  }

  get summary(): Latencies {
    const sorted = Float64Array.from(this.#ms).sort()
    const count = sorted.length + this.#lost
    const at = (share: number): number =>
      count === 0 ? 0 : (sorted[Math.max(0, Math.ceil(count * share) - 1)] ?? Infinity)
    return { count, lost: this.#lost, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  }
}
