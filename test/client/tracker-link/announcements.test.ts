// What a tracker is told of what is served here: in batches, in order, and again when it would not have it.

import { expect, test, vi } from 'vitest'
import { announceBatchFiles } from '../../../src/common/limits.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { startTrackers, type FakeTracker } from './fake-tracker.ts'
import { file, loggedIn, standStill } from './linked.ts'

const unavailable = refuse('unavailable', 'not now')

async function oneTracker(): Promise<FakeTracker> {
  const [tracker] = await startTrackers(1)
  if (tracker === undefined) throw new Error('one was started')
  return tracker
}

/** The names of each call of this method, in order. */
async function namesTold(tracker: FakeTracker, method: string, count: number): Promise<string[][]> {
  const calls = await tracker.called(method, count)
  return calls.map(({ params }) => params.files.map(({ name }: { name: string }) => name))
}

/** Refuses the first call of this method. */
function refuseOnce(tracker: FakeTracker, method: string): void {
  tracker.instead.set(method, () => {
    tracker.instead.delete(method)
    return unavailable
  })
}

test('thousands that are announced in one turn go in batches, one after the other', async () => {
  const tracker = await oneTracker()
  const { link } = await loggedIn([tracker])
  let underWay = 0
  let most = 0
  tracker.instead.set('announce', async () => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
    return accept({ refused: [] })
  })
  const names = Array.from({ length: 1000 }, (_, each) => `f${each}`)
  await Promise.all(names.map((name) => link.announce(file(name), true)))
  const told = await namesTold(tracker, 'announce', 1)
  expect(told.flat()).toEqual(names)
  expect(told).toHaveLength(Math.ceil(names.length / announceBatchFiles))
  expect(most).toBe(1)
})

test.each(['announce', 'retract'])(
  'a batch that is refused as a whole (%s) is said again',
  async (method) => {
    const tracker = await oneTracker()
    const { link } = await loggedIn([tracker])
    standStill()
    refuseOnce(tracker, method)
    await link.announce(file('a'), true)
    if (method === 'retract') link.retract(file('a'))
    await tracker.called(method)
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(1000)
      expect(await namesTold(tracker, method, 1)).toEqual([['a'], ['a']])
    })
  },
)

test('what is retracted while it waits to be said again is not said again', async () => {
  const tracker = await oneTracker()
  const { link } = await loggedIn([tracker])
  standStill()
  refuseOnce(tracker, 'announce')
  await link.announce(file('a'), true)
  link.retract(file('a'))
  await tracker.called('retract')
  await vi.advanceTimersByTimeAsync(60_000)
  await link.announce(file('b'), true)
  expect(await namesTold(tracker, 'announce', 2)).toEqual([['a'], ['b']])
})

test('a retraction is not overtaken by the announcements of a tracker that comes back', async () => {
  const tracker = await oneTracker()
  const { link, hears, logins } = await loggedIn([tracker])
  const names = Array.from({ length: 3 * announceBatchFiles }, (_, each) => `f${each}`)
  await Promise.all(names.map((name) => link.announce(file(name), true)))
  await tracker.stop()
  await hears('all down')
  tracker.calls.length = 0
  const last = names.at(-1) ?? ''
  tracker.instead.set('announce', () => {
    // In the middle of saying everything.
    tracker.instead.delete('announce')
    link.retract(file(last))
    return accept({ refused: [] })
  })
  await tracker.start()
  await vi.waitFor(() => expect(logins()).toBe(2))
  await tracker.called('retract')
  const order = tracker.calls.flatMap(({ method, params }) =>
    (params.files ?? []).some((each: { name: string }) => each.name === last) ? [method] : [],
  )
  expect(order.at(-1)).toBe('retract')
  expect(await namesTold(tracker, 'announce', 3)).toHaveLength(3)
})

test('two versions of a name are told apart', async () => {
  const tracker = await oneTracker()
  const { link } = await loggedIn([tracker])
  const old = { ...file('a'), fileId: 'cd'.repeat(32) }
  await link.announce(old, true)
  await link.announce(file('a'), false)
  link.retract(old)
  const [call] = await tracker.called('retract')
  expect(call?.params.files).toEqual([old])
})
