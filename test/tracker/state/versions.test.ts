// The contents that a name had, one after the other.

import { expect, test } from 'vitest'
import { earlierVersionsMax } from '../../../src/common/limits.ts'
import { changedSections, restoreSections } from '../../../src/tracker/state/sections.ts'
import { listVersions } from '../../../src/tracker/state/queries.ts'
import { numberOf } from '../../../src/tracker/state/entries.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { groupOf, share, World, register, type UserWish } from './world.ts'

const g = { group: 'g' } as const

/** Number, file id, time, user and number of files of each, the latest first. */
function versionsIn(state: State, name = 'f'): unknown[] {
  const found = listVersions(state, 'ann', 'g', name)
  if (!found.ok) return [found.reason]
  return found.value.map((one) => [
    numberOf(one),
    one.fileId,
    one.edition?.atMs,
    one.edition?.by,
    one.edition?.files,
  ])
}

function folder(by: string, fileId: string, files = 12): UserWish {
  return { ...share(by, fileId), files } as UserWish
}

test('each content of a name is known with who shared it first and when, also after a restart', () => {
  const world = groupOf('ann', 'bob')
  world.do(share('ann', 'one'), { atMs: 1000 })
  world.do(share('bob', 'one'), { atMs: 2000 })
  world.do(folder('ann', 'two'), { atMs: 3000 })
  const expected = [
    [2, 'two', 3000, 'ann', 12],
    [1, 'one', 1000, 'ann', undefined],
  ]
  expect(versionsIn(world.state)).toEqual(expected)
  world.done({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 3 })
  const sections = [...changedSections(world.state, 0)] as [string, string][]
  expect(versionsIn(restoreSections(sections, world.state.position))).toEqual(expected)
})

test('only so many contents before the last are remembered, and their numbers go on', () => {
  const world = groupOf('ann')
  const count = earlierVersionsMax + 3
  for (let index = 1; index <= count; index++) world.done(share('ann', `content ${index}`))
  const versions = versionsIn(world.state)
  expect(versions).toHaveLength(earlierVersionsMax + 1)
  expect(versions[0]).toEqual([count, `content ${count}`, 0, 'ann', undefined])
  expect(versions.at(-1)).toEqual([3, 'content 3', 0, 'ann', undefined])
})

test('a name that nobody shares any more begins anew', () => {
  const world = groupOf('ann').done(share('ann', 'one'), share('ann', 'two'))
  world.done({ kind: 'unshare_file', by: 'ann', name: 'f', ...g })
  expect(versionsIn(world.state)).toEqual(['no-such-file'])
  world.done(share('ann', 'three'))
  expect(versionsIn(world.state)).toEqual([[1, 'three', 0, 'ann', undefined]])
})

test('what was shared before all trackers knew versions is the first one, of nobody knows whom', () => {
  const world = new World(2).done(register('ann'), { kind: 'create_group', by: 'ann', ...g })
  world.done(share('ann', 'one'), share('ann', 'two'))
  expect(world.answer(folder('ann', 'three'))).toContain(
    'invalid-request: this is possible when all trackers',
  )
  const before = JSON.stringify([...changedSections(world.state, 0)].at(-1))
  expect(before).toContain('"two\\",10,[1]]')
  world.done({ kind: 'raise_level', level: 3 })
  expect(versionsIn(world.state)).toEqual([[1, 'two', undefined, undefined, undefined]])
  world.do(folder('ann', 'three'), { atMs: 4000 })
  expect(versionsIn(world.state)).toEqual([
    [2, 'three', 4000, 'ann', 12],
    [1, 'two', undefined, undefined, undefined],
  ])
})

test('a content is a file or a folder, and of so many files, whoever shares it', () => {
  const world = groupOf('ann', 'bob').done(folder('ann', 'one'))
  expect(world.answer(share('bob', 'one'))).toContain('name-taken')
  expect(world.answer(folder('bob', 'one', 13))).toContain('name-taken')
  expect(world.answer(folder('bob', 'one'))).toBe('done')
})

test('outsiders learn nothing of versions', () => {
  const world = groupOf('ann').done(share('ann', 'one'))
  expect(listVersions(world.state, 'zoe', 'g', 'f')).toMatchObject({ ok: false, reason: 'you-are-no-member' })
})
