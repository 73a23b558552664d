// A rate limit as a token bucket: `bytesPerSecond` on average, never more than a burst at once. The clock is
// injected, so that tests need not wait.

/** The burst, in seconds at the limit. Short, so that the limit holds over any second. */
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
  /** Bytes that may go now; negative while bytes already taken are still being paid for. */
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

  /** Changes the limit, also for waiting callers. Undefined means no limit. */
  setRate(bytesPerSecond: number | undefined): void {
    this.#fill()
    // Scales debt and waiting requests to the lower limit, so that they take no longer than under the old
    // one. Unscaled, a lower limit would begin with silence, and a silent peer is taken for dead.
    const easier = Math.min(1, (bytesPerSecond ?? 0) / (this.#bytesPerSecond ?? Infinity))
    this.#tokens = Math.min(this.#tokens, 0) * easier
    for (const waiter of this.#waiting) waiter.bytes *= easier
    this.#bytesPerSecond = bytesPerSecond
    this.#release()
  }

  /** How many bytes to take at a time, so that a limited transfer flows evenly. */
  get sliceBytes(): number {
    if (this.#bytesPerSecond === undefined) return Number.MAX_SAFE_INTEGER
    return Math.max(1024, Math.ceil(this.#bytesPerSecond * burstSeconds))
  }

  /** Milliseconds until the bytes that were taken are paid for. */
  get owesMs(): number {
    if (this.#bytesPerSecond === undefined) return 0
    this.#fill()
    return (Math.max(0, -this.#tokens) / this.#bytesPerSecond) * 1000
  }

  /** Undefined if the bytes may go now, else a promise for when they may. First come, first served. */
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

  /** Returns bytes that were taken but not sent. */
  giveBack(bytes: number): void {
    if (this.#bytesPerSecond === undefined) return
    this.#tokens += bytes
    this.#release()
  }

  /** Charges bytes that have already arrived; returns the milliseconds to pause for them. */
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
    // In steps of at most a second, so that a raised limit takes effect soon.
    this.#clock.after(Math.min(ms, 1000), () => {
      this.#timerSet = false
      this.#release()
    })
  }
}
