// Hidden groups: listed to those who are in them or ask to be, and to nobody else.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pageEntries } from '../../../src/common/limits.ts'
import { listGroups } from '../../../src/tracker/state/queries.ts'
import { changedSections, digestOf, restoreSections } from '../../../src/tracker/state/sections.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { register, World } from './world.ts'

const hidden = true as const
const create = (by: string, group: string) => ({ kind: 'create_group', by, group }) as const
const createHidden = (by: string, group: string) => ({ ...create(by, group), hidden })
const join = (by: string, group: string) => ({ kind: 'join_group', by, group }) as const

/** All pages one after the other. */
function listedTo(state: State, user: string): string[] {
  const names: string[] = []
  for (;;) {
    const { groups, more } = listGroups(state, user, names.at(-1))
    expect(groups.length).toBeLessThanOrEqual(pageEntries)
    names.push(...groups.map(({ group }) => group))
    if (!more) return names
    expect(groups).toHaveLength(pageEntries)
  }
}

function withAnnsSecret(): World {
  return new World().done(
    ...['ann', 'bob', 'cid'].map(register),
    create('ann', 'open'),
    createHidden('ann', 'my'),
  )
}

test('a hidden group is listed to its members and those who ask to join, as long as they are or do', () => {
  const world = withAnnsSecret()
  const listed = (): string[][] => ['ann', 'bob', 'cid'].map((user) => listedTo(world.state, user))
  expect(listed()).toEqual([['my', 'open'], ['open'], ['open']])
  world.done(join('bob', 'my'))
  expect(listed()).toEqual([['my', 'open'], ['my', 'open'], ['open']])
  world.done({ kind: 'reject_request', by: 'ann', group: 'my', user: 'bob' })
  expect(listed()).toEqual([['my', 'open'], ['open'], ['open']])
  world.done(join('bob', 'my'), { kind: 'accept_request', by: 'ann', group: 'my', user: 'bob' })
  expect(listed()).toEqual([['my', 'open'], ['my', 'open'], ['open']])
  world.done({ kind: 'remove_member', by: 'ann', group: 'my', user: 'bob' }, join('cid', 'my'))
  expect(listed()).toEqual([['my', 'open'], ['open'], ['my', 'open']])
  world.done({ kind: 'leave_group', by: 'ann', group: 'my' })
  expect(listed()).toEqual([['open'], ['open'], ['open']])
})

test('it says that it is hidden, and how one stands to it; others do not', () => {
  const { state } = withAnnsSecret()
  expect(listGroups(state, 'ann', undefined).groups).toEqual([
    { group: 'my', owner: 'ann', members: 1, standing: 'owner', hidden: true },
    { group: 'open', owner: 'ann', members: 1, standing: 'owner' },
  ])
})

test('a name that ends with its hidden group may be that of a group for all, and the other way round', () => {
  const world = withAnnsSecret()
  world.done({ kind: 'leave_group', by: 'ann', group: 'my' }, create('bob', 'my'))
  expect(listedTo(world.state, 'cid')).toEqual(['my', 'open'])
  world.done({ kind: 'leave_group', by: 'bob', group: 'my' }, createHidden('cid', 'my'))
  expect(listedTo(world.state, 'bob')).toEqual(['open'])
})

test('pages have hidden groups among the others in the order of names, each once', () => {
  const anyName = fc.stringMatching(/^[a-z0-9]{1,3}$/)
  const anyGroups = fc.uniqueArray(fc.tuple(anyName, fc.boolean(), fc.boolean()), {
    maxLength: 500,
    size: 'max',
    selector: ([name]) => name,
  })
  fc.assert(
    fc.property(anyGroups, (groups) => {
      const world = new World().done(register('ann'), register('bob'))
      world.do({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
      for (const [name, isHidden, isAnns] of groups)
        world.done((isHidden ? createHidden : create)(isAnns ? 'ann' : 'bob', name))
      const forAnn = groups.filter(([, isHidden, isAnns]) => isAnns || !isHidden).map(([name]) => name)
      expect(listedTo(world.state, 'ann')).toEqual(forAnn.toSorted())
      const sections = [...changedSections(world.state, 0)].map(([key, text = '']) => [key, text] as const)
      const again = restoreSections(
        sections.toSorted(([one], [other]) => (one < other ? -1 : 1)),
        world.state.position,
      )
      expect(digestOf(again)).toBe(digestOf(world.state))
      expect(listedTo(again, 'ann')).toEqual(forAnn.toSorted())
    }),
    { numRuns: 30 },
  )
})

test('while a tracker of an older version is in the community, which would list it, none is made', () => {
  const world = new World(1).done(register('ann'))
  expect(world.answer(createHidden('ann', 'my'))).toBe(
    'invalid-request: this is possible when all trackers of the community are updated',
  )
  expect(listedTo(world.state, 'ann')).toEqual([])
})
