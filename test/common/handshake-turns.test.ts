import { expect, onTestFinished, test, vi } from 'vitest'
import { HandshakeTurns, type HandshakePace } from '../../src/common/wire/handshake-turns.ts'

/** Turns whose event loop the test runs; what has begun. */
function turns(pace?: HandshakePace): {
  ask: (origin: string, name: string, isNeeded?: boolean) => void
  run: () => string[]
  end: (name: string) => void
} {
  const next: (() => void)[] = []
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const all = new HandshakeTurns(pace, (go) => void next.push(go))
  return {
    ask: (origin, name, isNeeded = true) =>
      all.ask(origin, (onEnded) => {
        ends.set(name, onEnded)
        if (isNeeded) begun.push(name)
        return isNeeded
      }),
    run: () => {
      for (const go of next.splice(0)) go()
      return begun.splice(0)
    },
    end: (name) => ends.get(name)?.(),
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

test('the next one waits while as many as may be are unfinished, each for a while only', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { ask, run, end } = turns({ unfinished: 2, countsForMs: 100 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name, name)
  expect([run(), run(), run()]).toEqual([['a', 'b'], [], []])
  end('a')
  expect([run(), run()]).toEqual([['c'], []])
  // Ended long ago.
  end('a')
  expect(run()).toEqual([])
  vi.advanceTimersByTime(100)
  expect([run(), run()]).toEqual([['d', 'e'], []])
})

test('one that is gone does not count as unfinished', () => {
  const { ask, run, end } = turns({ unfinished: 1, countsForMs: 60_000 })
  ask('a', 'first')
  ask('a', 'gone', false)
  ask('a', 'last')
  expect([run(), run()]).toEqual([['first'], []])
  end('first')
  expect([run(), run()]).toEqual([['last'], []])
})
