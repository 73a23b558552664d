// What a person sees of a download under way: its rate, and how its pieces stand.

import { expect, test } from 'vitest'
import { Arrivals } from '../../../src/client/downloading/arrivals.ts'
import { newContact, type Contact } from '../../../src/client/downloading/contact.ts'
import { Picker } from '../../../src/client/downloading/picker.ts'
import { pieceMap } from '../../../src/client/downloading/piece-map.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'

function linked(key: string): { contact: Contact; received: { receivedBytes: number; name: string } } {
  const contact = newContact({ user: key, host: '127.0.0.1', port: 1, key, complete: true })
  const route = { way: 'relayed', whyNot: 'nothing else opens' } as const
  const received = { receivedBytes: 0, name: `${key}@127.0.0.1:1`, route }
  contact.link = received as unknown as NonNullable<Contact['link']>
  return { contact, received }
}

test('a line of constant speed has a constant rate, however long a piece takes', () => {
  const arrivals = new Arrivals()
  const { contact, received } = linked('ann')
  const all = new Set([contact])
  const rates: number[] = []
  for (let ms = 0; ms <= 20_000; ms += 250) {
    arrivals.measure(all, ms)
    received.receivedBytes += 10_000
    if (ms >= 2000) rates.push(arrivals.bytesPerSecond(all, ms + 250))
  }
  for (const rate of rates) expect(Math.abs(rate - 40_000)).toBeLessThan(4000)
})

test('what is lost of a piece does not count twice, nor against others', () => {
  const arrivals = new Arrivals()
  const [one, other] = [linked('ann'), linked('ben')]
  const all = new Set([one.contact, other.contact])
  arrivals.measure(all, 0)
  one.received.receivedBytes = 100_000
  other.received.receivedBytes = 100_000
  arrivals.measure(all, 1000)
  // Its piece is gone with the connection.
  one.received.receivedBytes = 0
  arrivals.onUnlinked(one.contact, 1000)
  expect(arrivals.bytesPerSecond(new Set([other.contact]), 1000)).toBe(200_000)
  expect(arrivals.bytesPerSecond(new Set(), 1000)).toBe(0)
})

test('each peer has its own rate and its pieces', () => {
  const arrivals = new Arrivals()
  const { contact, received } = linked('ann')
  const picker = new Picker(new Bitfield(8), Math.random)
  picker.onPeer('ann', Bitfield.full(8))
  arrivals.measure([contact], 0)
  received.receivedBytes = 5000
  expect(arrivals.peers(new Set([contact]), picker, 1000)).toEqual([
    {
      key: 'ann',
      user: 'ann',
      name: 'ann@127.0.0.1:1',
      pieces: 8,
      bytesPerSecond: 5000,
      way: 'relayed',
      whyNot: 'nothing else opens',
    },
  ])
})

test('a missing piece is under way, to be had, or nowhere', () => {
  const picker = new Picker(new Bitfield(3), () => 0)
  const has = new Bitfield(3)
  has.set(0)
  has.set(1)
  picker.onPeer('ann', has)
  const asked = picker.pickFor('ann', 0) ?? 2
  const standings = [0, 1, 2].map((index) => picker.standingOf(index))
  expect(standings[asked]).toBe('under-way')
  expect(standings[1 - asked]).toBe('available')
  expect(standings[2]).toBe('nowhere')
  picker.onPeerGone('ann')
  expect(picker.standingOf(asked)).toBe('nowhere')
})

test('a map has a cell for each piece, or at most 512 that together have all pieces', () => {
  expect(pieceMap(2, (index) => (index === 0 ? 'have' : 'nowhere'))).toEqual([
    [1, 0, 0, 0],
    [0, 0, 0, 1],
  ])
  const large = pieceMap(1000, (index) => (index % 2 === 0 ? 'available' : 'under-way'))
  expect(large).toHaveLength(512)
  expect(large.reduce((all, cell) => all + cell[1] + cell[2], 0)).toBe(1000)
  expect(pieceMap(0, () => 'have')).toEqual([])
})
