// Accounts that end and passwords that change, as rules of the state.

import { expect, test } from 'vitest'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { changedSections, digestOf, restoreSections } from '../../../src/tracker/state/sections.ts'
import { credentials, groupOf, register, share, World } from './world.ts'

const better = { ...credentials, storedKey: 'better' }

test('at level 1 accounts neither end nor change, as trackers of version 0.1 have it', () => {
  const world = new World(1).done(register('ann'))
  const sentence = 'invalid-request: this is possible when all trackers of the community are updated'
  expect(world.answer({ kind: 'delete_account', by: 'ann' })).toBe(sentence)
  expect(world.answer({ kind: 'change_password', by: 'ann', credentials: better })).toBe(sentence)
  expect(world.answer({ kind: 'remove_user', user: 'ann', account: 1 })).toBe(sentence)
})

test('a new password ends the logins of before, and goes on with the next epoch', () => {
  const world = new World().done(register('ann'))
  const wish = { kind: 'change_password', by: 'ann', account: 1, epoch: 0, credentials: better } as const
  expect(world.effects({ ...wish, key: 'k' })).toEqual([
    { kind: 'logins_ended', user: 'ann', account: 1, epoch: 1, spared: 'k', why: 'password-changed' },
  ])
  expect(world.state.accounts.get('ann')).toMatchObject({ epoch: 1, credentials: better })
})

// A tracker that is cut off holds what somebody with the old password asked for.
test('what was asked for with a login that has ended is not done, and not remembered', () => {
  const world = new World().done(register('ann'))
  const late = { kind: 'create_group', by: 'ann', account: 1, epoch: 0, group: 'g', id: 'x' } as Command
  world.done({ kind: 'change_password', by: 'ann', account: 1, epoch: 0, credentials: better })
  expect(world.answer(late)).toBe('unavailable: this login has ended; log in again')
  expect(world.answer({ ...late, epoch: 1 } as Command)).toBe('done')
})

test('who takes a name again has another number, and what was asked for before is not done', () => {
  const world = new World().done(register('ann'), { kind: 'delete_account', by: 'ann' }, register('ann'))
  expect(world.state.accounts.get('ann')).toMatchObject({ id: 2, epoch: 0, remembered: [expect.any(Number)] })
  const late = { by: 'ann', account: 1, epoch: 0 }
  for (const wish of [
    { kind: 'create_group', group: 'g', ...late } as const,
    { kind: 'delete_account', ...late } as const,
  ])
    expect(world.answer(wish)).toBe('unavailable: this login has ended; log in again')
  expect(world.answer({ kind: 'remove_user', user: 'ann', account: 1 })).toBe(
    'no-such-user: there is no user ann',
  )
})

test('a registration that comes after the end of an account, and set out before, does not make it again', () => {
  const world = new World().done(register('ann'))
  const setOutAt = world.state.position
  world.done({ kind: 'delete_account', by: 'ann' })
  expect(world.answer(register('ann'), { after: setOutAt })).toMatch(/^unavailable: this came too late/)
  expect(world.answer(register('ann'), { after: world.state.position })).toBe('done')
})

test('an account that ends passes its groups on, and leaves nothing behind', () => {
  const world = groupOf('ann', 'bob').done(
    share('ann', 'one', 'mine'),
    share('ann'),
    share('bob'),
    { kind: 'create_group', by: 'bob', group: 'asked' },
    { kind: 'join_group', by: 'ann', group: 'asked' },
    { kind: 'create_group', by: 'ann', group: 'alone' },
    { kind: 'join_group', by: 'zoe', group: 'alone' },
  )
  const kinds = world.effects({ kind: 'remove_user', user: 'ann', account: 1 })
  expect(kinds).toMatchObject([
    { kind: 'member_left', group: 'alone', user: 'ann', members: [] },
    { kind: 'request_decided', group: 'alone', user: 'zoe', accepted: false },
    { kind: 'share_withdrawn', user: 'ann', version: { name: 'f' } },
    { kind: 'file_gone', version: { name: 'mine' }, sharers: ['ann'] },
    { kind: 'member_left', group: 'g', user: 'ann', members: ['bob'] },
    { kind: 'owner_changed', group: 'g', owner: 'bob' },
    { kind: 'logins_ended', user: 'ann', account: 1, spared: undefined, why: 'account-deleted' },
  ])
  const { accounts, groups, shelves } = world.state
  expect([accounts.keysArray(), shelves.accounts.find(1)]).toEqual([['bob', 'zoe'], undefined])
  expect([groups.keysArray(), groups.get('asked')?.requests.size]).toEqual([['asked', 'g'], 0])
})

test('a code for a new password works once, within a day, and not after another password was set', () => {
  const world = new World().done(register('ann'))
  const [one, two] = ['a'.repeat(43), 'b'.repeat(43)]
  const issue = (codeHash: string) => ({ kind: 'issue_reset', user: 'ann', account: 1, codeHash }) as const
  const reset = (codeHash: string) =>
    ({ kind: 'reset_password', user: 'ann', codeHash, credentials: better }) as const
  const wrong = expect.stringMatching(/^wrong-code: this code is wrong, used up or too old; /)
  expect(world.answer(reset(one))).toEqual(wrong)
  world.done(issue(one), issue(two))
  expect(world.answer(reset(one))).toEqual(wrong)
  expect(world.effects(reset(two))).toMatchObject([{ kind: 'logins_ended', epoch: 1, spared: undefined }])
  expect(world.answer(reset(two))).toEqual(wrong)
  world.done(issue(one), { kind: 'change_password', by: 'ann', credentials: better })
  expect(world.answer(reset(one))).toEqual(wrong)
  world.done(issue(one))
  const dayMs = 24 * 60 * 60_000
  expect(world.answer(reset(one), { atMs: dayMs + 1 })).toEqual(wrong)
  expect(world.answer(reset(one), { atMs: dayMs })).toBe('done')
  expect(world.answer({ ...reset(one), user: 'nobody' })).toEqual(wrong)
})

test('a snapshot keeps what ended and what waits, and one without it still opens', () => {
  const world = new World().done(
    { kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 },
    register('ann'),
    register('bob'),
  )
  const before = [...changedSections(world.state, 0)].map(([key, text = '']) => [key, text] as const)
  expect(before.map(([, text]) => text).join('')).not.toContain('departures')
  expect(restoreSections(before, world.state.position).departures).toEqual({ remembered: [], lastAt: 0 })
  world.done(
    { kind: 'issue_reset', user: 'bob', account: 2, codeHash: 'a'.repeat(43) },
    { kind: 'delete_account', by: 'ann' },
  )
  const sections = [...changedSections(world.state, 0)].map(([key, text = '']) => [key, text] as const)
  const restored = restoreSections(sections, world.state.position)
  expect(restored.departures).toEqual(world.state.departures)
  expect(restored.accounts.get('bob')?.reset).toEqual(world.state.accounts.get('bob')?.reset)
  expect(digestOf(restored)).toBe(digestOf(world.state))
})
