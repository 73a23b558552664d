// Gives pairs of a relay their turns: one after the other, the same number of bytes each, at the rate that all have
// together.

import type { TokenBucket } from '../token-bucket.ts'
import type { RelayDirection, RelayPair } from './relay-pair.ts'

/** Bytes of a turn; fewer where the rate is low. */
const turnBytesMax = 64 * 1024
/** How long to forward before the event loop has its turn. */
const sliceMs = 2

export class RelayTurns {
  readonly #bucket: TokenBucket
  /** Those with something to forward, the next one first. */
  readonly #waiting = new Map<RelayPair, Set<RelayDirection>>()
  #isRunning = false
  #bytes = 0

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  /** Bytes forwarded so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** It has something to forward. */
  add(direction: RelayDirection): void {
    const known = this.#waiting.get(direction.pair)
    if (known === undefined) this.#waiting.set(direction.pair, new Set([direction]))
    else known.add(direction)
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    let sinceMs = performance.now()
    for (;;) {
      const next = this.#next()
      if (next === undefined) break
      const bytes = Math.min(next.ready, turnBytesMax, this.#bucket.sliceBytes)
      const turn = this.#bucket.take(bytes)
      if (turn !== undefined) {
        await turn
        sinceMs = performance.now()
      } else if (performance.now() - sinceMs > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve))
        sinceMs = performance.now()
      }
      // It may have gone while it waited.
      const forwarded = next.forward(bytes)
      this.#bucket.giveBack(bytes - forwarded)
      this.#bytes += forwarded
    }
    this.#isRunning = false
  }

  /** Its pair comes last the next time. */
  #next(): RelayDirection | undefined {
    for (const [pair, directions] of this.#waiting) {
      this.#waiting.delete(pair)
      for (const direction of directions) {
        directions.delete(direction)
        if (direction.ready === 0) continue
        if (directions.size > 0) this.#waiting.set(pair, directions)
        return direction
      }
    }
    return undefined
  }
}
