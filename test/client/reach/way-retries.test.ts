// When a better way than a relay is tried again: after growing pauses, soon after news, and never by many at once.

import { expect, test } from 'vitest'
import {
  firstPauseMs,
  leastPauseMs,
  longestPauseMs,
  retriesAtOnce,
  retryEveryMs,
  WayRetries,
  type WayRetry,
} from '../../../src/client/reach/way-retries.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'

const lookEveryMs = 250

/** A client that looks four times a second, for as long as the test says. */
class Looking {
  #nowMs = 1000
  readonly #changes = { attempts: new AbortController().signal }
  readonly retries: WayRetries
  peers: Record<string, readonly Peer[]> = { ben: [place('198.51.100.2')] }
  /** What becomes of an attempt; by default it fails at once. */
  onTry: (retry: WayRetry) => void = (retry) => retry.onFailed()

  constructor(random = 0.5) {
    this.retries = new WayRetries({ changes: this.#changes, nowMs: () => this.#nowMs, random: () => random })
  }

  changeNetwork(): void {
    this.#changes.attempts = new AbortController().signal
  }

  /** Resolves to when something was tried, in milliseconds from now, and for whom. */
  look(forMs: number): [atMs: number, key: string][] {
    const fromMs = this.#nowMs
    const tried: [number, string][] = []
    for (; this.#nowMs < fromMs + forMs; this.#nowMs += lookEveryMs)
      for (const [key, places] of Object.entries(this.peers)) {
        const retry = this.retries.take(key, places)
        if (retry === undefined) continue
        tried.push([this.#nowMs - fromMs, key])
        this.onTry(retry)
      }
    return tried
  }

  /** Nobody is reached by a relay for so long. */
  pass(ms: number): void {
    this.#nowMs += ms
  }
}

function place(host: string, more: Partial<Peer> = {}): Peer {
  return { user: 'ben', key: 'ben', host, port: 4444, complete: true, ...more }
}

function pausesOf(tried: readonly [number, string][]): number[] {
  return tried.map(([atMs], at) => atMs - (tried[at - 1]?.[0] ?? 0))
}

test('the pauses grow from half a minute to ten minutes', () => {
  const pauses = pausesOf(new Looking().look(60 * 60_000))
  expect(pauses.slice(0, 7)).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  expect(Math.max(...pauses)).toBe(longestPauseMs)
})

test('two clients do not try at the same moments', () => {
  const [[early], [late]] = [new Looking(0).look(firstPauseMs * 2), new Looking(1).look(firstPauseMs * 2)]
  expect([early?.[0], late?.[0]]).toEqual([0.75 * firstPauseMs, 1.25 * firstPauseMs])
})

test('after the network has changed everybody is tried soon, one a second and a few at a time, and the pauses begin anew', () => {
  const looking = new Looking()
  const keys = Array.from({ length: 10 }, (_, at) => `ben${at}`)
  looking.peers = Object.fromEntries(keys.map((key) => [key, [place('198.51.100.2')]]))
  looking.look(5 * 60_000)
  const underWay: WayRetry[] = []
  looking.onTry = (retry) => underWay.push(retry)
  looking.changeNetwork()
  const tried = looking.look(leastPauseMs + 10_000)
  expect(tried).toHaveLength(retriesAtOnce)
  for (const [at, [atMs]] of tried.slice(1).entries())
    expect(atMs - (tried[at]?.[0] ?? 0)).toBeGreaterThanOrEqual(retryEveryMs)
  for (const retry of underWay.splice(0)) retry.onFailed()
  looking.onTry = (retry) => retry.onFailed()
  const others = looking.look(10 * retryEveryMs).map(([, key]) => key)
  expect(others).toEqual(keys.filter((key) => !tried.some(([, other]) => other === key)))
  expect(looking.look(1.5 * firstPauseMs)).toHaveLength(keys.length)
})

test('another place of the peer, or that it can be reached there, has it tried soon; what is known does not', () => {
  const looking = new Looking()
  looking.look(5 * 60_000)
  const [there, moved] = [place('198.51.100.2'), place('198.51.100.9')]
  for (const places of [
    [moved, there],
    [{ ...moved, reachable: true }, there],
  ]) {
    looking.peers = { ben: places }
    expect(looking.look(leastPauseMs + 3000)).toHaveLength(1)
  }
  looking.peers = { ben: [there] }
  expect(looking.look(leastPauseMs + 3000)).toEqual([])
})

test('however often a tracker names other places, a peer is tried once in ten seconds', () => {
  const looking = new Looking(0)
  let tries = 0
  for (let port = 1; port <= 600; port++) {
    looking.peers = { ben: [place('198.51.100.2', { port })] }
    tries += looking.look(100).length
  }
  // Each look is at the end of a quarter of a second.
  expect(tries).toBeLessThanOrEqual((600 * lookEveryMs) / leastPauseMs + 1)
})

test('one peer is tried once at a time, whatever files come from it, and the others follow where one has found a way', () => {
  const looking = new Looking()
  const underWay: WayRetry[] = []
  looking.onTry = (retry) => underWay.push(retry)
  expect(looking.look(10 * 60_000)).toHaveLength(1)
  underWay[0]?.onOpened()
  expect(looking.look(leastPauseMs)).toHaveLength(1)
})

test('what waits for a way that another file of the peer has follows soon after that has ended', () => {
  const looking = new Looking()
  looking.look(5 * 60_000)
  looking.retries.onFree('somebody else')
  expect(looking.look(20_000)).toEqual([])
  looking.retries.onFree('ben')
  expect(looking.look(5000)).toHaveLength(1)
})

test('a relay that is new is given its first pause, also when there was another one before', () => {
  const looking = new Looking()
  looking.look(5 * 60_000)
  looking.pass(60_000)
  expect(looking.look(firstPauseMs + 1)).toEqual([[firstPauseMs, 'ben']])
})

test('so many peers are known at most, and forgotten ones make room', () => {
  const looking = new Looking()
  for (let at = 0; at < 1000; at++) looking.retries.take(`${at}`, [])
  looking.peers = { late: [] }
  expect(looking.look(4000)).toEqual([])
  looking.pass(2000)
  expect(looking.look(firstPauseMs + 1)).toEqual([[firstPauseMs, 'late']])
})
