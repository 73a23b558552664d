// Who may register, as rules of the state.

import { expect, test } from 'vitest'
import { inviteMs, invitesMax } from '../../../src/tracker/state/registration.ts'
import { changedSections, digestOf, restoreSections } from '../../../src/tracker/state/sections.ts'
import { register, World, type Wish } from './world.ts'

const code = 'a'.repeat(43)
const invited: Wish = { kind: 'set_registration', mode: 'invited' }
const closed: Wish = { kind: 'set_registration', mode: 'closed' }
const add = (codeHash = code): Wish => ({ kind: 'add_invite', codeHash })
const withCode = (user: string, invite = code): Wish => ({ ...register(user), invite }) as Wish

test('where an invitation is needed, each lets one in', () => {
  const world = new World().done(invited, add())
  expect(world.answer(register('ann'))).toMatch(/^not-invited: new users need a code here: /)
  expect(world.answer(withCode('ann', 'b'.repeat(43)))).toMatch(/^wrong-code: /)
  expect(world.answer(withCode('ann'))).toBe('done')
  expect(world.answer(withCode('bob'))).toMatch(/^wrong-code: /)
})

test('where registration is closed, nobody gets in, with a code neither', () => {
  const world = new World().done(add(), closed)
  for (const wish of [register('ann'), withCode('ann')])
    expect(world.answer(wish)).toMatch(/^registration-closed: /)
  expect(world.done({ kind: 'set_registration', mode: 'open' }).answer(register('ann'))).toBe('done')
})

test('strangers without an invitation do not learn which names are taken, and use none up by a taken one', () => {
  const world = new World().done(register('ann'), invited, add())
  expect(world.answer(register('ann'))).toMatch(/^not-invited: /)
  expect(world.answer(withCode('ann'))).toBe('user-taken: there is already a user ann')
  expect(world.answer(withCode('bob'))).toBe('done')
})

test('an invitation lapses after a week; lapsed ones make room for new ones', () => {
  const world = new World().done(invited)
  for (let index = 0; index < invitesMax; index++) world.done(add(String(index).padStart(43, '0')))
  expect(world.answer(add())).toBe(
    'over-quota: 1000 invitations are not used yet; the oldest expire within a week',
  )
  expect(world.answer(withCode('ann', '0'.repeat(43)), { atMs: inviteMs + 1 })).toMatch(/^wrong-code: /)
  expect(world.answer(add(), { atMs: inviteMs + 1 })).toBe('done')
  expect([...world.state.registration.invites.keys()]).toEqual([code])
  expect(world.answer(withCode('ann'), { atMs: 2 * inviteMs + 1 })).toBe('done')
})

test('a repeated registration with a used invitation is told as done', () => {
  const world = new World().done(invited, add())
  const once = { id: 'the same', ...withCode('ann') } as object as Wish
  expect([world.answer(once), world.answer(once)]).toEqual(['done', 'done'])
})

test('at level 1 everybody registers, as trackers of version 0.1 have it', () => {
  const world = new World(1)
  const sentence = 'invalid-request: this is possible when all trackers of the community are updated'
  expect([world.answer(closed), world.answer(add())]).toEqual([sentence, sentence])
  expect(world.answer(withCode('ann'))).toBe('done')
})

test('a snapshot keeps who may register, and one without it is open', () => {
  const world = new World().done({
    kind: 'tracker_started',
    key: 'k',
    cluster: 'c',
    secret: 's',
    level: 2,
  })
  const sections = () => [...changedSections(world.state, 0)].map(([key, text = '']) => [key, text] as const)
  expect(sections().join()).not.toContain('open')
  expect(restoreSections(sections(), 1).registration).toEqual({ mode: 'open', invites: new Map() })
  world.done(invited, add())
  const restored = restoreSections(sections(), world.state.position)
  expect(restored.registration).toEqual(world.state.registration)
  expect(digestOf(restored)).toBe(digestOf(world.state))
})
