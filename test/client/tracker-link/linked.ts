// A link to fake trackers, what it says of them, and time that stands still.

import { expect, onTestFinished, vi } from 'vitest'
import type { Told } from '../../../src/client/tracker-link/tracker-connection.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { KnownLogins } from '../../../src/client/storage/known-logins.ts'
import type { SavedLogin } from '../../../src/client/storage/remembered-login.ts'
import {
  TrackerLink,
  type TrackerLinkEvents,
  type TrackerLinkOptions,
} from '../../../src/client/tracker-link/tracker-link.ts'
import type { Address } from '../../../src/common/addresses.ts'
import { scramIterationsMin } from '../../../src/common/limits.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { FakeTracker, password, user } from './fake-tracker.ts'
import { TrackerTrust } from '../../../src/client/tracker-link/tracker-trust.ts'
import { Whereabouts } from '../../../src/client/tracker-link/whereabouts.ts'
import { Protection } from '../../../src/common/wire/protection.ts'

export interface Linked {
  readonly link: TrackerLink
  /** `up` and `all down`, in order. */
  readonly news: string[]
  /** How many logins have been answered. */
  readonly logins: () => number
  /** Resolves when `news` has so many `word`s. */
  readonly hears: (word: string, count?: number) => Promise<void>
  /** The key and the time of each tracker that said its time, in order. */
  readonly times: readonly (readonly [string, number])[]
}

export function standStill(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

export function linkOptions(
  trackers: readonly (FakeTracker | Address)[],
  events: TrackerLinkEvents,
  folder = temporaryFolder(),
  iterations = scramIterationsMin,
): TrackerLinkOptions {
  const identity = makeIdentity()
  const listen = { host: '127.0.0.1', port: 0 }
  return {
    trackers: trackers.map((tracker) => (tracker instanceof FakeTracker ? tracker.address : tracker)),
    listen,
    changes: new NetworkChanges(),
    identity,
    protection: new Protection(identity.forTls, 'beyond'),
    trust: new TrackerTrust(folder, []),
    whereabouts: new Whereabouts({ listen, port: () => 4444 }),
    knownLogins: new KnownLogins(folder, () => undefined),
    iterations,
    events,
  }
}

/** A link to these trackers, which remembers logins in `folder`; it ends with the test. */
export function linkTo(
  trackers: readonly (FakeTracker | Address)[],
  folder?: string,
  iterations?: number,
  resumed?: SavedLogin,
): Linked {
  const news: string[] = []
  const times: [string, number][] = []
  let logins = 0
  let onNews: (() => void) | undefined
  const say = (word: string): void => {
    news.push(word)
    onNews?.()
  }
  const events: TrackerLinkEvents = {
    told: () => ({ file_gone: ({ name }) => say(`${name} gone`) }) as Told,
    // Told at every login.
    onTrackers: () => void logins++,
    onLoginEnded: (user, why) => say(`${user}: ${why}`),
    onTime: (key, timeMs) => void times.push([key, timeMs]),
    onUp: () => say('up'),
    onOtherCommunity: () => say('other'),
    onOneDown: () => say('one down'),
    onAllDown: () => say('all down'),
  }
  const link = new TrackerLink(linkOptions(trackers, events, folder, iterations))
  onTestFinished(async () => {
    link.stop()
    // Else a login would still be written into the folder when that is removed.
    await link.saved()
  })
  if (resumed !== undefined) link.resume(resumed)
  link.start()
  const hears = async (word: string, count = 1): Promise<void> => {
    while (news.filter((each) => each === word).length < count) {
      await new Promise<void>((resolve) => (onNews = resolve))
    }
  }
  return { link, news, times, hears, logins: () => logins }
}

export async function loggedIn(trackers: readonly FakeTracker[]): Promise<Linked> {
  const linked = linkTo(trackers)
  await linked.hears('up', trackers.length)
  expect(await linked.link.login(user, password)).toMatchObject({ ok: true })
  await vi.waitFor(() => expect(linked.logins()).toBe(trackers.length))
  return linked
}

export function file(name: string): { group: string; name: string; fileId: string } {
  return { group: 'g1', name, fileId: 'ab'.repeat(32) }
}

export const nobody = {
  code: 'connection-lost',
  message: expect.stringMatching(/^no answer from tracker.* 127\.0\.0\.1:\d+; is (it|one) running\?$/),
}

/** A request while time stands still: how it ended, once it has. */
export function askedIn(link: TrackerLink): { outcome: unknown } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const asked = { outcome: undefined as unknown }
  link.ask('list_groups', {}).then(
    (answer) => (asked.outcome = answer),
    (error: unknown) => (asked.outcome = error),
  )
  return asked
}
