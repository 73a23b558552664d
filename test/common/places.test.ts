// Who gets a place at a listener, and who has to make room.

import { expect, test } from 'vitest'
import { networkOf } from '../../src/common/networks.ts'
import { Places, type Place } from '../../src/common/wire/places.ts'

const limits = {
  unproven: 6,
  unprovenOfNetwork: 3,
  unprovenOfLoopback: 5,
  begunGraceMs: 1000,
  ofOwner: 2,
  all: 8,
}

/** Places, and who had to go, by the name given here. */
function placesAt(): {
  places: Places
  gone: string[]
  come: (name: string, host: string, nowMs: number) => Place | string
  /** Comes, and begins to log in. */
  begin: (name: string, host: string, nowMs: number) => void
} {
  const places = new Places(limits)
  const gone: string[] = []
  const come = (name: string, host: string, nowMs: number): Place | string =>
    places.take(host, nowMs, () => gone.push(name))
  const begin = (name: string, host: string, nowMs: number): void => {
    const place = come(name, host, nowMs)
    if (typeof place === 'string') throw new Error(place)
    places.begin(place)
  }
  return { places, gone, come, begin }
}

test('one address may have so many connections that are logging in, and one more is turned away', () => {
  const { come, begin, gone, places } = placesAt()
  for (let count = 0; count < 3; count++) begin('x', '10.0.0.1', 0)
  expect(come('x', '10.0.0.1', 999)).toBe('too many connections from this address that have not logged in')
  expect(come('x', '10.0.0.2', 999)).toBeTypeOf('object')
  expect([gone, places.unprovenCount]).toEqual([[], 4])
  // A login that takes longer than that makes room too.
  expect(come('y', '10.0.0.1', 1000)).toBeTypeOf('object')
  expect(gone).toEqual(['x'])
})

test('loopback has places of its own number', () => {
  const { come, begin } = placesAt()
  for (let count = 0; count < 5; count++) begin('x', '127.0.0.1', 0)
  expect(come('x', '127.0.0.1', 0)).toBeTypeOf('string')
})

test('the oldest that has not begun to log in makes room, of the address that has most', () => {
  const { come, begin, gone } = placesAt()
  begin('a1', '10.0.0.1', 0)
  come('a2', '10.0.0.1', 10)
  come('a3', '10.0.0.1', 20)
  begin('b1', '10.0.0.2', 0)
  expect(come('a4', '10.0.0.1', 30)).toBeTypeOf('object')
  expect(gone).toEqual(['a2'])
  begin('c1', '10.0.0.3', 40)
  begin('c2', '10.0.0.3', 40)
  // Six are there now. Their own address has a place left, all addresses together have none.
  expect(come('d1', '10.0.0.4', 50)).toBeTypeOf('object')
  expect(gone).toEqual(['a2', 'a3'])
})

test('whoever has proved itself is not counted among those, and is never turned out by them', () => {
  const { come, begin, gone, places } = placesAt()
  for (const user of ['ann', 'bob', 'cid']) places.prove(come(user, '10.0.0.1', 0) as Place, user)
  for (let count = 0; count < 5; count++) begin('x', `10.0.1.${count}`, 5000)
  expect(come('y', '10.0.2.1', 5000)).toBe('too many connections')
  expect(come('z', '10.0.2.1', 6000)).toBeTypeOf('object')
  expect(gone).toEqual(['x'])
})

test('an owner has so many connections; with one more its own oldest goes', () => {
  const { come, gone, places } = placesAt()
  for (const name of ['ann 1', 'ann 2', 'ann 3']) places.prove(come(name, '10.0.0.1', 0) as Place, 'ann')
  expect([gone, places.count]).toEqual([['ann 1'], 2])
})

test('when all places have owners, the one with most makes room, and one with a single one never', () => {
  const { come, gone, places } = placesAt()
  for (let count = 0; count < 7; count++) places.prove(come(`u${count}`, '10.0.0.1', 0) as Place, `u${count}`)
  places.prove(come('u0 again', '10.0.0.1', 0) as Place, 'u0')
  const newcomer = come('new', '10.0.0.2', 0) as Place
  expect(gone).toEqual(['u0'])
  places.prove(newcomer, 'new')
  expect(come('newer', '10.0.0.2', 0)).toBe('too many connections')
})

test('after a logout it counts as one that has not begun, and a place that is given back stays given back', () => {
  const { come, begin, gone, places } = placesAt()
  const place = come('ann', '10.0.0.1', 0) as Place
  places.begin(place)
  places.prove(place, 'ann')
  places.unprove(place, 5000)
  begin('x', '10.0.0.1', 5000)
  begin('y', '10.0.0.1', 5000)
  expect(come('z', '10.0.0.1', 5500)).toBeTypeOf('object')
  expect(gone).toEqual(['ann'])
  places.giveBack(place)
  places.prove(place, 'ann')
  places.unprove(place, 6000)
  expect([places.count, places.unprovenCount]).toEqual([3, 3])
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('the network of %s is %s', (host, network) => {
  expect(networkOf(host)).toBe(network)
})
