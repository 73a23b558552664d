import { expect, test } from 'vitest'
import { HandshakeTurns } from '../../src/common/wire/handshake-turns.ts'

/** Turns whose event loop the test runs; what has begun. */
function turns(): { ask: (origin: string, name: string, isNeeded?: boolean) => void; run: () => string[] } {
  const next: (() => void)[] = []
  const begun: string[] = []
  const all = new HandshakeTurns((go) => void next.push(go))
  return {
    ask: (origin, name, isNeeded = true) =>
      all.ask(origin, () => {
        if (isNeeded) begun.push(name)
        return isNeeded
      }),
    run: () => {
      for (const go of next.splice(0)) go()
      return begun.splice(0)
    },
  }
}

test('one begins in each turn of the event loop, the first at once', () => {
  const { ask, run } = turns()
  for (const name of ['a', 'b', 'c']) ask('one', name)
  expect([run(), run(), run(), run()]).toEqual([['a', 'b'], ['c'], [], []])
  ask('one', 'd')
  expect(run()).toEqual(['d'])
})

test('whoever has many waits for those who have few', () => {
  const { ask, run } = turns()
  for (const name of ['a1', 'a2', 'a3', 'a4']) ask('a', name)
  for (const name of ['b1', 'b2']) ask('b', name)
  ask('c', 'c1')
  expect([run(), run(), run(), run(), run(), run()].flat()).toEqual([
    'a1',
    'a2',
    'b1',
    'c1',
    'a3',
    'b2',
    'a4',
  ])
})

test('one that is gone takes no turn', () => {
  const { ask, run } = turns()
  ask('a', 'first')
  for (const name of ['gone', 'gone too']) ask('a', name, false)
  ask('a', 'last')
  expect(run()).toEqual(['first', 'last'])
})
