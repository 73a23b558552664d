// Counts failed logins for each pair of user and address: guessing passwords over the network is slow.
// Soft state with a bound. Time is handed in.

import { failedLoginsPerMinute } from '../../common/limits.ts'
import { failedLoginPairsMax } from '../limits.ts'

const minuteMs = 60_000

export class LoginThrottle {
  /** Times of the failures of the last minute, oldest first; pairs in the order of their last failure. */
  readonly #failures = new Map<string, number[]>()

  isBlocked(user: string, host: string, nowMs: number): boolean {
    const times = this.#failures.get(pairOf(user, host))
    return times !== undefined && recent(times, nowMs).length >= failedLoginsPerMinute
  }

  onFailed(user: string, host: string, nowMs: number): void {
    const pair = pairOf(user, host)
    const times = recent(this.#failures.get(pair) ?? [], nowMs)
    times.push(nowMs)
    this.#failures.delete(pair)
    this.#failures.set(pair, times)
    this.#forgetOld(nowMs)
  }

  #forgetOld(nowMs: number): void {
    for (const [pair, times] of this.#failures) {
      const lastMs = times.at(-1) ?? 0
      if (this.#failures.size <= failedLoginPairsMax && nowMs - lastMs < minuteMs) return
      this.#failures.delete(pair)
    }
  }
}

function recent(times: readonly number[], nowMs: number): number[] {
  return times.filter((timeMs) => nowMs - timeMs < minuteMs)
}

function pairOf(user: string, host: string): string {
  return `${user} ${host}`
}
