// How often clients may call each other: a call makes another program dial, and its owner's router with it. Counted by
// user, so that many machines of one user call no more often than one.

import { LeakyBuckets } from '../admission/leaky-buckets.ts'
import { callsOfPairPerMinute, callsOfUserPerMinute, callsToUserPerMinute } from '../limits.ts'

export class CallPace {
  readonly #pairs = new LeakyBuckets()
  readonly #callers = new LeakyBuckets()
  readonly #called = new LeakyBuckets()

  /** Whether this user may call that one once more now; if so it is counted. `nowMs`: milliseconds since 1970. */
  take(caller: string, called: string, nowMs: number): boolean {
    // The bound on callers bounds the others too: whoever may not call adds nothing.
    for (const buckets of [this.#pairs, this.#callers, this.#called]) buckets.forgetEmpty(nowMs)
    const pair = `${caller} ${called}`
    const isTooMany =
      this.#pairs.isFull(pair, nowMs) ||
      this.#callers.isFull(caller, nowMs) ||
      this.#called.isFull(called, nowMs)
    if (isTooMany) return false
    this.#pairs.fill(pair, callsOfPairPerMinute, nowMs)
    this.#callers.fill(caller, callsOfUserPerMinute, nowMs)
    this.#called.fill(called, callsToUserPerMinute, nowMs)
    return true
  }
}
