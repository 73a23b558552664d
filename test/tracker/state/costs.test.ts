// A change costs what it changes, however much else there is.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedSet } from '../../../src/tracker/state/ordered-set.ts'
import { changedSections, restoreSections } from '../../../src/tracker/state/sections.ts'
import { isAmong } from '../../../src/tracker/state/sharers.ts'
import type { Group, State } from '../../../src/tracker/state/state.ts'
import { groupOf, register, share, type Wish } from './world.ts'

const g = { group: 'g' }

/** Counts how often this property of these things is read from now on. */
function readsOf<T extends object>(things: Iterable<T>, property: keyof T): () => number {
  let reads = 0
  for (const thing of things) {
    const value = thing[property]
    Object.defineProperty(thing, property, {
      get: () => {
        reads++
        return value
      },
    })
  }
  return () => reads
}

function groupIn(state: State, name = 'g'): Group {
  const group = state.groups.get(name)
  if (group === undefined) throw new Error('no such group')
  return group
}

// Forty members who left and came back stopped a tracker for 100 ms, by each look at 100,000 files.
test.each<[string, Wish]>([
  ['leaving', { kind: 'leave_group', by: 'bob', ...g }],
  ['being removed', { kind: 'remove_member', by: 'ann', user: 'bob', ...g }],
])('%s looks at nothing that others share', (_what, goes) => {
  const world = groupOf('ann', 'bob')
  for (let index = 0; index < 100; index++) world.done(share('ann', 'one', `f${index}`))
  world.done(share('bob', 'one', 'mine'))
  const others = groupIn(world.state)
    .entries.valuesArray()
    .filter(({ name }) => name !== 'mine')
  const reads = readsOf(others, 'sharers')
  world.done(goes)
  expect(reads()).toBe(0)
  expect(groupIn(world.state).entries.size).toBe(100)
})

test('what one no longer shares is forgotten, however often that happens', () => {
  const world = groupOf('ann', 'bob').done(share('ann'))
  for (let index = 0; index < 20; index++) world.done(share('bob', 'one', `f${index}`))
  for (let count = 0; count < 1000; count++)
    world.done(share('bob'), { kind: 'unshare_file', by: 'bob', name: 'f', ...g })
  const reads = readsOf(
    groupIn(world.state)
      .entries.valuesArray()
      .filter(({ name }) => name === 'f'),
    'sharers',
  )
  world.done({ kind: 'leave_group', by: 'bob', ...g })
  expect(reads()).toBeLessThan(20)
})

// It counted its own among all its groups: 40 connections of one in 10,000 groups stopped a tracker for 200 ms.
test('founding, joining and leaving a group look at no other group of the account', () => {
  const world = groupOf('ann')
  for (let index = 0; index < 20; index++)
    world.done({ kind: 'create_group', by: 'ann', group: `other${index}` })
  const others = world.state.groups.valuesArray().filter(({ name }) => name !== 'g')
  const reads = readsOf(others, 'members')
  world.done(
    { kind: 'create_group', by: 'ann', group: 'new' },
    { kind: 'join_group', by: 'zoe', ...g },
    { kind: 'accept_request', by: 'ann', user: 'zoe', ...g },
    { kind: 'leave_group', by: 'ann', ...g },
  )
  expect(reads()).toBe(0)
})

test('the first of a set is found at once, however many before it were taken out', () => {
  const things = Array.from({ length: 100_000 }, (_, index) => ({ index }))
  const ordered = new OrderedSet(things)
  for (const thing of things.slice(0, 49_000)) ordered.delete(thing)
  for (let count = 0; count < 200_000; count++)
    if (ordered.first !== things[49_000]) throw new Error('not the first')
  expect(ordered.first).toBe(things[49_000])
})

// Of a set that closed its gaps while it was read, some were passed over, and counted for ever.
test('when a group ends, no request to join it counts any more', () => {
  const world = groupOf('ann')
  const askers = Array.from({ length: 30 }, (_, index) => `u${index}`)
  for (const user of askers) world.done(register(user), { kind: 'join_group', by: user, ...g })
  world.done({ kind: 'leave_group', by: 'ann', ...g })
  expect(askers.filter((user) => world.state.accounts.get(user)?.requests !== 0)).toEqual([])
})

test('through any story of sharing many files each is found by who shares it, also after a restart', () => {
  const anyStep = fc.record({
    by: fc.constantFrom('ann', 'bob'),
    kind: fc.constantFrom('share', 'share', 'share', 'unshare', 'replace'),
    name: fc.nat({ max: 40 }).map((index) => `f${index}`),
  })
  const agrees = (state: State): void => {
    const { entries, holdings, members } = groupIn(state)
    for (const account of members) {
      const shared = entries.valuesArray().filter(({ sharers }) => isAmong(sharers, account))
      expect(holdings.of(account)).toEqual(shared)
      expect(account.shares).toBe(shared.length)
    }
  }
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 400, size: 'max' }), (story) => {
      const world = groupOf('ann', 'bob')
      world.done({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
      for (const { by, kind, name } of story) {
        if (kind === 'unshare') world.do({ kind: 'unshare_file', by, name, ...g })
        else world.do(share(by, kind === 'share' ? 'one' : 'two', name))
      }
      agrees(world.state)
      const sections = [...changedSections(world.state, 0)] as [string, string][]
      agrees(restoreSections(sections, world.state.position))
      world.done({ kind: 'leave_group', by: 'bob', ...g })
      agrees(world.state)
    }),
    { numRuns: 60 },
  )
})
