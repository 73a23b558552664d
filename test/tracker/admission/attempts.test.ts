// Failed attempts are counted for address, user and both, in bounded memory.

import { expect, test } from 'vitest'
import { Attempts } from '../../../src/tracker/admission/attempts.ts'
import {
  countedNetworksMax,
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfNetworkPerMinute,
  failedAttemptsOfPairPerMinute,
  failedAttemptsOfSitePerMinute,
  failedAttemptsOfUserPerMinute,
  knownKeysOfUserMax,
} from '../../../src/tracker/limits.ts'

/** Fails as often as it may, and once more; how often it could. */
function failuresUntilBlocked(
  attempts: Attempts,
  next: (count: number) => [user: string, host: string],
  nowMs = 0,
): number {
  for (let count = 0; count < 100_000; count++) {
    const [user, host] = next(count)
    if (attempts.isBlocked(user, host, nowMs)) return count
    attempts.onFailed(user, host, nowMs)
  }
  return Infinity
}

test('a user may fail so often from one address, and others from there, and it from elsewhere, go on', () => {
  const attempts = new Attempts()
  expect(failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'])).toBe(failedAttemptsOfPairPerMinute)
  expect(attempts.isBlocked('bob', '10.0.0.1', 0)).toBe(false)
  expect(attempts.isBlocked('ann', '10.0.0.2', 0)).toBe(false)
})

test('an address may fail so often, whatever names it tries', () => {
  const attempts = new Attempts()
  expect(failuresUntilBlocked(attempts, (count) => [`u${count}`, '10.0.0.1'])).toBe(
    failedAttemptsOfNetworkPerMinute,
  )
  expect(attempts.isHostBlocked('10.0.0.1', 0)).toBe(true)
  expect(attempts.isHostBlocked('10.0.0.2', 0)).toBe(false)
  const v6 = (count: number): [string, string] => [`u${count}`, `2001:db8::${count.toString(16)}`]
  expect(failuresUntilBlocked(attempts, v6)).toBe(failedAttemptsOfNetworkPerMinute)
  const loopback = (count: number): [string, string] => [`u${count}`, '127.0.0.1']
  expect(failuresUntilBlocked(attempts, loopback)).toBe(failedAttemptsOfLoopbackPerMinute)
})

// What was counted for an address was forgotten as fast as for loopback, with a tenth of a second between two failures.
test('an address may fail no more often if it takes its time between two attempts', () => {
  const attempts = new Attempts()
  let failed = 0
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
    if (attempts.isHostBlocked('10.0.0.1', nowMs)) continue
    attempts.onHostFailed('10.0.0.1', nowMs)
    failed++
  }
  expect(failed).toBeGreaterThanOrEqual(failedAttemptsOfNetworkPerMinute)
  expect(failed).toBeLessThanOrEqual(2 * failedAttemptsOfNetworkPerMinute)
})

/** Addresses of one site, each in another network. */
const ofSite = (count: number): [string, string] => [`u${count}`, `2001:db8:1:${count.toString(16)}::1`]

test('a site may fail so often, from however many networks', () => {
  const attempts = new Attempts()
  expect(failuresUntilBlocked(attempts, ofSite)).toBe(failedAttemptsOfSitePerMinute)
  expect(attempts.isHostBlocked('2001:db8:1:ffff::1', 0)).toBe(true)
  expect(attempts.isHostBlocked('2001:db8:2:1::1', 0)).toBe(false)
})

// Ten thousand networks of one site with a failure each put everybody else into one count.
test('one site, however many of its networks fail, leaves every address elsewhere its own count', () => {
  const attempts = new Attempts()
  // None that come later are forgotten before this one.
  failuresUntilBlocked(attempts, (count) => [`u${count}`, '2001:db8:1:0::1'])
  const untilMs = 3 * countedNetworksMax
  for (let nowMs = 0; nowMs < untilMs; nowMs++) {
    const [user, host] = ofSite(nowMs)
    if (!attempts.isBlocked(user, host, nowMs)) attempts.onFailed(user, host, nowMs)
  }
  const failed = failuresUntilBlocked(attempts, (count) => [`v${count}`, '10.0.0.1'], untilMs)
  expect(failed).toBe(failedAttemptsOfNetworkPerMinute)
  expect(attempts.isHostBlocked('10.0.0.2', untilMs)).toBe(false)
})

test('so many addresses are counted each for itself, and those beyond them together', () => {
  const attempts = new Attempts()
  for (let count = 1; count < countedNetworksMax; count++)
    attempts.onHostFailed(`10.1.${count >> 8}.${count & 255}`, 0)
  failuresUntilBlocked(attempts, (count) => [`u${count}`, '10.0.0.1'])
  expect(attempts.isHostBlocked('10.0.0.2', 0)).toBe(false)
  failuresUntilBlocked(attempts, (count) => [`u${count}`, '10.0.0.2'])
  expect(attempts.isHostBlocked('10.0.0.3', 0)).toBe(true)
  expect(attempts.isHostBlocked('10.1.0.1', 0)).toBe(false)
})

test('a user may be guessed at so often, from however many addresses', () => {
  const attempts = new Attempts()
  const anywhere = (count: number): [string, string] => ['ann', `10.0.${count >> 8}.${count & 255}`]
  expect(failuresUntilBlocked(attempts, anywhere)).toBe(failedAttemptsOfUserPerMinute)
})

// 10,000 failures of made-up names took 45 ms, and a blocked pair was free again.
test('no failures of others end a block', () => {
  const attempts = new Attempts()
  failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'])
  for (let count = 0; count < 3 * countedNetworksMax; count++)
    attempts.onFailed(`u${count}`, `10.${(count >> 16) + 1}.${(count >> 8) & 255}.${count & 255}`, 1)
  expect(attempts.isBlocked('ann', '10.0.0.1', 1)).toBe(true)
  // Those beyond the bound are counted together.
  expect(attempts.isHostBlocked('203.0.113.1', 1)).toBe(true)
})

test('a block ends with time: a part of a minute for one more attempt, a minute for all', () => {
  const attempts = new Attempts()
  failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'])
  const oneMs = 60_000 / failedAttemptsOfPairPerMinute
  expect(attempts.isBlocked('ann', '10.0.0.1', oneMs - 1)).toBe(true)
  expect(failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'], oneMs)).toBe(1)
  expect(failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'], oneMs + 60_000)).toBe(
    failedAttemptsOfPairPerMinute,
  )
})

test('a clock that is set back ends no block and makes none longer than a minute', () => {
  const attempts = new Attempts()
  failuresUntilBlocked(attempts, () => ['ann', '10.0.0.1'], 1_000_000)
  expect(attempts.isBlocked('ann', '10.0.0.1', 0)).toBe(true)
  attempts.onFailed('ann', '10.0.0.1', 0)
  expect(attempts.isBlocked('ann', '10.0.0.1', 2 * 60_000)).toBe(false)
})

test('keys that have logged in are known, so many for a user, the latest', () => {
  const attempts = new Attempts()
  for (let count = 0; count <= knownKeysOfUserMax; count++) attempts.onLoggedIn('ann', `k${count}`)
  expect(attempts.isKnown('ann', 'k0')).toBe(false)
  expect(attempts.isKnown('ann', 'k1')).toBe(true)
  expect(attempts.isKnown('bob', 'k1')).toBe(false)
})
