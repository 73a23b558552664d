// Holds the download limit on one connection by pausing reads, so that TCP holds the peer back.

import type { Channel } from '../../common/wire/channel.ts'
import type { ReadLimit } from '../transfer/read-limit.ts'

/** The longest single pause. */
const longestPauseMs = 250

export class LimitedReading {
  readonly #channel: Channel
  readonly #bucket: ReadLimit
  #isPaused = false
  #sinceMs = 0

  constructor(channel: Channel, bucket: ReadLimit) {
    this.#channel = channel
    this.#bucket = bucket
  }

  /** Missing data is not the peer's fault. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** When it went on after the last pause, in milliseconds of `performance.now()`. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** So many bytes have arrived. */
  onBytes(count: number): void {
    const pauseMs = this.#bucket.spend(count)
    if (pauseMs <= 0 || this.#isPaused) return
    this.#isPaused = true
    this.#channel.pause('limit')
    this.#resume(pauseMs)
  }

  /** Waits in short steps, because the limit may be raised meanwhile. */
  #resume(pauseMs: number): void {
    setTimeout(
      () => {
        const restMs = this.#bucket.spend(0)
        if (restMs > 0) {
          this.#resume(restMs)
          return
        }
        this.#isPaused = false
        this.#sinceMs = performance.now()
        this.#channel.lastHeardAtMs = this.#sinceMs
        this.#channel.resume('limit')
      },
      Math.min(pauseMs, longestPauseMs),
    )
  }
}
