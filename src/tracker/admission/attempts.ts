// Counts failed logins, and attempts to find out which names are taken: by address, by user, and by both together. So
// guessing passwords is slow, from one address or from many, and no failure pushes out the count of another. A client
// that has logged in as its user before is never locked out by others. Soft state; callers pass the time.

import { isLoopback, networkOf } from '../../common/networks.ts'
import {
  countedNetworksMax,
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfNetworkPerMinute,
  failedAttemptsOfPairPerMinute,
  failedAttemptsOfUserPerMinute,
  knownKeysOfUserMax,
} from '../limits.ts'

const minuteMs = 60_000

/** A bucket that leaks as much in a minute as it holds. */
interface Bucket {
  level: number
  atMs: number
}

export class Attempts {
  readonly #networks = new Map<string, Bucket>()
  readonly #users = new Map<string, Bucket>()
  readonly #pairs = new Map<string, Bucket>()
  /** Keys that have logged in as each user, the latest last. */
  readonly #keys = new Map<string, Set<string>>()

  /** Whether one more attempt to be this user from this host is too many. */
  isBlocked(user: string, host: string, nowMs: number): boolean {
    return (
      this.isHostBlocked(host, nowMs) ||
      isFull(this.#users.get(user), failedAttemptsOfUserPerMinute, nowMs) ||
      isFull(this.#pairs.get(pairOf(user, host)), failedAttemptsOfPairPerMinute, nowMs)
    )
  }

  /** Whether one more attempt of any kind from this host is too many. */
  isHostBlocked(host: string, nowMs: number): boolean {
    return isFull(this.#networks.get(this.#networkOf(host)), ofNetworkMax(host), nowMs)
  }

  /** Whether this key has logged in as this user here. */
  isKnown(user: string, key: string): boolean {
    return this.#keys.get(user)?.has(key) === true
  }

  onFailed(user: string, host: string, nowMs: number): void {
    this.onHostFailed(host, nowMs)
    // The bound on networks bounds these too: a blocked host adds none.
    fill(this.#users, user, failedAttemptsOfUserPerMinute, nowMs)
    fill(this.#pairs, pairOf(user, host), failedAttemptsOfPairPerMinute, nowMs)
  }

  /** A failed attempt for no particular user, such as registering a name that is taken. */
  onHostFailed(host: string, nowMs: number): void {
    this.#forgetEmpty(nowMs)
    fill(this.#networks, this.#networkOf(host), ofNetworkMax(host), nowMs)
  }

  onLoggedIn(user: string, key: string): void {
    const keys = this.#keys.get(user) ?? new Set()
    this.#keys.set(user, keys)
    keys.delete(key)
    keys.add(key)
    const [oldest = ''] = keys
    if (keys.size > knownKeysOfUserMax) keys.delete(oldest)
  }

  /** Networks beyond the bound share one count, so that many of them cannot push each other out. */
  #networkOf(host: string): string {
    const network = networkOf(host)
    const isCounted = this.#networks.has(network) || this.#networks.size < countedNetworksMax
    return isCounted ? network : 'others'
  }

  #forgetEmpty(nowMs: number): void {
    for (const [buckets, max] of [
      [this.#networks, failedAttemptsOfLoopbackPerMinute],
      [this.#users, failedAttemptsOfUserPerMinute],
      [this.#pairs, failedAttemptsOfPairPerMinute],
    ] as const) {
      for (const [name, bucket] of buckets) {
        // Buckets are in the order of their last failure.
        if (nowMs - bucket.atMs < minuteMs && levelOf(bucket, max, nowMs) > 0) break
        buckets.delete(name)
      }
    }
  }
}

function ofNetworkMax(host: string): number {
  return isLoopback(host) ? failedAttemptsOfLoopbackPerMinute : failedAttemptsOfNetworkPerMinute
}

function pairOf(user: string, host: string): string {
  return `${user} ${networkOf(host)}`
}

function levelOf({ level, atMs }: Bucket, perMinute: number, nowMs: number): number {
  return Math.max(0, level - (Math.max(0, nowMs - atMs) * perMinute) / minuteMs)
}

function isFull(bucket: Bucket | undefined, perMinute: number, nowMs: number): boolean {
  return bucket !== undefined && levelOf(bucket, perMinute, nowMs) > perMinute - 1
}

function fill(buckets: Map<string, Bucket>, name: string, perMinute: number, nowMs: number): void {
  const bucket = buckets.get(name)
  const level = bucket === undefined ? 0 : levelOf(bucket, perMinute, nowMs)
  buckets.delete(name)
  buckets.set(name, { level: level + 1, atMs: nowMs })
}
