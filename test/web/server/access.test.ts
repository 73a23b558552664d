// Links and cookies of the page.

import { expect, test } from 'vitest'
import { Access } from '../../../src/web/server/access.ts'
import { pageLimits } from '../../../src/web/server/limits.ts'

test('a link is good once', () => {
  const access = new Access(() => 0)
  const token = access.issue()
  expect(access.redeem(token)).toBeTypeOf('string')
  expect(access.redeem(token)).toBeUndefined()
})

test('a link is good for two minutes', () => {
  let nowMs = 0
  const access = new Access(() => nowMs)
  const [early, late] = [access.issue(), access.issue()]
  nowMs = pageLimits.linkLifetimeMs - 1
  expect(access.redeem(early)).toBeTypeOf('string')
  nowMs = pageLimits.linkLifetimeMs
  expect(access.redeem(late)).toBeUndefined()
})

test('a cookie is known, a token or a guess is none', () => {
  const access = new Access(() => 0)
  const token = access.issue()
  const cookie = access.redeem(token) ?? ''
  expect(access.knows(cookie)).toBe(true)
  expect([token, '', 'guess', cookie.slice(1)].map((each) => access.knows(each))).toEqual([
    false,
    false,
    false,
    false,
  ])
})

test('of many links the last sixteen are good', () => {
  const access = new Access(() => 0)
  const tokens = Array.from({ length: 20 }, () => access.issue())
  expect(tokens.map((token) => access.redeem(token) !== undefined)).toEqual(
    tokens.map((_, index) => index >= 4),
  )
})

test('of many browsers the one that was silent for longest is forgotten', () => {
  const access = new Access(() => 0)
  const come = (): string => access.redeem(access.issue()) ?? ''
  const [first, second] = [come(), come()]
  access.knows(first)
  for (let count = 0; count < 63; count++) come()
  expect([first, second].map((cookie) => access.knows(cookie))).toEqual([true, false])
})
