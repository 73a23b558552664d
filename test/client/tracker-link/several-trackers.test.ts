// What a client hears from several trackers at once: every key, and every piece of news once.

import { expect, onTestFinished, test, vi } from 'vitest'
import type { Told } from '../../../src/client/tracker-link/tracker-connection.ts'
import { TrackerLink, type Teller } from '../../../src/client/tracker-link/tracker-link.ts'
import { password, startTrackers, user, type FakeTracker } from './fake-tracker.ts'
import { linkOptions } from './linked.ts'

interface Listening {
  readonly link: TrackerLink
  readonly keys: string[]
  /** Who asks to join, and whether the first tracker says so. */
  readonly asked: string[]
}

async function loggedIn(trackers: readonly FakeTracker[]): Promise<Listening> {
  const keys: string[] = []
  const asked: string[] = []
  const told = ({ isNews }: Teller): Partial<Told> => ({
    join_requested: (request) => void asked.push(`${request.user} ${isNews(request) ? 'first' : 'again'}`),
  })
  const nothing = (): void => undefined
  const link = new TrackerLink(
    linkOptions(trackers, {
      told: (teller) => told(teller) as Told,
      onTrackers: (all) => keys.push(...all),
      onLoginEnded: () => undefined,
      onTime: nothing,
      onUp: nothing,
      onOtherCommunity: nothing,
      onOneDown: nothing,
      onAllDown: nothing,
    }),
  )
  onTestFinished(() => link.stop())
  link.start()
  expect(await link.login(user, password)).toMatchObject({ ok: true })
  await vi.waitFor(() => expect(keys).toHaveLength(trackers.length))
  return { link, keys, asked }
}

test('every tracker says at the login whose tickets count, also one that comes back', async () => {
  const [first, second] = (await startTrackers(2)) as [FakeTracker, FakeTracker]
  const { keys } = await loggedIn([first, second])
  expect(new Set(keys)).toEqual(new Set([first.identity.publicKey, second.identity.publicKey]))
  keys.length = 0
  await second.stop()
  await second.start()
  await vi.waitFor(() => expect(keys).toEqual([second.identity.publicKey]))
})

test('what all tell is news from whichever tells it first, also when another has gone', async () => {
  const [first, second] = (await startTrackers(2)) as [FakeTracker, FakeTracker]
  const { link, asked } = await loggedIn([first, second])
  for (const tracker of [first, second]) tracker.tellAll('join_requested', { group: 'g1', user: 'ben' })
  await vi.waitFor(() => expect(asked.toSorted()).toEqual(['ben again', 'ben first']))
  // The same again is news again, whoever is first this time.
  asked.length = 0
  for (const tracker of [second, first]) tracker.tellAll('join_requested', { group: 'g1', user: 'ben' })
  await vi.waitFor(() => expect(asked.toSorted()).toEqual(['ben again', 'ben first']))
  await first.stop()
  expect(await link.ask('list_groups', {})).toMatchObject({ ok: true })
  second.tellAll('join_requested', { group: 'g1', user: 'cem' })
  await vi.waitFor(() => expect(asked).toContain('cem first'))
})
