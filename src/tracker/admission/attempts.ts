// Counts failed logins, and attempts to find out which names are taken: by address, by user, and by both together. So
// guessing passwords is slow, from one address or from many, and no failure pushes out the count of another. A client
// that has logged in as its user before is never locked out by others. Soft state; callers pass the time.

import { isLoopback, networkOf, siteOf } from '../../common/networks.ts'
import {
  countedNetworksMax,
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfNetworkPerMinute,
  failedAttemptsOfPairPerMinute,
  failedAttemptsOfSitePerMinute,
  failedAttemptsOfUserPerMinute,
  knownKeysOfUserMax,
} from '../limits.ts'

const minuteMs = 60_000

/** A bucket that leaks as much in a minute as it holds. */
interface Bucket {
  readonly perMinute: number
  level: number
  atMs: number
}

/** In the order of their last failure. */
type Buckets = Map<string, Bucket>

export class Attempts {
  readonly #networks: Buckets = new Map()
  /** Of IPv6 alone: whoever has a site has so many networks that they would take up all that are counted. */
  readonly #sites: Buckets = new Map()
  readonly #users: Buckets = new Map()
  readonly #pairs: Buckets = new Map()
  /** Keys that have logged in as each user, the latest last. */
  readonly #keys = new Map<string, Set<string>>()

  /** Whether one more attempt to be this user from this host is too many. */
  isBlocked(user: string, host: string, nowMs: number): boolean {
    return (
      this.isHostBlocked(host, nowMs) ||
      isFull(this.#users.get(user), nowMs) ||
      isFull(this.#pairs.get(pairOf(user, host)), nowMs)
    )
  }

  /** Whether one more attempt of any kind from this host is too many. */
  isHostBlocked(host: string, nowMs: number): boolean {
    return (
      isFull(this.#networks.get(countedAs(networkOf(host), this.#networks)), nowMs) ||
      (hasSite(host) && isFull(this.#sites.get(countedAs(siteOf(host), this.#sites)), nowMs))
    )
  }

  /** Whether this key has logged in as this user here. */
  isKnown(user: string, key: string): boolean {
    return this.#keys.get(user)?.has(key) === true
  }

  /**
   * Whether one more guess at the password by a client that is logged in as this user is too many. It counts alone: it
   * may be somebody at a terminal that was left open, and the owner is not kept from a new password by strangers.
   */
  isGuessing(user: string, key: string, nowMs: number): boolean {
    return isFull(this.#pairs.get(`${user} ${key}`), nowMs)
  }

  onGuessed(user: string, key: string, nowMs: number): void {
    forgetEmpty(this.#pairs, nowMs)
    fill(this.#pairs, `${user} ${key}`, failedAttemptsOfPairPerMinute, nowMs)
  }

  onFailed(user: string, host: string, nowMs: number): void {
    this.onHostFailed(host, nowMs)
    // The bound on networks bounds these too: a blocked host adds none.
    fill(this.#users, user, failedAttemptsOfUserPerMinute, nowMs)
    fill(this.#pairs, pairOf(user, host), failedAttemptsOfPairPerMinute, nowMs)
  }

  /** A failed attempt for no particular user, such as registering a name that is taken. */
  onHostFailed(host: string, nowMs: number): void {
    for (const buckets of [this.#networks, this.#sites, this.#users, this.#pairs]) forgetEmpty(buckets, nowMs)
    fill(this.#networks, countedAs(networkOf(host), this.#networks), ofNetworkMax(host), nowMs)
    if (!hasSite(host)) return
    fill(this.#sites, countedAs(siteOf(host), this.#sites), failedAttemptsOfSitePerMinute, nowMs)
  }

  onLoggedIn(user: string, key: string): void {
    const keys = this.#keys.get(user) ?? new Set()
    this.#keys.set(user, keys)
    keys.delete(key)
    keys.add(key)
    const [oldest = ''] = keys
    if (keys.size > knownKeysOfUserMax) keys.delete(oldest)
  }
}

/** Those beyond the bound share one count, so that many of them cannot push each other out. */
function countedAs(name: string, buckets: Buckets): string {
  return buckets.has(name) || buckets.size < countedNetworksMax ? name : 'others'
}

function hasSite(host: string): boolean {
  return host.includes(':') && !isLoopback(host)
}

function ofNetworkMax(host: string): number {
  return isLoopback(host) ? failedAttemptsOfLoopbackPerMinute : failedAttemptsOfNetworkPerMinute
}

function pairOf(user: string, host: string): string {
  return `${user} ${networkOf(host)}`
}

function levelOf({ perMinute, level, atMs }: Bucket, nowMs: number): number {
  return Math.max(0, level - (Math.max(0, nowMs - atMs) * perMinute) / minuteMs)
}

function isFull(bucket: Bucket | undefined, nowMs: number): boolean {
  return bucket !== undefined && levelOf(bucket, nowMs) > bucket.perMinute - 1
}

function fill(buckets: Buckets, name: string, perMinute: number, nowMs: number): void {
  const bucket = buckets.get(name)
  const level = bucket === undefined ? 0 : levelOf(bucket, nowMs)
  buckets.delete(name)
  buckets.set(name, { perMinute, level: level + 1, atMs: nowMs })
}

function forgetEmpty(buckets: Buckets, nowMs: number): void {
  for (const [name, bucket] of buckets) {
    if (nowMs - bucket.atMs < minuteMs && levelOf(bucket, nowMs) > 0) break
    buckets.delete(name)
  }
}
