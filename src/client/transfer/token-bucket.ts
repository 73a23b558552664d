// A rate limit (token bucket): `rate` bytes a second on average, never more than a burst at once.
// The clock is handed in, so that the arithmetic can be tested without waiting.

/** The burst, in seconds of the rate. Short, so that a limit holds over any second, not only on average. */
const burstSeconds = 0.1

export interface Clock {
  nowMs(): number
  after(ms: number, run: () => void): void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, run) => void setTimeout(run, ms),
}

export class TokenBucket {
  readonly #clock: Clock
  #bytesPerSecond: number | undefined
  /** Bytes that may go now; negative while what was taken has yet to be earned. */
  #tokens = 0
  #filledAtMs: number
  #waiting: { bytes: number; go: () => void }[] = []
  #timerSet = false

  constructor(bytesPerSecond?: number, clock = systemClock) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#filledAtMs = clock.nowMs()
  }

  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond
  }

  /** Takes effect at once, also for those who wait. */
  setRate(bytesPerSecond: number | undefined): void {
    this.#fill()
    // What went out under a higher limit is owed as the time it would have taken then. Owed as bytes,
    // a lower limit would begin with silence, and a silent peer is taken for dead.
    const easier = Math.min(1, (bytesPerSecond ?? 0) / (this.#bytesPerSecond ?? Infinity))
    this.#tokens = Math.min(this.#tokens, 0) * easier
    for (const waiter of this.#waiting) waiter.bytes *= easier
    this.#bytesPerSecond = bytesPerSecond
    this.#release()
  }

  /** How many bytes to ask for at a time, so that a limit is felt as a stream and not as lumps. */
  get sliceBytes(): number {
    if (this.#bytesPerSecond === undefined) return Number.MAX_SAFE_INTEGER
    return Math.max(1024, Math.ceil(this.#bytesPerSecond * burstSeconds))
  }

  /** Undefined when the bytes may go now; else a promise for when they may. First come, first served. */
  take(bytes: number): Promise<void> | undefined {
    if (this.#bytesPerSecond === undefined) return undefined
    this.#fill()
    if (this.#waiting.length === 0 && this.#tokens > 0) {
      this.#tokens -= bytes
      return undefined
    }
    return new Promise((go) => {
      this.#waiting.push({ bytes, go })
      this.#schedule()
    })
  }

  /** Bytes that were taken and did not go after all. */
  giveBack(bytes: number): void {
    if (this.#bytesPerSecond === undefined) return
    this.#tokens += bytes
    this.#release()
  }

  /** Books bytes that have come already; how long to pause, in milliseconds, to make up for them. */
  spend(bytes: number): number {
    if (this.#bytesPerSecond === undefined) return 0
    this.#fill()
    this.#tokens -= bytes
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#bytesPerSecond) * 1000
  }

  #fill(): void {
    const nowMs = this.#clock.nowMs()
    const rate = this.#bytesPerSecond ?? 0
    this.#tokens = Math.min(rate * burstSeconds, this.#tokens + (rate * (nowMs - this.#filledAtMs)) / 1000)
    this.#filledAtMs = nowMs
  }

  #release(): void {
    this.#fill()
    while (this.#waiting.length > 0 && (this.#bytesPerSecond === undefined || this.#tokens > 0)) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#tokens -= next.bytes
      next.go()
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#timerSet || this.#waiting.length === 0 || this.#bytesPerSecond === undefined) return
    this.#timerSet = true
    const ms = Math.max(1, Math.ceil((-this.#tokens / this.#bytesPerSecond) * 1000))
    // In steps of at most a second: a rate that is raised meanwhile must not wait for the old sum.
    this.#clock.after(Math.min(ms, 1000), () => {
      this.#timerSet = false
      this.#release()
    })
  }
}
