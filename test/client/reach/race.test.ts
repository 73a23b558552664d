// A race between ways: the first that opens is taken, and whatever comes late is closed.

import { expect, test, vi } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { Race } from '../../../src/client/reach/race.ts'

const lost = (sentence: string): Failure => new Failure('connection-lost', sentence)

/** A runner that ends when it is told to. */
function runner(name: string): {
  readonly name: string
  readonly run: (signal: AbortSignal) => Promise<string>
  readonly arrive: () => void
  readonly fall: (error: Error) => void
  readonly isStopped: () => boolean
} {
  let arrive = (): void => {}
  let fall: (error: Error) => void = () => {}
  let signal: AbortSignal | undefined
  const end = new Promise<string>((resolve, reject) => {
    arrive = () => resolve(name)
    fall = reject
  })
  const run = (given: AbortSignal): Promise<string> => {
    signal = given
    return end
  }
  return { name, run, arrive, fall, isStopped: () => signal?.aborted === true }
}

test('the first that comes is taken, the others are told to stop, and what comes late is handed back', async () => {
  const late: string[] = []
  const race = new Race<string>((one) => late.push(one))
  const [one, other, third] = [runner('one'), runner('other'), runner('third')]
  race.start(one)
  race.start(other)
  race.start(third)
  other.arrive()
  expect(await race.result).toBe('other')
  expect(one.isStopped()).toBe(true)
  one.arrive()
  third.fall(lost('too late'))
  await vi.waitUntil(() => late.length === 1)
  expect(late).toEqual(['one'])
  expect(race.fallen).toEqual([])
})

test('it is lost when nobody runs or waits any more, and says why each fell', async () => {
  const race = new Race<string>(() => {})
  const [one, other] = [runner('one'), runner('other')]
  race.start(one)
  race.later(0, () => race.start(other))
  one.fall(lost('no road'))
  await vi.waitUntil(() => race.hasStarted('other'))
  expect(race.isRunning('one')).toBe(false)
  expect(race.isRunning('other')).toBe(true)
  other.fall(lost('no bridge'))
  expect(await race.result).toBeUndefined()
  expect(race.fallen.map(({ name, failure }) => `${name}: ${failure.message}`)).toEqual([
    'one: no road',
    'other: no bridge',
  ])
})

test('who was to start later does not when somebody has come', async () => {
  const race = new Race<string>(() => {})
  const one = runner('one')
  let started = false
  race.start(one)
  race.later(0, () => (started = true))
  one.arrive()
  await race.result
  // Timers of as many milliseconds fire in the order in which they were set.
  const passed = new Promise<void>((resolve) => {
    new Race<string>(() => {}).later(0, resolve)
  })
  await passed
  expect(started).toBe(false)
})

test('a bug of a runner ends the race as a bug', async () => {
  const race = new Race<string>(() => {})
  const one = runner('one')
  race.start(one)
  one.fall(new TypeError('a bug'))
  await expect(race.result).rejects.toThrow(TypeError)
})
