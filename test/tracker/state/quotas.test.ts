// One beyond each quota is refused with a sentence, and what a community of 10,000 people needs is not.

import { expect, test } from 'vitest'
import { defaultQuotas, quotaNames, type QuotaName } from '../../../src/tracker/state/quotas.ts'
import { changedSections, restoreSections, type Section } from '../../../src/tracker/state/sections.ts'
import { groupOf, register, share, World, type Wish } from './world.ts'

const set = (quota: QuotaName, value: number): Wish => ({ kind: 'set_quota', quota, value })
const create = (group: string, by = 'ann'): Wish => ({ kind: 'create_group', by, group })
const join = (group: string, by: string): Wish => ({ kind: 'join_group', by, group })
const acceptTo = (group: string, by: string, user: string): Wish => ({
  kind: 'accept_request',
  by,
  group,
  user,
})

const cases: Record<QuotaName, { world: () => World; last: Wish; beyond: Wish; max: number }> = {
  accounts: { world: () => groupOf('ann'), last: register('bob'), beyond: register('cid'), max: 3 },
  accounts_of_address: { world: () => new World(), last: register('bob'), beyond: register('cid'), max: 1 },
  groups_of_account: { world: () => groupOf('ann'), last: create('a'), beyond: create('b'), max: 2 },
  memberships_of_account: { world: () => groupOf('ann'), last: create('a'), beyond: create('b'), max: 2 },
  requests_of_account: {
    world: () => groupOf('ann').done(create('a')),
    last: join('g', 'zoe'),
    beyond: join('a', 'zoe'),
    max: 1,
  },
  requests_of_group: {
    world: () => groupOf('ann').done(register('bob')),
    last: join('g', 'zoe'),
    beyond: join('g', 'bob'),
    max: 1,
  },
  members_of_group: {
    world: () => groupOf('ann').done(register('bob'), join('g', 'zoe'), join('g', 'bob')),
    last: acceptTo('g', 'ann', 'zoe'),
    beyond: acceptTo('g', 'ann', 'bob'),
    max: 2,
  },
  files_of_account: {
    world: () => groupOf('ann'),
    last: share('ann'),
    beyond: share('ann', 'two', 'another'),
    max: 1,
  },
  files_of_group: {
    world: () => groupOf('ann', 'bob'),
    last: share('ann'),
    beyond: share('bob', 'two', 'another'),
    max: 1,
  },
  groups: { world: () => groupOf('ann'), last: create('a'), beyond: create('b', 'zoe'), max: 2 },
  files: {
    world: () => groupOf('ann').done(create('a', 'zoe')),
    last: share('ann'),
    beyond: { ...share('zoe'), group: 'a' } as Wish,
    max: 1,
  },
}

test.each(quotaNames)('%s: so many are allowed, one more is refused until the quota is raised', (name) => {
  const { world, last, beyond, max } = cases[name]
  const state = world().done(set(name, max)).done(last)
  expect(state.answer(beyond)).toMatch(
    new RegExp(
      `^over-quota: the limit of .* is reached \\(${max}\\); whoever runs the trackers can raise it$`,
    ),
  )
  expect(state.done(set(name, max + 1)).answer(beyond)).toBe('done')
})

test('what is shared or asked for no more does not count', () => {
  const world = groupOf('ann').done(set('files_of_account', 1), share('ann'))
  world.done({ kind: 'unshare_file', by: 'ann', group: 'g', name: 'f' }, share('ann', 'two', 'another'))
  world.done(set('requests_of_account', 1), join('g', 'zoe'))
  world.done({ kind: 'reject_request', by: 'ann', group: 'g', user: 'zoe' }, join('g', 'zoe'))
  expect(world.answer(share('ann', 'one', 'third'))).toContain('over-quota')
})

test('accounts are counted by the day and the network that they come from', () => {
  const day = 24 * 60 * 60_000
  const world = new World().done(set('accounts_of_address', 1))
  const from = (user: string, from: string, atMs: number): string =>
    world.answer(register(user), { from, atMs })
  expect(from('a', '2001:db8::1', 0)).toBe('done')
  expect(from('b', '2001:db8::2', day - 1)).toContain('over-quota')
  expect(from('c', '2001:db8:0:1::1', 0)).toBe('done')
  expect(from('d', '2001:db8::2', day)).toBe('done')
  expect(from('e', '2001:db8::2', day)).toContain('over-quota')
})

// A tracker whose clock was years ahead froze the count for good: nobody could register from that address any more.
test('a clock that was ahead, and is set back, begins a new day', () => {
  const world = new World().done(set('accounts_of_address', 1))
  const from = (user: string, atMs: number): string =>
    world.answer(register(user), { from: '10.0.0.1', atMs })
  expect(from('a', 2_000_000_000_000)).toBe('done')
  expect(from('b', 1_000_000_000_000)).toBe('done')
  expect(from('c', 1_000_000_000_000)).toContain('over-quota')
})

test('a snapshot of a program that knew fewer quotas has the defaults of the others', () => {
  const world = new World().done(set('accounts', 5))
  world.done({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
  const sections = [...changedSections(world.state, 0)].map(([key, text = '']): Section => {
    if (key !== '1-community') return [key, text]
    const fields = JSON.parse(text) as { quotas: number[] }
    return [key, JSON.stringify({ ...fields, quotas: fields.quotas.slice(0, 3) })]
  })
  expect(restoreSections(sections, 1).quotas).toEqual({ ...defaultQuotas, accounts: 5 })
})

test('at level 1 there are no quotas, as trackers of before know none', () => {
  const world = new World(1)
  for (let count = 0; count <= 2000; count++) world.done(register(`u${count}`))
  for (let count = 0; count <= defaultQuotas.groups_of_account; count++) world.done(create(`g${count}`, 'u1'))
  expect(world.state.groups.size).toBe(defaultQuotas.groups_of_account + 1)
})
