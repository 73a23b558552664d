// Every rule of the hard state, and every way to be told no.

import { expect, test } from 'vitest'
import { trackerKeysMax } from '../../../src/common/limits.ts'
import { rememberedMax } from '../../../src/tracker/state/remembered.ts'
import { findFile, listGroups, listMembers, listRequests } from '../../../src/tracker/state/queries.ts'
import { answerOf } from '../../../src/tracker/requests/sentences.ts'
import { no } from '../../../src/tracker/state/outcomes.ts'
import { changedSections, restoreSections } from '../../../src/tracker/state/sections.ts'
import { legacyOutcomesMax } from '../../../src/tracker/state/legacy-outcomes.ts'
import { allOf } from '../../../src/tracker/state/sharers.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { applyNext, credentials, groupOf, register, share, World } from './world.ts'

const g = { group: 'g' }

function members(world: World, by: string): unknown {
  const answer = listMembers(world.state, by, 'g', undefined)
  return answer.ok ? answer.value.users : answer.reason
}

/** Content, size and sharers of f in g. */
function fileSeenBy(world: World, by: string): unknown {
  const answer = findFile(world.state, by, 'g', 'f')
  if (!answer.ok) return answer.reason
  const { fileId, sizeBytes, sharers } = answer.value
  return [fileId, sizeBytes, Array.from(allOf(sharers), ({ name }) => name)]
}

function requests(world: World, by: string): unknown {
  const answer = listRequests(world.state, by, 'g', undefined)
  return answer.ok ? answer.value.users : answer.reason
}

test('the first tracker names the community, later ones add their keys once', () => {
  const world = new World()
  const start = (key: string, cluster: string) =>
    world.effects({ kind: 'tracker_started', key, cluster, secret: `secret of ${cluster}` })
  expect(start('k1', 'c1')).toEqual([{ kind: 'trackers_changed', trackers: ['k1'] }])
  expect(start('k2', 'c2')).toEqual([{ kind: 'trackers_changed', trackers: ['k1', 'k2'] }])
  expect(start('k2', 'c3')).toEqual([])
  expect(world.state).toMatchObject({ community: 'c1', secret: 'secret of c1' })
})

test('of the keys of trackers that came and went the newest are kept, so that a login can be answered', () => {
  const world = new World()
  for (let index = 0; index < trackerKeysMax + 2; index++)
    world.do({ kind: 'tracker_started', key: `k${index}`, cluster: 'c', secret: 's' })
  const keys = [...world.state.trackers.keys()]
  expect([keys.length, keys[0], keys.at(-1)]).toEqual([trackerKeysMax, 'k2', `k${trackerKeysMax + 1}`])
  // One that was forgotten and starts again is known again.
  const [effect] = world.effects({ kind: 'tracker_started', key: 'k0', cluster: 'c', secret: 's' })
  expect(effect).toEqual({ kind: 'trackers_changed', trackers: [...keys.slice(1), 'k0'] })
})

test('a command by somebody who does not exist is refused', () => {
  const world = groupOf('ann')
  expect(world.answer({ kind: 'join_group', by: 'nobody', ...g })).toBe(
    'no-such-user: there is no user nobody',
  )
})

test('a user name is given once', () => {
  const world = new World().done(register('ann'))
  expect(world.answer(register('ann'))).toBe('user-taken: there is already a user ann')
  expect(world.state.accounts.get('ann')).toMatchObject({ id: 1, credentials })
})

test('whoever creates a group owns it and is its only member', () => {
  const world = groupOf('ann')
  expect(world.answer({ kind: 'create_group', by: 'zoe', ...g })).toBe(
    'group-taken: there is already a group g',
  )
  expect(listGroups(world.state, 'ann', undefined)).toEqual({
    groups: [{ group: 'g', owner: 'ann', members: 1, standing: 'owner' }],
    more: false,
  })
})

test('asking to join is refused without a group, to members, and twice', () => {
  const world = groupOf('ann')
  const join = (by: string, group = 'g') => world.answer({ kind: 'join_group', by, group })
  expect(join('zoe', 'h')).toBe('no-such-group: there is no group h')
  expect(join('ann')).toBe('already-member: you are already a member of g')
  expect(join('zoe')).toBe('done')
  expect(join('zoe')).toBe('already-requested: you have already asked to join g')
  expect(listGroups(world.state, 'zoe', undefined).groups).toMatchObject([{ standing: 'requested' }])
})

test('only the owner sees and decides requests', () => {
  const world = groupOf('ann', 'bob')
  expect(world.effects({ kind: 'join_group', by: 'zoe', ...g })).toEqual([
    { kind: 'join_requested', group: 'g', user: 'zoe', owner: 'ann' },
  ])
  expect(requests(world, 'bob')).toBe('not-the-owner')
  expect(requests(world, 'ann')).toEqual(['zoe'])
  const accept = (by: string, user = 'zoe') => world.answer({ kind: 'accept_request', by, user, ...g })
  expect(accept('bob')).toBe('not-the-owner: only the owner of g may do this')
  expect(accept('zoe')).toBe('not-the-owner: only the owner of g may do this')
  expect(accept('ann')).toBe('done')
  expect(members(world, 'zoe')).toEqual(['ann', 'bob', 'zoe'])
})

test.each(['accept_request', 'reject_request'] as const)('%s needs a request', (kind) => {
  const world = groupOf('ann', 'bob')
  const decide = (user: string, group = 'g') => world.answer({ kind, by: 'ann', group, user })
  expect(decide('zoe', 'h')).toBe('no-such-group: there is no group h')
  expect(decide('zoe')).toBe('no-such-request: zoe has not asked to join g')
  expect(decide('bob')).toBe('already-member: bob is already a member of g')
  // Anybody may own a group, so this would tell who has an account.
  expect(decide('nobody')).toBe('no-such-request: nobody has not asked to join g')
})

test('at level 1 an owner is told who does not exist, as trackers of before have it', () => {
  const world = new World(1).done(register('ann'), { kind: 'create_group', by: 'ann', ...g })
  for (const kind of ['accept_request', 'reject_request', 'remove_member'] as const) {
    const wish = { kind, by: 'ann', user: 'nobody', ...g }
    expect(world.answer(wish)).toBe('no-such-user: there is no user nobody')
  }
})

test('a rejected request is gone, and its asker is told', () => {
  const world = groupOf('ann').done({ kind: 'join_group', by: 'zoe', ...g })
  expect(world.effects({ kind: 'reject_request', by: 'ann', user: 'zoe', ...g })).toEqual([
    { kind: 'request_decided', group: 'g', user: 'zoe', accepted: false },
  ])
  expect(requests(world, 'ann')).toEqual([])
  expect(members(world, 'zoe')).toBe('you-are-no-member')
})

test('when the owner leaves, the longest-standing member becomes the owner', () => {
  const world = groupOf('ann', 'bob', 'cid')
  expect(world.effects({ kind: 'leave_group', by: 'ann', ...g })).toEqual([
    { kind: 'member_left', group: 'g', user: 'ann', members: ['bob', 'cid'] },
    { kind: 'owner_changed', group: 'g', owner: 'bob' },
  ])
  expect(requests(world, 'bob')).toEqual([])
  expect(requests(world, 'cid')).toBe('not-the-owner')
})

test('a founder who comes back is the newest member', () => {
  const world = groupOf('ann', 'bob').done(
    { kind: 'leave_group', by: 'ann', ...g },
    { kind: 'join_group', by: 'ann', ...g },
    { kind: 'accept_request', by: 'bob', user: 'ann', ...g },
  )
  expect(members(world, 'ann')).toEqual(['bob', 'ann'])
})

test('the last member takes the group along, and whoever waits to join is told no', () => {
  const world = groupOf('ann').done({ kind: 'join_group', by: 'zoe', ...g })
  expect(world.effects({ kind: 'leave_group', by: 'ann', ...g })).toEqual([
    { kind: 'member_left', group: 'g', user: 'ann', members: [] },
    { kind: 'request_decided', group: 'g', user: 'zoe', accepted: false },
  ])
  expect(world.state.groups.size).toBe(0)
  expect(world.answer({ kind: 'leave_group', by: 'ann', ...g })).toBe('no-such-group: there is no group g')
  world.done({ kind: 'create_group', by: 'zoe', ...g })
})

test('only a member can leave', () => {
  const world = groupOf('ann')
  expect(world.answer({ kind: 'leave_group', by: 'zoe', ...g })).toBe(
    'not-a-member: you are not a member of g',
  )
})

test('the owner removes others, not herself; nobody else removes anybody', () => {
  const world = groupOf('ann', 'bob', 'cid')
  const remove = (by: string, user: string, group = 'g') =>
    world.answer({ kind: 'remove_member', by, group, user })
  expect(remove('ann', 'bob', 'h')).toBe('no-such-group: there is no group h')
  expect(remove('bob', 'cid')).toBe('not-the-owner: only the owner of g may do this')
  expect(remove('ann', 'ann')).toBe('usage: you own g; to leave it, use leave_group')
  expect(remove('ann', 'zoe')).toBe('not-a-member: zoe is not a member of g')
  expect(remove('ann', 'nobody')).toBe('not-a-member: nobody is not a member of g')
  expect(remove('ann', 'bob')).toBe('done')
  expect(members(world, 'ann')).toEqual(['ann', 'cid'])
})

test('sharing is for members, and the same content under a name adds a sharer', () => {
  const world = groupOf('ann', 'bob')
  expect(world.answer(share('zoe'))).toBe('not-a-member: you are not a member of g')
  expect(world.answer({ ...share('ann'), group: 'h' } as never)).toBe('no-such-group: there is no group h')
  world.done(share('ann'), share('bob'), share('bob'))
  expect(fileSeenBy(world, 'bob')).toEqual(['one', 10, ['ann', 'bob']])
})

test('other content under a name is a new version by its first sharer, and refused to others', () => {
  const world = groupOf('ann', 'bob').done(share('ann'), share('bob'))
  expect(world.answer(share('bob', 'two'))).toBe(
    'name-taken: g has another file called f, shared by ann; rename yours',
  )
  expect(world.effects(share('ann', 'two'))).toEqual([
    { kind: 'file_gone', version: { group: 'g', name: 'f', fileId: 'one' }, sharers: ['ann', 'bob'] },
    {
      kind: 'entry_changed',
      entry: { group: 'g', name: 'f', fileId: 'two', sizeBytes: 10, version: 2, files: undefined },
    },
  ])
  expect(fileSeenBy(world, 'bob')).toEqual(['two', 10, ['ann']])
})

test('the same content with another size is a lie', () => {
  const world = groupOf('ann', 'bob').done(share('ann'))
  expect(world.answer({ ...share('bob'), sizeBytes: 11 } as never)).toBe(
    'name-taken: f in g has another size',
  )
})

test('whoever is the first sharer after the first one withdrew may replace the file', () => {
  const world = groupOf('ann', 'bob').done(share('ann'), share('bob'))
  world.done({ kind: 'unshare_file', by: 'ann', name: 'f', ...g })
  expect(world.answer(share('ann', 'two'))).toContain('name-taken')
  expect(world.answer(share('bob', 'two'))).toBe('done')
})

test('withdrawing is for sharers; the last one takes the file along', () => {
  const world = groupOf('ann', 'bob').done(share('ann'), share('bob'))
  const unshare = (by: string, name = 'f') => ({ kind: 'unshare_file', by, name, ...g }) as const
  const version = { group: 'g', name: 'f', fileId: 'one' }
  expect(world.answer(unshare('zoe'))).toBe('not-a-member: you are not a member of g')
  expect(world.answer(unshare('ann', 'x'))).toBe('no-such-file: there is no file x in g')
  expect(world.effects(unshare('bob'))).toEqual([{ kind: 'share_withdrawn', version, user: 'bob' }])
  expect(world.answer(unshare('bob'))).toBe('not-shared: you do not share f in g')
  expect(world.effects(unshare('ann'))).toEqual([{ kind: 'file_gone', version, sharers: ['ann'] }])
  expect(findFile(world.state, 'ann', 'g', 'f')).toMatchObject({ reason: 'no-such-file' })
})

test('leaving and being removed withdraw all shares in the group', () => {
  const world = groupOf('ann', 'bob', 'cid').done(share('bob'), share('cid'), share('bob', 'two', 'own'))
  const version = (name: string, fileId: string) => ({ group: 'g', name, fileId })
  expect(world.effects({ kind: 'remove_member', by: 'ann', user: 'bob', ...g })).toEqual([
    { kind: 'share_withdrawn', version: version('f', 'one'), user: 'bob' },
    { kind: 'file_gone', version: version('own', 'two'), sharers: ['bob'] },
    { kind: 'member_left', group: 'g', user: 'bob', members: ['ann', 'cid'] },
  ])
  expect(world.effects({ kind: 'leave_group', by: 'cid', ...g })).toContainEqual({
    kind: 'file_gone',
    version: version('f', 'one'),
    sharers: ['cid'],
  })
})

/** All that a state says, but how far it has read and what it remembers of commands. */
function said(state: State): unknown {
  const sections = [...changedSections(state, 0)].filter(([key]) => !key.includes('accounts'))
  const accounts = state.accounts
    .valuesArray()
    .map(({ name, memberships, owned, requests, shares }) => [name, memberships, owned, requests, shares])
  return [sections, accounts]
}

test('a refused command changes nothing but that it is remembered', () => {
  const world = groupOf('ann', 'bob').done(share('ann'))
  const before = said(world.state)
  world.do({ kind: 'create_group', by: 'bob', ...g })
  world.do({ kind: 'remove_member', by: 'bob', user: 'ann', ...g })
  world.do(share('bob', 'two'))
  world.do({ kind: 'unshare_file', by: 'bob', name: 'f', ...g })
  expect(said(world.state)).toEqual(before)
})

test('a command id that was done is done again, without effects, and changes nothing', () => {
  const { state } = groupOf('ann', 'bob').done(share('ann'))
  const leave = { kind: 'leave_group', id: 'the same', by: 'bob', group: 'g' } as const
  expect(applyNext(state, leave).outcome).toMatchObject({ ok: true })
  const before = said(state)
  expect(applyNext(state, leave)).toEqual({ outcome: { ok: true, value: {} }, effects: [] })
  expect(said(state)).toEqual(before)
})

test('a registration that is repeated is done, and the name is taken for everybody else', () => {
  const { state } = new World()
  const again = { kind: 'register', id: 'the same', user: 'ann', credentials } as const
  expect(applyNext(state, again).outcome.ok).toBe(true)
  expect(applyNext(state, again).outcome.ok).toBe(true)
  expect(applyNext(state, { ...again, id: 'another' }).outcome).toMatchObject({ reason: 'user-taken' })
})

// A copy of it may be on its way to the log when its asker has long been told no.
test('what was refused never takes effect later, and is refused for the same reason', () => {
  const { state } = groupOf('ann')
  const early = { kind: 'accept_request', id: 'the same', by: 'ann', group: 'g', user: 'zoe' } as const
  expect(answerOf(applyNext(state, early).outcome)).toMatchObject({ refusal: { code: 'no-such-request' } })
  applyNext(state, { kind: 'join_group', id: 'other', by: 'zoe', group: 'g' })
  expect(answerOf(applyNext(state, early).outcome)).toEqual({
    ok: false,
    refusal: { code: 'no-such-request', sentence: 'this was refused the first time; try again' },
  })
  expect(applyNext(state, { ...early, id: 'a new one' }).outcome.ok).toBe(true)
})

test('command ids of different users have nothing to do with each other', () => {
  const { state } = groupOf('ann')
  const create = (by: string, group: string) =>
    applyNext(state, { kind: 'create_group', id: 'the same', by, group }).outcome.ok
  expect([create('ann', 'a'), create('zoe', 'b')]).toEqual([true, true])
  expect(state.groups.keysArray()).toEqual(['a', 'b', 'g'])
})

test('whatever others do, and however often they are refused, what one has done stays known', () => {
  const { state } = groupOf('ann')
  const done = { kind: 'create_group', id: 'of long ago', by: 'ann', group: 'mine' } as const
  applyNext(state, done)
  for (let count = 0; count < 70_000; count++) {
    const group = count % 2 === 0 ? `z${count % 500}` : 'none'
    applyNext(state, {
      kind: count % 4 === 0 ? 'create_group' : 'leave_group',
      id: String(count),
      by: 'zoe',
      group,
    })
  }
  expect(applyNext(state, done).outcome).toEqual({ ok: true, value: {} })
})

test('of one user so many commands stay known, the latest', () => {
  const { state } = groupOf('ann')
  const command = (count: number) =>
    ({ kind: 'create_group', id: String(count), by: 'ann', group: `g${count}` }) as const
  for (let count = 0; count <= rememberedMax; count++) applyNext(state, command(count))
  expect(applyNext(state, command(1)).outcome.ok).toBe(true)
  expect(applyNext(state, command(0)).outcome).toMatchObject({ reason: 'group-taken' })
})

// A tracker that was cut off held a command for a minute. Its user had done it at another one, left the group again, and
// done more than is remembered: the late copy made the group anew.
test('a command that comes so late that it may be forgotten is not done, and one that is not as late is', () => {
  const { state } = groupOf('ann')
  const create = { kind: 'create_group', id: 'held back', by: 'ann', group: 'mine' } as const
  const after = state.position
  applyNext(state, create)
  applyNext(state, { kind: 'leave_group', id: 'left', by: 'ann', group: 'mine' })
  const others = (from: number, to: number): void => {
    for (let count = from; count < to; count++)
      applyNext(state, { kind: 'join_group', id: String(count), by: 'ann', group: 'none' })
  }
  others(0, rememberedMax - 20)
  expect(applyNext(state, create, { after }).outcome).toEqual({ ok: true, value: {} })
  expect(state.groups.has('mine')).toBe(false)
  others(rememberedMax, 2 * rememberedMax)
  const before = said(state)
  expect(applyNext(state, create, { after })).toEqual({ outcome: no('too-late'), effects: [] })
  expect(said(state)).toEqual(before)
  // A new one of a tracker that is nearly up to date, or does not say how far it is.
  const late = { ...create, id: 'a new one' }
  expect(applyNext(state, late, { after: state.position - 50 }).outcome.ok).toBe(true)
  expect(applyNext(state, { ...late, id: 'another', group: 'other' }).outcome.ok).toBe(true)
})

test('how far back a memory goes is in the snapshot', () => {
  const { state } = groupOf('ann').done({
    kind: 'tracker_started',
    key: 'k',
    cluster: 'c',
    secret: 's',
    level: 2,
  })
  const after = state.position
  for (let count = 0; count < 2 * rememberedMax; count++)
    applyNext(state, { kind: 'join_group', id: String(count), by: 'ann', group: 'none' })
  const sections = [...changedSections(state, 0)] as [string, string][]
  const restored = restoreSections(sections, state.position)
  const late = { kind: 'create_group', id: 'late', by: 'ann', group: 'mine' } as const
  expect(applyNext(restored, late, { after }).outcome).toEqual(no('too-late'))
})

test('at level 1 so many outcomes of all are remembered, refusals too, and the oldest is forgotten first', () => {
  const world = new World(1).done(register('zoe'))
  const { state } = world
  // Thrice over: places of forgotten ones are used again, and what is oldest must stay right.
  for (let id = 0; id <= 3 * legacyOutcomesMax; id++) {
    applyNext(state, { kind: 'leave_group', id: String(id), by: 'zoe', group: 'g' })
  }
  expect(state.outcomes.size).toBe(legacyOutcomesMax)
  const last = 3 * legacyOutcomesMax
  const oldest = last - legacyOutcomesMax + 1
  const ids = [0, oldest - 1, oldest, last]
  expect(ids.map((id) => state.outcomes.get(`zoe ${id}`)?.ok)).toEqual([undefined, undefined, false, false])
})
