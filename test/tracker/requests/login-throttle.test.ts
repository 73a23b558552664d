// Failed logins are counted for a minute, in bounded memory.

import { expect, test } from 'vitest'
import { failedLoginsPerMinute } from '../../../src/common/limits.ts'
import { failedLoginPairsMax } from '../../../src/tracker/limits.ts'
import { LoginThrottle } from '../../../src/tracker/requests/login-throttle.ts'

function failing(
  times: number,
  throttle = new LoginThrottle(),
  user = 'ann',
  host = '10.0.0.1',
): LoginThrottle {
  for (let time = 0; time < times; time++) throttle.onFailed(user, host, time)
  return throttle
}

test('a pair of user and address is blocked after so many failures, other pairs are not', () => {
  expect(failing(failedLoginsPerMinute - 1).isBlocked('ann', '10.0.0.1', 10)).toBe(false)
  const throttle = failing(failedLoginsPerMinute)
  expect(throttle.isBlocked('ann', '10.0.0.1', 10)).toBe(true)
  expect(throttle.isBlocked('bob', '10.0.0.1', 10)).toBe(false)
  expect(throttle.isBlocked('ann', '10.0.0.2', 10)).toBe(false)
})

test('a block ends when a failure is a minute old', () => {
  const throttle = failing(failedLoginsPerMinute)
  expect(throttle.isBlocked('ann', '10.0.0.1', 59_999)).toBe(true)
  expect(throttle.isBlocked('ann', '10.0.0.1', 60_000)).toBe(false)
})

test('only so many pairs are remembered; the one that failed longest ago is forgotten', () => {
  const throttle = failing(failedLoginsPerMinute)
  failing(failedLoginsPerMinute, throttle, 'bob')
  for (let user = 0; user < failedLoginPairsMax - 1; user++) throttle.onFailed(`u${user}`, '10.0.0.1', 10)
  expect(throttle.isBlocked('ann', '10.0.0.1', 10)).toBe(false)
  expect(throttle.isBlocked('bob', '10.0.0.1', 10)).toBe(true)
})
