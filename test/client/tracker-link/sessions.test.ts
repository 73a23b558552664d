// A client that comes back logs in with its session, and with the password where that is not enough.

import { expect, test, vi } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { password, startTrackers, user, type FakeTracker } from './fake-tracker.ts'
import { linkTo, type Linked } from './linked.ts'

async function loggedIn(count = 1): Promise<{ linked: Linked; trackers: FakeTracker[] }> {
  const trackers = await startTrackers(count)
  for (const tracker of trackers) tracker.session = 'a session'
  const linked = linkTo(trackers)
  await linked.hears('up', count)
  expect(await linked.link.login(user, password)).toEqual(accept(undefined))
  await vi.waitFor(() => expect(linked.logins()).toBe(count))
  return { linked, trackers }
}

const methodsOf = (tracker: FakeTracker, pattern: RegExp): string[] =>
  tracker.calls.map(({ method }) => method).filter((method) => pattern.test(method))

test('the password is used once, and the session at every other tracker', async () => {
  const { trackers } = await loggedIn(2)
  const all = trackers.flatMap((tracker) => methodsOf(tracker, /login/))
  expect(all.toSorted()).toEqual(['login_finish', 'login_start', 'resume_login'])
  const resumed = trackers.flatMap(({ calls }) => calls).find(({ method }) => method === 'resume_login')
  expect(resumed?.params).toMatchObject({ session: 'a session', port: 4444 })
})

test('after a restart of the tracker the session is enough', async () => {
  const { linked, trackers } = await loggedIn()
  const [tracker] = trackers as [FakeTracker]
  await tracker.stop()
  await linked.hears('all down')
  tracker.calls.length = 0
  await tracker.start()
  await linked.hears('up', 2)
  expect(methodsOf(tracker, /login/)).toEqual(['resume_login'])
})

test.each([
  ['does not take the session', refuse('ticket-invalid', 'no')],
  ['knows no sessions', refuse('unknown-method', 'no')],
  ['is behind the others', refuse('unavailable', 'no')],
])('a tracker that %s gets the password', async (_, refusal) => {
  const { linked, trackers } = await loggedIn()
  const [tracker] = trackers as [FakeTracker]
  tracker.instead.set('resume_login', () => refusal)
  await tracker.stop()
  await linked.hears('all down')
  tracker.calls.length = 0
  await tracker.start()
  await linked.hears('up', 2)
  expect(methodsOf(tracker, /login/)).toEqual(['resume_login', 'login_start', 'login_finish'])
})

// With the password of before it would try, and be counted as somebody who guesses.
test('where the login has ended meanwhile, that is said, and no password is tried', async () => {
  const { linked, trackers } = await loggedIn()
  const [tracker] = trackers as [FakeTracker]
  tracker.instead.set('resume_login', () => refuse('login-ended', 'it has ended'))
  await tracker.stop()
  await linked.hears('all down')
  tracker.calls.length = 0
  await tracker.start()
  await linked.hears(`${user}: it has ended`)
  expect(methodsOf(tracker, /login/)).toEqual(['resume_login'])
})

/** A client that starts with the login that another run has left behind. */
function startedAgain(linked: Linked, trackers: readonly FakeTracker[]): Linked {
  const saved = linked.link.savedLogin
  if (saved === undefined) throw new Error('nothing to remember')
  linked.link.stop()
  for (const tracker of trackers) tracker.calls.length = 0
  return linkTo(trackers, undefined, undefined, saved)
}

test('a login that is remembered goes on in another run, without the password and at every tracker', async () => {
  const { linked, trackers } = await loggedIn(2)
  const again = startedAgain(linked, trackers)
  await again.hears('up', 2)
  const methods = trackers.flatMap((tracker) => methodsOf(tracker, /login/))
  expect(methods).toEqual(['resume_login', 'resume_login'])
  expect(await again.link.ask('list_groups', {})).toMatchObject({ ok: true })
})

test.each([
  ['ticket-lapsed', 'it has lapsed'],
  ['ticket-invalid', 'no tracker signed it'],
] as const)(
  'a remembered login is over when a tracker says %s, and is not tried again',
  async (code, why) => {
    const { linked, trackers } = await loggedIn()
    const [tracker] = trackers as [FakeTracker]
    tracker.instead.set('resume_login', () => refuse(code, why))
    const again = startedAgain(linked, trackers)
    await again.hears(`${user}: the remembered login does not hold any more; log in again`)
    expect(again.link.savedLogin).toBeUndefined()
    expect(methodsOf(tracker, /login/)).toEqual(['resume_login'])
  },
)

test('a remembered login outlasts a tracker that is only behind or full', async () => {
  const { linked, trackers } = await loggedIn()
  const [tracker] = trackers as [FakeTracker]
  const refusals = [refuse('unavailable', 'behind'), refuse('busy', 'full')]
  tracker.instead.set('resume_login', () => {
    const [next = refuse('busy', 'full')] = refusals.splice(0, 1)
    if (refusals.length === 0) tracker.instead.delete('resume_login')
    return next
  })
  const again = startedAgain(linked, trackers)
  await again.hears('up')
  expect(again.news).toEqual(['up'])
  expect(methodsOf(tracker, /login/)).toEqual(['resume_login', 'resume_login', 'resume_login'])
})

test('a tracker that takes the session without knowing the user is not used', async () => {
  const { linked, trackers } = await loggedIn()
  const [tracker] = trackers as [FakeTracker]
  const verifier = Buffer.alloc(32).toString('base64')
  tracker.instead.set('resume_login', () => accept({ verifier, trackers: [] }))
  await tracker.stop()
  await linked.hears('all down')
  const logins = linked.logins()
  await tracker.start()
  await tracker.called('resume_login', 2)
  expect([linked.logins(), linked.news.filter((word) => word === 'up').length]).toEqual([logins, 1])
})
