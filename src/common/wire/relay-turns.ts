// Gives pairs of a relay their turns, so that each gets the same number of bytes, at the rate that all have together:
// start-time fair queueing (Goyal and others, 1996), with a little credit for who had nothing to send for a moment.

import type { TokenBucket } from '../token-bucket.ts'
import type { RelayDirection, RelayPair } from './relay-pair.ts'

/** Bytes of a turn; fewer where the rate is low. */
const turnBytesMax = 32 * 1024
/** So many turns a pair may make up for that had nothing to forward for a moment, since it waited for its data. */
const creditTurns = 4
/** How long to forward before the event loop has its turn. */
const sliceMs = 2

interface Waiting {
  readonly directions: Set<RelayDirection>
  /** Its place in the order, in bytes. */
  readonly start: number
}

interface Turn {
  readonly direction: RelayDirection
  readonly bytes: number
}

export class RelayTurns {
  readonly #bucket: TokenBucket
  readonly #waiting = new Map<RelayPair, Waiting>()
  /** Where the last turn of each pair ended. */
  readonly #ends = new WeakMap<RelayPair, number>()
  /** Where the last turn began. */
  #now = 0
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
    this.#enqueue(direction.pair, [direction])
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    let sinceMs = performance.now()
    for (;;) {
      const turn = this.#next()
      if (turn === undefined) break
      const { direction, bytes } = turn
      const allowed = this.#bucket.take(bytes)
      if (allowed !== undefined) {
        await allowed
        sinceMs = performance.now()
      } else if (performance.now() - sinceMs > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve))
        sinceMs = performance.now()
      }
      // It may have gone while it waited.
      const forwarded = direction.forward(bytes)
      this.#bucket.giveBack(bytes - forwarded)
      this.#bytes += forwarded
    }
    this.#isRunning = false
  }

  get #turnBytes(): number {
    return Math.min(turnBytesMax, this.#bucket.sliceBytes)
  }

  #enqueue(pair: RelayPair, directions: Iterable<RelayDirection>): void {
    const known = this.#waiting.get(pair)
    const start = Math.max(this.#now - creditTurns * this.#turnBytes, this.#ends.get(pair) ?? 0)
    if (known === undefined) this.#waiting.set(pair, { directions: new Set(directions), start })
    else for (const direction of directions) known.directions.add(direction)
  }

  #next(): Turn | undefined {
    for (;;) {
      const first = this.#first()
      if (first === undefined) return undefined
      const [pair, { directions, start }] = first
      this.#waiting.delete(pair)
      const ready = [...directions].filter((direction) => direction.ready > 0)
      const [direction, ...others] = ready
      if (direction === undefined) continue
      const bytes = Math.min(direction.ready, this.#turnBytes)
      this.#now = Math.max(this.#now, start)
      this.#ends.set(pair, start + bytes)
      if (others.length > 0) this.#enqueue(pair, others)
      return { direction, bytes }
    }
  }

  /** There are few hundred of them. */
  #first(): [RelayPair, Waiting] | undefined {
    let first: [RelayPair, Waiting] | undefined
    for (const entry of this.#waiting)
      if (first === undefined || entry[1].start < first[1].start) first = entry
    return first
  }
}
