// Listings page by page.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pageEntries } from '../../../src/common/limits.ts'
import { pageByName, pageInOrder, type Page } from '../../../src/tracker/state/pages.ts'

const anyNames = fc.uniqueArray(fc.string({ maxLength: 4 }), { maxLength: 350, size: 'max' })

function readAll(page: (after: string | undefined) => Page): string[] {
  const all: string[] = []
  for (;;) {
    const { entries, more } = page(all.at(-1))
    expect(entries.length).toBeLessThanOrEqual(pageEntries)
    all.push(...entries)
    if (!more) return all
    expect(entries).toHaveLength(pageEntries)
  }
}

test('all pages by name together are all names, sorted, each once', () => {
  fc.assert(
    fc.property(anyNames, (names) => {
      expect(readAll((after) => pageByName(names, after))).toEqual(names.toSorted())
    }),
  )
})

test('all pages in order together are all entries in their order, each once', () => {
  fc.assert(
    fc.property(anyNames, (names) => {
      const entries = new Set(names)
      expect(readAll((after) => pageInOrder(entries, after))).toEqual(names)
    }),
  )
})

test('a page behind a name that went meanwhile begins where the name was', () => {
  expect(pageByName(['a', 'c', 'd'], 'b').entries).toEqual(['c', 'd'])
})
