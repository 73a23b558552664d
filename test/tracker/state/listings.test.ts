// Listings page by page.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pageEntries } from '../../../src/common/limits.ts'
import { listFiles, listMembers } from '../../../src/tracker/state/queries.ts'
import { OrderedSet } from '../../../src/tracker/state/ordered-set.ts'
import { groupOf, register, share } from './world.ts'

const anyNames = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9.é\u{1f600}-]{1,4}$/u), {
  maxLength: 350,
  size: 'max',
})

/** All pages one after the other. */
function readAll(page: (after: string | undefined) => { names: string[]; more: boolean }): string[] {
  const all: string[] = []
  for (;;) {
    const { names, more } = page(all.at(-1))
    expect(names.length).toBeLessThanOrEqual(pageEntries)
    all.push(...names)
    if (!more) return all
    expect(names).toHaveLength(pageEntries)
  }
}

test('all pages of files together are all files in the order of names, each once', () => {
  fc.assert(
    fc.property(anyNames, (names) => {
      const world = groupOf('ann')
      for (const name of names) world.done(share('ann', 'one', name))
      const listed = readAll((after) => {
        const page = listFiles(world.state, 'ann', 'g', after)
        if (!page.ok) throw new Error(page.reason)
        return { names: page.value.files.map(({ name }) => name), more: page.value.more }
      })
      expect(listed).toEqual(names.toSorted())
    }),
    { numRuns: 30 },
  )
})

test('all pages of members together are all members in the order of joining, also when some have gone', () => {
  const world = groupOf('ann')
  const names = Array.from({ length: 450 }, (_, index) => `u${(index * 7919) % 450}`)
  for (const user of names)
    world.done(
      register(user),
      { kind: 'join_group', by: user, group: 'g' },
      { kind: 'accept_request', by: 'ann', group: 'g', user },
    )
  for (const user of names.slice(0, 200)) world.done({ kind: 'leave_group', by: user, group: 'g' })
  const listed = readAll((after) => {
    const page = listMembers(world.state, 'ann', 'g', after)
    if (!page.ok) throw new Error(page.reason)
    return { names: page.value.users, more: page.value.more }
  })
  expect(listed).toEqual(['ann', ...names.slice(200)])
})

test('a page behind a name that went meanwhile begins where the name was', () => {
  const world = groupOf('ann')
  for (const name of ['a', 'c', 'd']) world.done(share('ann', 'one', name))
  expect(listFiles(world.state, 'ann', 'g', 'b')).toMatchObject({
    value: { files: [{ name: 'c' }, { name: 'd' }] },
  })
})

test('an ordered set keeps the order of adding through any story of adding and taking out', () => {
  const things = Array.from({ length: 12 }, (_, index) => ({ index }))
  const anySteps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 11 })), { maxLength: 200, size: 'max' })
  fc.assert(
    fc.property(anySteps, (steps) => {
      const ordered = new OrderedSet<object>()
      const model = new Set<object>()
      for (const [isAdding, index] of steps) {
        const thing = things[index] as object
        if (isAdding) ordered.add(thing)
        else ordered.delete(thing)
        if (isAdding) model.add(thing)
        else model.delete(thing)
        expect([...ordered]).toEqual([...model])
        expect([ordered.size, ordered.has(thing)]).toEqual([model.size, model.has(thing)])
        const all = [...model]
        for (const [at, each] of all.entries()) expect([...ordered.behind(each)]).toEqual(all.slice(at + 1))
      }
    }),
    { numRuns: 50 },
  )
})
