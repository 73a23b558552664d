// News that several trackers tell, heard once.

import { expect, test } from 'vitest'
import { ToldOnce } from '../../../src/client/tracker-link/told-once.ts'

const [one, two] = [{ number: 1 }, { number: 2 }]
const ben = { kind: 'join-requested', user: 'ben' }

test('what two tell is news once each time that it happens, whoever is first', () => {
  const told = new ToldOnce()
  const tellers = [one, two, two, one, one, two]
  expect(tellers.map((teller) => told.isNews(teller, ben))).toEqual([true, false, true, false, true, false])
})

test('a tracker that hangs holds up no news, and what it tells late is none', () => {
  const told = new ToldOnce()
  expect([two, two, one, one, one].map((teller) => told.isNews(teller, ben))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ])
})

test('a tracker that comes back does not count what it has missed', () => {
  const told = new ToldOnce()
  for (const teller of [one, two]) told.isNews(teller, ben)
  told.onGone(one)
  expect(told.isNews(two, ben)).toBe(true)
  told.onConnected(one)
  expect([one, two].map((teller) => told.isNews(teller, ben))).toEqual([true, false])
})

test('different news have nothing to do with each other', () => {
  const told = new ToldOnce()
  expect(told.isNews(one, ben)).toBe(true)
  expect(told.isNews(two, { ...ben, user: 'cem' })).toBe(true)
})
