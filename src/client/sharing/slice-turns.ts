// Shares the upload limit between the answers that are being sent at once: slice by slice, one owner after the other.

import type { TokenBucket } from '../../common/token-bucket.ts'

interface Waiting {
  readonly bytes: number
  readonly go: () => void
}

export class SliceTurns {
  readonly #bucket: TokenBucket
  /** By owner, in the order of their turns: slices that wait, oldest first. */
  readonly #waiting = new Map<unknown, Waiting[]>()
  /** One slice waits in the bucket. */
  #isAsking = false

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  /** Undefined if the bytes may be sent now, else a promise for when they may. */
  take(owner: unknown, bytes: number): Promise<void> | undefined {
    if (this.#waiting.size === 0 && !this.#isAsking) {
      const allowed = this.#bucket.take(bytes)
      if (allowed !== undefined) this.#onAsked(allowed)
      return allowed
    }
    return new Promise((go) => {
      const waiting = this.#waiting.get(owner)
      if (waiting === undefined) this.#waiting.set(owner, [{ bytes, go }])
      else waiting.push({ bytes, go })
    })
  }

  #onAsked(allowed: Promise<void>): void {
    this.#isAsking = true
    void allowed.then(() => {
      this.#isAsking = false
      this.#next()
    })
  }

  #next(): void {
    while (!this.#isAsking) {
      const [first] = this.#waiting
      if (first === undefined) return
      const [owner, slices] = first
      const slice = slices.shift()
      this.#waiting.delete(owner)
      // Its next slice comes after those of the others.
      if (slices.length > 0) this.#waiting.set(owner, slices)
      if (slice === undefined) continue
      const allowed = this.#bucket.take(slice.bytes)
      if (allowed === undefined) slice.go()
      else this.#onAsked(allowed.then(slice.go))
    }
  }
}
