// Who gets a place at a listener, and who has to make room.

import { describe, expect, test } from 'vitest'
import { peerConnectionLimits } from '../../src/common/limits.ts'
import { networkOf, siteOf } from '../../src/common/networks.ts'
import type { Place } from '../../src/common/wire/places.ts'
import { connectionLimits } from '../../src/tracker/limits.ts'
import { placesAt, smallLimits as limits, type At } from './places-at.ts'

test('one address may have so many connections that are logging in, and one more is turned away', () => {
  const { come, begin, gone, places } = placesAt()
  for (let count = 0; count < 3; count++) begin('x', '10.0.0.1', 0)
  expect(come('x', '10.0.0.1', 99)).toBe('too many connections from this address that have not logged in')
  expect(come('x', '10.0.0.2', 99)).toBeTypeOf('object')
  expect([gone, places.unprovenCount]).toEqual([[], 4])
  // A login that takes longer than that makes room too.
  expect(come('y', '10.0.0.1', 100)).toBeTypeOf('object')
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

test('one that has only just come stays where a login has had its time, and an older idler goes before both', () => {
  const { come, begin, gone } = placesAt()
  begin('a1', '10.0.0.1', 0)
  begin('a2', '10.0.0.1', 0)
  come('a3', '10.0.0.1', 199)
  // Two of three places are with such as have begun: they keep them for 200 ms.
  come('a4', '10.0.0.1', 200)
  expect(gone).toEqual(['a1'])
  come('a5', '10.0.0.1', 299)
  expect(gone).toEqual(['a1', 'a3'])
})

test('the time of a login counts from its beginning, and to begin again earns no more', () => {
  const { come, gone, places } = placesAt()
  const [early, late] = [come('early', '10.0.0.1', 0) as Place, come('late', '10.0.0.1', 0) as Place]
  const again = come('again', '10.0.0.1', 0) as Place
  for (const [place, nowMs] of [
    [again, 500],
    [early, 510],
    [late, 590],
    [again, 590],
  ] as const)
    places.begin(place, nowMs)
  expect(come('x', '10.0.0.1', 599)).toBeTypeOf('string')
  places.begin(come('x', '10.0.0.1', 600) as Place, 600)
  come('y', '10.0.0.1', 610)
  expect(gone).toEqual(['again', 'early'])
})

// 256 connections of loopback, begun again every ten seconds, kept everybody there out.
test.each([
  ['loopback', '127.0.0.1', connectionLimits.unprovenOfLoopback],
  ['an address', '10.0.0.1', connectionLimits.unprovenOfNetwork],
])(
  'logins that were begun and stand still keep nobody of %s out for longer than a login takes',
  (_, host, max) => {
    const { come, begin, gone } = placesAt(connectionLimits)
    for (let count = 0; count < max; count++) begin('idle', host, 0)
    expect(come('honest', host, connectionLimits.crowdedGraceMs - 1)).toBeTypeOf('string')
    expect(come('honest', host, connectionLimits.crowdedGraceMs)).toBeTypeOf('object')
    // They come again as soon as they are cut, which is before the honest one has begun.
    for (let count = 1; count < max; count++) begin('idle', host, connectionLimits.crowdedGraceMs)
    expect(gone).not.toContain('honest')
  },
)

test('as many logins as there are places may begin at once, one more is turned away, and later ones are not', () => {
  const { come, begin, gone, places } = placesAt(connectionLimits)
  for (let count = 0; count < connectionLimits.unproven; count++)
    begin('x', `10.0.${count >> 8}.${count & 255}`, 0)
  const sentence = 'too many connections that have not logged in'
  expect(come('y', '10.1.0.1', connectionLimits.crowdedGraceMs - 1)).toBe(sentence)
  expect([gone, places.unprovenCount]).toEqual([[], connectionLimits.unproven])
  expect(come('z', '10.1.0.1', connectionLimits.crowdedGraceMs)).toBeTypeOf('object')
  expect([gone, places.unprovenCount]).toEqual([['x'], connectionLimits.unproven])
})

// 16 networks with 64 each kept everybody else out.
test.each<[string, (index: number) => string]>([
  ['some addresses', (index) => `10.0.0.${index % 16}`],
  ['some networks', (index) => `2001:db8:${index % 16}:1::${index.toString(16)}`],
  ['all networks of one site', (index) => `2001:db8:1:${index.toString(16)}::1`],
])(
  'places that logins from %s have filled are shared with whoever comes from elsewhere, at once',
  (_, hostOf) => {
    const { come, begin, gone } = placesAt(connectionLimits)
    for (let index = 0; index < connectionLimits.unproven; index++) begin(`x${index}`, hostOf(index), 0)
    for (const host of ['203.0.113.7', '2001:db8:ff:1::1']) begin('honest', host, 1)
    expect(gone).toHaveLength(2)
    for (let index = 0; index < connectionLimits.unproven; index++) come('x', hostOf(index), 2)
    expect(gone).not.toContain('honest')
  },
)

test('networks with nearly as many places as each other take none of a login that has its time', () => {
  const { come, begin, gone } = placesAt()
  for (const [name, host] of [
    ['a', 1],
    ['b', 2],
  ] as const)
    for (let count = 1; count <= 3; count++) begin(`${name}${count}`, `10.0.0.${host}`, 0)
  begin('c1', '10.0.0.3', 1)
  begin('c2', '10.0.0.3', 1)
  expect(gone).toEqual(['a1', 'b1'])
  expect(come('c3', '10.0.0.3', 1)).toBe('too many connections that have not logged in')
})

test('whoever has as many places as anybody gets another from its own alone', () => {
  const { come, begin, gone } = placesAt()
  begin('slow', '10.0.0.4', 0)
  for (const [name, host] of [
    ['a', 1],
    ['a', 1],
    ['b', 2],
    ['b', 2],
    ['c', 3],
  ] as const)
    begin(name, `10.0.0.${host}`, 100)
  expect(come('c', '10.0.0.3', 150)).toBe('too many connections that have not logged in')
  expect(gone).toEqual([])
  expect(come('c', '10.0.0.3', 200)).toBeTypeOf('object')
  expect(gone).toEqual(['a'])
})

test('where each has a single place, one that has not begun makes room for whoever has none', () => {
  const { come, begin, gone } = placesAt()
  for (let count = 1; count <= 5; count++) begin('x', `10.0.0.${count}`, 0)
  come('idle', '10.0.0.6', 0)
  expect(come('new', '10.0.0.7', 50)).toBeTypeOf('object')
  expect(gone).toEqual(['idle'])
})

test('whoever has proved itself is not counted among those, and is never turned out by them', () => {
  const { come, begin, gone, places } = placesAt()
  for (const user of ['ann', 'bob', 'cid']) places.prove(come(user, '10.0.0.1', 0) as Place, user)
  for (let count = 0; count < 5; count++) begin('x', `10.0.1.${count}`, 5000)
  expect(come('y', '10.0.2.1', 5099)).toBe('too many connections')
  expect(come('z', '10.0.2.1', 5100)).toBeTypeOf('object')
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
  places.begin(place, 0)
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

describe('where newcomers are heard before they need a place', () => {
  const open = {
    ...limits,
    unheard: 4,
    waiting: 3,
    unproven: 3,
    unprovenOfNetwork: 3,
    unprovenOfLoopback: 3,
    begunGraceMs: 0,
    crowdedGraceMs: 0,
    claimed: 5,
    claimedOfOwner: 2,
    ofOwner: 3,
    proven: 4,
    all: 100,
  }

  /** A newcomer that has been read, and said something or nothing. */
  function heard(at: At, name: string, host: string, isWaiting = false): Place | string {
    const place = at.come(name, host, 0)
    if (typeof place !== 'string') at.places.onHeard(place, isWaiting, 0)
    return place
  }

  test('nobody makes room for one that could not have spoken yet', () => {
    const at = placesAt(open)
    for (const name of ['a', 'b', 'c']) heard(at, name, '10.0.0.1')
    for (const name of ['d', 'e', 'f', 'g']) expect(at.come(name, '10.0.0.1', 0)).toBeTypeOf('object')
    expect(at.gone).toEqual([])
  })

  test('of too many who could not speak yet the last goes, of the network that has most', () => {
    const at = placesAt(open)
    for (const name of ['a', 'b', 'c', 'd']) at.come(name, '10.0.0.1', 0)
    expect(at.come('e', '10.0.0.1', 0)).toBeTypeOf('string')
    expect(at.come('f', '10.0.0.2', 0)).toBeTypeOf('object')
    expect(at.gone).toEqual(['d'])
  })

  test('of those who said nothing the oldest goes, at once', () => {
    const at = placesAt(open)
    for (const name of ['a', 'b', 'c', 'd', 'e']) heard(at, name, '10.0.0.1')
    expect(at.gone).toEqual(['a', 'b'])
    heard(at, 'f', '10.0.0.2')
    heard(at, 'g', '10.0.0.2')
    expect(at.gone).toEqual(['a', 'b', 'c', 'd'])
  })

  test('those who wait to be answered stay in their order: the last to come is turned away', () => {
    const at = placesAt(open)
    for (const name of ['a', 'b', 'c', 'd']) heard(at, name, '10.0.0.1', true)
    expect(at.gone).toEqual(['d'])
    heard(at, 'e', '10.0.0.2', true)
    expect(at.gone).toEqual(['d', 'c'])
    for (const name of ['f', 'g', 'h', 'i']) heard(at, name, '10.0.0.1')
    expect(at.gone).toEqual(['d', 'c', 'f'])
  })

  test('whoever says who it is shares the places of that name and address alone', () => {
    const at = placesAt(open)
    const claim = (name: string, host: string, owner: string): void =>
      at.places.claim(heard(at, name, host) as Place, owner)
    claim('a1', '10.0.0.1', 'ann')
    for (const name of ['b1', 'b2', 'b3']) claim(name, '10.0.0.1', 'bob')
    expect(at.gone).toEqual(['b1'])
    // Somebody who shows her papers elsewhere.
    for (const name of ['x1', 'x2', 'x3']) claim(name, '10.0.0.2', 'ann')
    expect(at.gone).toEqual(['b1', 'x1'])
    claim('c1', '10.0.0.3', 'cid')
    // Of the three that call themselves ann, one of the two from one address.
    expect(at.gone).toEqual(['b1', 'x1', 'x2'])
  })

  test('one user who claims places from everywhere takes none of another', () => {
    const at = placesAt(peerConnectionLimits)
    const claim = (name: string, host: string): void => at.places.claim(heard(at, name, host) as Place, name)
    claim('honest', '203.0.113.7')
    for (let count = 0; count < 2 * peerConnectionLimits.claimed; count++)
      claim('mallory', `2001:db8:${count.toString(16)}::1`)
    expect(at.gone).toEqual(Array.from({ length: peerConnectionLimits.claimed + 1 }, () => 'mallory'))
  })

  test('a site that queues from many networks is one of those who wait, and drops its own', () => {
    const at = placesAt(open)
    for (const name of ['a', 'b', 'c', 'd']) at.come(name, `2001:db8:1:${name}::1`, 0)
    expect(at.come('e', '2001:db8:1:e::1', 0)).toBeTypeOf('string')
    expect(at.come('f', '10.0.0.2', 0)).toBeTypeOf('object')
    expect(at.gone).toEqual(['a'])
  })

  test('those who have said nothing or not proved it take no place of those who have', () => {
    const at = placesAt(open)
    for (let count = 0; count < open.unproven; count++) heard(at, 'x', `10.0.0.${count}`)
    const proved = ['ann', 'ann', 'bob', 'cid'].map((user, index) => {
      const place = heard(at, `${user} ${index}`, '10.0.0.1') as Place
      at.places.claim(place, user)
      at.places.prove(place, user)
      return place
    })
    for (let count = 0; count < 20; count++) heard(at, 'x', `10.0.1.${count}`)
    for (let count = 0; count < 20; count++)
      at.places.claim(heard(at, 'y', `10.0.2.${count}`) as Place, `y${count}`)
    expect(at.gone.filter((name) => name !== 'x' && name !== 'y')).toEqual([])
    const place = heard(at, 'dan', '10.0.0.1') as Place
    at.places.prove(place, 'dan')
    expect(at.gone.at(-1)).toBe('ann 0')
    for (const each of proved) at.places.giveBack(each)
    // Dan's own place among those who had said nothing is free.
    expect(at.places.count).toBe(1 + open.unproven - 1 + open.claimed)
  })

  test('when each has a single place, the one that comes too late goes', () => {
    const at = placesAt(open)
    for (const user of ['ann', 'bob', 'cid', 'dan', 'eve'])
      at.places.prove(heard(at, user, '10.0.0.1') as Place, user)
    expect(at.gone).toEqual(['eve'])
  })

  test('those without a proof are known, oldest first, however far they came', () => {
    const at = placesAt(open)
    const first = at.come('a', '10.0.0.1', 0) as Place
    const second = at.come('b', '10.0.0.1', 10) as Place
    at.come('c', '10.0.0.1', 20)
    at.places.onHeard(second, true, 20)
    at.places.claim(first, 'ann')
    const names = at.places.unprovenFor(100, 115).map(({ sinceMs }) => sinceMs)
    expect(names).toEqual([0, 10])
    at.places.prove(first, 'ann')
    expect(at.places.unprovenFor(100, 115)).toEqual([second])
  })
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

test('the site of an address is that of all networks which one subscriber may have', () => {
  expect(siteOf('10.1.2.3')).toBe('10.1.2.3')
  expect(siteOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::/48')
  expect(siteOf('2001:db8::6')).toBe('2001:db8:0::/48')
})
