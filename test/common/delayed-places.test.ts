// Who keeps a place while the end that gives it has no time yet.

import { expect, test } from 'vitest'
import type { Place } from '../../src/common/wire/places.ts'
import { placesAt } from './places-at.ts'

test('nobody loses its place because this end has no time for it yet, or has only just had some', () => {
  const { places, come, gone } = placesAt()
  const delayed = Array.from({ length: 6 }, (_, index) => come(`d${index}`, `10.0.0.${index}`, 0) as Place)
  for (const place of delayed) places.delay(place)
  expect(come('new', '10.0.1.1', 5000)).toBe('too many connections that have not logged in')
  const [first, second] = delayed as [Place, Place]
  places.goOn(first, 5000)
  // A hundred milliseconds to say something, from its turn on.
  expect(come('new', '10.0.1.1', 5099)).toBe('too many connections that have not logged in')
  expect(gone).toEqual([])
  expect(come('new', '10.0.1.1', 5100)).toBeTypeOf('object')
  expect(gone).toEqual(['d0'])
  // It has begun to log in, and keeps its place for the time of a login.
  places.goOn(second, 5100)
  places.begin(second, 5100)
  expect(come('newer', '10.0.1.2', 5150)).toBe('too many connections that have not logged in')
  expect([gone, places.unprovenCount]).toEqual([['d0'], 6])
})

test('whoever has two places more than a newcomer loses one that this end has not come to', () => {
  const { places, come, begin, gone } = placesAt()
  begin('a1', '10.0.0.1', 0)
  for (const name of ['a2', 'a3']) places.delay(come(name, '10.0.0.1', 0) as Place)
  expect(come('a4', '10.0.0.1', 50)).toBe('too many connections from this address that have not logged in')
  for (const host of [2, 3, 4]) begin('x', `10.0.0.${host}`, 0)
  expect(come('new', '10.0.0.5', 50)).toBeTypeOf('object')
  expect(gone).toEqual(['a2'])
})

test('where this end has time for all, one that has only just come makes room', () => {
  const { places, come, gone } = placesAt()
  const all = Array.from({ length: 6 }, (_, index) => come(`d${index}`, `10.0.0.${index}`, 0) as Place)
  for (const place of all) places.delay(place)
  for (const place of all) places.goOn(place, 1000)
  expect(come('new', '10.0.1.1', 1001)).toBeTypeOf('object')
  expect(gone).toEqual(['d0'])
})
