// Whoever listens where the tracker of the session was, and belongs to another community, gets nothing and changes
// nothing. The client used to log its user out for it, who lost sight of all shares and downloads.

import { expect, test, vi } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { startTrackers } from './fake-tracker.ts'
import { file, loggedIn } from './linked.ts'

const refusal = refuse(
  'unavailable',
  'the tracker that answers belongs to another community; log out to use it',
)

test('it is said once it is up, asked for nothing and not heard, and the login stands when the right one is back', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears, news, times } = await loggedIn([tracker!])
  await link.announce(file('a'), true)
  await tracker!.stop()
  await hears('all down')

  tracker!.community = 'c2'
  await tracker!.start()
  await hears('other')
  const before = tracker!.calls.length
  tracker!.tellAll('file_gone', file('a'))
  expect(await link.ask('list_groups', {})).toEqual(refusal)
  expect(await link.change('create_group', { group: 'g' })).toEqual(refusal)
  link.askTimes()
  expect(tracker!.calls).toHaveLength(before)
  expect(times).toHaveLength(1)

  // What was told is on its way, and read before the end.
  await new Promise(setImmediate)
  await tracker!.stop()
  await hears('all down', 2)
  tracker!.community = 'c1'
  await tracker!.start()
  await hears('up', 2)
  expect(await link.ask('list_groups', {})).toEqual(accept({ groups: [], more: false }))
  await tracker!.hears('a', true)
  tracker!.tellAll('file_gone', file('a'))
  await hears('a gone')
  expect(news).toEqual(['up', 'all down', 'other', 'all down', 'up', 'a gone'])
})

test('beside a tracker of the session it is passed over, and not spoken of', async () => {
  const [first, second] = await startTrackers(2)
  const { link, hears, news } = await loggedIn([first!, second!])
  await first!.stop()
  await hears('one down')
  first!.community = 'c2'
  await first!.start()
  await first!.called('hello', 2)
  expect(await link.ask('list_groups', {})).toMatchObject({ ok: true })
  expect(first!.calls.some(({ method }) => method === 'list_groups')).toBe(false)
  expect(await first!.called('login_start')).toHaveLength(1)

  // Now nobody of the session's community is up, though somebody is connected.
  await second!.stop()
  await hears('all down')
  expect(await link.ask('list_groups', {})).toEqual(refusal)
  expect(news).not.toContain('other')
})

test('after a logout it is a tracker like any other', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears, logins } = await loggedIn([tracker!])
  await tracker!.stop()
  await hears('all down')
  tracker!.community = 'c2'
  await tracker!.start()
  await hears('other')
  await link.logout()
  await hears('up', 2)
  expect(await link.login('ann', 'correct horse')).toMatchObject({ ok: true })
  expect(logins()).toBe(2)
})

test('every tracker is asked for its time; one that does not say or is just leaving is no trouble', async () => {
  const [first, second, third] = await startTrackers(3)
  const { link, times } = await loggedIn([first!, second!, third!])
  first!.instead.set('ping', () => accept({ timeMs: 4711 }))
  third!.instead.set('ping', () => accept({ timeMs: 4712 }))
  const before = times.length
  second!.instead.set('ping', (_params, socket) => {
    socket.destroy()
    return accept({})
  })
  link.askTimes()
  await vi.waitFor(() => expect(times).toHaveLength(before + 3))
  expect(times.slice(before)).toEqual(
    expect.arrayContaining([
      [first!.identity.publicKey, 4711],
      [third!.identity.publicKey, 4712],
      // Of its greeting, when it is back.
      [second!.identity.publicKey, expect.any(Number)],
    ]),
  )
})
