// Failed attempts are counted for address, user and both, in bounded memory.

import { expect, test } from 'vitest'
import { Attempts } from '../../../src/tracker/admission/attempts.ts'
import {
  countedNetworksMax,
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfNetworkPerMinute,
  failedAttemptsOfPairPerMinute,
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
