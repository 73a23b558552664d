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
import { LeakyBuckets } from './leaky-buckets.ts'

export class Attempts {
  readonly #networks = new LeakyBuckets(countedNetworksMax)
  /** Of IPv6 alone: whoever has a site has so many networks that they would take up all that are counted. */
  readonly #sites = new LeakyBuckets(countedNetworksMax)
  readonly #users = new LeakyBuckets()
  readonly #pairs = new LeakyBuckets()
  /** Keys that have logged in as each user, the latest last. */
  readonly #keys = new Map<string, Set<string>>()

  /** Whether one more attempt to be this user from this host is too many. */
  isBlocked(user: string, host: string, nowMs: number): boolean {
    return (
      this.isHostBlocked(host, nowMs) ||
      this.#users.isFull(user, nowMs) ||
      this.#pairs.isFull(pairOf(user, host), nowMs)
    )
  }

  /** Whether one more attempt of any kind from this host is too many. */
  isHostBlocked(host: string, nowMs: number): boolean {
    return (
      this.#networks.isFull(networkOf(host), nowMs) ||
      (hasSite(host) && this.#sites.isFull(siteOf(host), nowMs))
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
    return this.#pairs.isFull(`${user} ${key}`, nowMs)
  }

  onGuessed(user: string, key: string, nowMs: number): void {
    this.#pairs.forgetEmpty(nowMs)
    this.#pairs.fill(`${user} ${key}`, failedAttemptsOfPairPerMinute, nowMs)
  }

  onFailed(user: string, host: string, nowMs: number): void {
    this.onHostFailed(host, nowMs)
    // The bound on networks bounds these too: a blocked host adds none.
    this.#users.fill(user, failedAttemptsOfUserPerMinute, nowMs)
    this.#pairs.fill(pairOf(user, host), failedAttemptsOfPairPerMinute, nowMs)
  }

  /** A failed attempt for no particular user, such as registering a name that is taken. */
  onHostFailed(host: string, nowMs: number): void {
    for (const buckets of [this.#networks, this.#sites, this.#users, this.#pairs]) buckets.forgetEmpty(nowMs)
    this.#networks.fill(networkOf(host), ofNetworkMax(host), nowMs)
    if (!hasSite(host)) return
    this.#sites.fill(siteOf(host), failedAttemptsOfSitePerMinute, nowMs)
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

function hasSite(host: string): boolean {
  return host.includes(':') && !isLoopback(host)
}

function ofNetworkMax(host: string): number {
  return isLoopback(host) ? failedAttemptsOfLoopbackPerMinute : failedAttemptsOfNetworkPerMinute
}

function pairOf(user: string, host: string): string {
  return `${user} ${networkOf(host)}`
}
