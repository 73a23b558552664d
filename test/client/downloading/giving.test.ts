// Who gives at present: what a peer that holds back, or one behind a relay, has to do with the others.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newContact, type Contact } from '../../../src/client/downloading/contact.ts'
import { Giving } from '../../../src/client/downloading/giving.ts'
import type { PeerLanes } from '../../../src/client/downloading/peer-lanes.ts'
import type { Way } from '../../../src/client/way.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function contact(key: string, way: Way): Contact {
  const made = newContact({ user: key, key, host: '192.0.2.1', port: 1, complete: true })
  made.link = { route: { way } } as PeerLanes
  return made
}

const [direct, relayed, punched] = [
  contact('ann', 'direct'),
  contact('ben', 'relayed'),
  contact('cem', 'punched'),
]

/** Of a file of 4 pieces. */
function giving(pieces: Readonly<Record<string, number>>, ...linked: Contact[]): Giving {
  return new Giving(linked, { piecesOf: (key) => pieces[key] ?? 0 }, 4)
}

test('a relay is not needed while somebody without one has every piece, and gives', () => {
  for (const other of [direct, punched]) {
    const one = giving({ ann: 4, cem: 4, ben: 4 }, other, relayed)
    expect(one.isKeptForLast(relayed)).toBe(false)
    one.onPiece(other)
    expect(one.isKeptForLast(relayed)).toBe(true)
    expect(one.needsNoRelay).toBe(true)
    expect(one.isKeptForLast(other)).toBe(false)
  }
})

test('it is needed when the others lack pieces, or have given none for five seconds', () => {
  const one = giving({ ann: 3, ben: 4 }, direct, relayed)
  one.onPiece(direct)
  expect(one.isKeptForLast(relayed)).toBe(false)
  const other = giving({ ann: 4, ben: 4 }, direct, relayed)
  other.onPiece(direct)
  vi.advanceTimersByTime(4999)
  expect(other.isKeptForLast(relayed)).toBe(true)
  vi.advanceTimersByTime(1)
  expect(other.isKeptForLast(relayed)).toBe(false)
})

test('what came through a relay does not make it needless', () => {
  const one = giving({ ann: 4, ben: 4 }, direct, relayed)
  one.onPiece(relayed)
  expect(one.isKeptForLast(relayed)).toBe(false)
})

test('others give when a piece came lately from another one', () => {
  const one = giving({}, direct, punched)
  expect(one.othersGive(direct)).toBe(false)
  one.onPiece(direct)
  expect(one.othersGive(direct)).toBe(false)
  expect(one.othersGive(punched)).toBe(true)
  vi.advanceTimersByTime(5000)
  expect(one.othersGive(punched)).toBe(false)
})
