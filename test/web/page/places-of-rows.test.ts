import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placesOf } from '../../../src/web/page/places-of-rows.ts'

const keys = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 20 })

test('each row that is drawn has a place of its own, which it keeps while it is drawn', () => {
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 12 }), (rounds) => {
      let before: ReadonlyMap<string, number> = new Map()
      for (const drawn of rounds) {
        const places = placesOf(drawn, before)
        expect([...places.keys()]).toEqual(drawn)
        expect(new Set(places.values()).size).toBe(drawn.length)
        for (const key of drawn) if (before.has(key)) expect(places.get(key)).toBe(before.get(key))
        before = places
      }
    }),
  )
})

test('rows that come take the places of those that went, in their order, so that nothing is moved', () => {
  const before = placesOf(['a', 'b', 'c'], new Map())
  expect([...placesOf(['d', 'e', 'f'], before)]).toEqual([
    ['d', 0],
    ['e', 1],
    ['f', 2],
  ])
  expect([...placesOf(['b', 'c', 'd'], before).values()]).toEqual([1, 2, 0])
})
