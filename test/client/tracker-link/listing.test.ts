import { expect, test } from 'vitest'
import { allPages, type Part } from '../../../src/client/tracker-link/listing.ts'
import { accept } from '../../../src/common/refusal.ts'

interface Page {
  readonly names: string[]
  readonly more: boolean
}

function whole(
  answer: (after: string | undefined) => Page,
  part?: Part,
): ReturnType<typeof allPages<Page, string>> {
  return allPages(
    (after) => Promise.resolve(accept(answer(after))),
    (page) => page.names,
    (name) => name,
    part,
  )
}

test('an entry is listed once, also when the tracker begins anew in between', async () => {
  const pages = [['a', 'b'], ['c'], ['a', 'b'], ['d']]
  const listed = await whole(() => ({ names: pages.shift() ?? [], more: pages.length > 0 }))
  expect(listed).toEqual(accept(['a', 'b', 'c', 'd']))
})

test('a tracker that says the same page for ever is not asked for ever', async () => {
  await expect(whole(() => ({ names: ['a', 'b'], more: true }))).rejects.toThrow('without an end')
})

test('a tracker that always has one more is not asked for ever', async () => {
  let next = 0
  await expect(whole(() => ({ names: [`u${next++}`], more: true }))).rejects.toThrow('without an end')
})

test('of a part no more is asked for than it has, and it begins behind a name', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const asked: (string | undefined)[] = []
  const answer = (after: string | undefined): Page => {
    asked.push(after)
    const from = after === undefined ? 0 : names.indexOf(after) + 1
    return { names: names.slice(from, from + 2), more: from + 2 < names.length }
  }
  expect(await whole(answer, { atMost: 3 })).toEqual(accept(['a', 'b', 'c']))
  expect(asked).toEqual([undefined, 'b'])
  expect(await whole(answer, { after: 'c', atMost: 9 })).toEqual(accept(['d', 'e', 'f']))
})
