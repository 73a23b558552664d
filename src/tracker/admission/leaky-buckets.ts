// Counts what happens too often, by name. A bucket leaks as much in a minute as it holds, so what is counted is a rate
// that allows a burst. Soft state; callers pass the time, in milliseconds.

const minuteMs = 60_000

interface Bucket {
  readonly perMinute: number
  level: number
  atMs: number
}

export class LeakyBuckets {
  /** In the order of what was counted last. */
  readonly #buckets = new Map<string, Bucket>()
  readonly #namesMax: number

  /** Names beyond `namesMax` share one count, so that many of them cannot push each other out. */
  constructor(namesMax = Infinity) {
    this.#namesMax = namesMax
  }

  /** Whether one more is too many. */
  isFull(name: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(this.#countedAs(name))
    return bucket !== undefined && levelOf(bucket, nowMs) > bucket.perMinute - 1
  }

  fill(name: string, perMinute: number, nowMs: number): void {
    const counted = this.#countedAs(name)
    const bucket = this.#buckets.get(counted)
    const level = bucket === undefined ? 0 : levelOf(bucket, nowMs)
    this.#buckets.delete(counted)
    this.#buckets.set(counted, { perMinute, level: level + 1, atMs: nowMs })
  }

  forgetEmpty(nowMs: number): void {
    for (const [name, bucket] of this.#buckets) {
      if (nowMs - bucket.atMs < minuteMs && levelOf(bucket, nowMs) > 0) break
      this.#buckets.delete(name)
    }
  }

  #countedAs(name: string): string {
    return this.#buckets.has(name) || this.#buckets.size < this.#namesMax ? name : 'others'
  }
}

function levelOf({ perMinute, level, atMs }: Bucket, nowMs: number): number {
  return Math.max(0, level - (Math.max(0, nowMs - atMs) * perMinute) / minuteMs)
}
