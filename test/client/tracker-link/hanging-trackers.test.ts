// Trackers that keep their connections and say nothing: a process that was stopped, a machine that hangs.

import { expect, test, vi } from 'vitest'
import { requestTimeoutMs } from '../../../src/common/limits.ts'
import { isSilent, startTrackers } from './fake-tracker.ts'
import { askedIn, file, loggedIn, nobody, standStill } from './linked.ts'

/** How long one of several trackers may take. */
const answerWithinMs = 2500

// A tracker that hung kept its place as the first: every single command waited ten seconds for it.
test('a tracker that hangs costs its time once, not with every request', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  for (const method of ['create_group', 'ping', 'hello']) first!.instead.set(method, isSilent)
  standStill()
  const asked = link.change('create_group', { group: 'g1' })
  const [before] = await first!.called('create_group')
  await vi.advanceTimersByTimeAsync(answerWithinMs)
  expect(await asked).toMatchObject({ ok: true })
  const [after] = await second!.called('create_group')
  expect(after?.params).toEqual({ ...before?.params, again: true })
  // No more time passes, and all of this is answered.
  expect(await link.ask('list_groups', {})).toMatchObject({ ok: true })
  await link.announce(file('a'), true)
  expect(first!.calls.some(({ method }) => method === 'list_groups')).toBe(false)
})

test('a tracker that does not answer the ping either is given up, and greeted again', async () => {
  const [first, second] = await startTrackers(2)
  const { link, hears, news } = await loggedIn([first!, second!])
  for (const method of ['list_groups', 'ping']) first!.instead.set(method, isSilent)
  standStill()
  const asked = link.ask('list_groups', {})
  await first!.called('list_groups')
  await vi.advanceTimersByTimeAsync(answerWithinMs)
  await asked
  await first!.called('ping')
  await vi.advanceTimersByTimeAsync(requestTimeoutMs - answerWithinMs)
  await hears('one down')
  await vi.waitFor(() => expect(news).toEqual(['up', 'up', 'one down', 'up']))
})

test('a tracker that was only slow is the first to be asked again, once it answers a ping', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  first!.instead.set('list_groups', isSilent)
  standStill()
  const asked = link.ask('list_groups', {})
  await first!.called('list_groups')
  await vi.advanceTimersByTimeAsync(answerWithinMs)
  expect(await asked).toMatchObject({ ok: true })
  first!.instead.clear()
  await vi.waitFor(async () => {
    await link.ask('list_groups', {})
    expect(first!.calls.filter(({ method }) => method === 'list_groups')).toHaveLength(2)
  })
})

test('the only tracker that can be asked has all the time that a request may take', async () => {
  const [tracker] = await startTrackers(1)
  const { link } = await loggedIn([tracker!])
  tracker!.instead.set('list_groups', isSilent)
  const asked = askedIn(link)
  await tracker!.called('list_groups')
  tracker!.instead.set('hello', isSilent)
  await vi.advanceTimersByTimeAsync(requestTimeoutMs - 1)
  expect(asked.outcome).toBeUndefined()
  // Asked once: a slow tracker is not made slower.
  await new Promise((turn) => setImmediate(turn))
  expect(tracker!.calls.filter(({ method }) => ['list_groups', 'ping'].includes(method))).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  await vi.waitFor(() => expect(asked.outcome).toMatchObject(nobody))
})

// The client was still logging in at the second tracker when the first froze: ten seconds later the command failed.
test('a request that hangs at the only tracker goes to another that comes up meanwhile', async () => {
  const [first, second] = await startTrackers(2)
  const { link, hears } = await loggedIn([first!, second!])
  for (const method of ['create_group', 'ping']) first!.instead.set(method, isSilent)
  standStill()
  await second!.stop()
  await hears('one down')
  const asked = link.change('create_group', { group: 'g1' })
  const [before] = await first!.called('create_group')
  await second!.start()
  // The client calls it again after a pause.
  await vi.advanceTimersByTimeAsync(200)
  await hears('up', 3)
  expect(second!.calls.some(({ method }) => method === 'create_group')).toBe(false)
  await vi.advanceTimersByTimeAsync(answerWithinMs)
  expect(await asked).toMatchObject({ ok: true })
  const [after] = await second!.called('create_group')
  expect(after?.params).toEqual({ ...before?.params, again: true })
})
