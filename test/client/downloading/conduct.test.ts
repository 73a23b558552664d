import { describe, expect, test } from 'vitest'
import { askAheadMax } from '../../../src/client/downloading/asking.ts'
import { Conduct, refusalsMax } from '../../../src/client/downloading/conduct.ts'

/** Looks every 250 ms for so long; whether one of the looks found that the peer holds back. */
function looks(
  conduct: Conduct,
  fromMs: number,
  forMs: number,
  receivedBytes: (ms: number) => number,
): boolean {
  for (let ms = fromMs; ms <= fromMs + forMs; ms += 250)
    if (conduct.holdsBack(ms, true, receivedBytes(ms))) return true
  return false
}

describe('a peer that owes pieces', () => {
  test('holds back when it sends next to nothing for five seconds', () => {
    const conduct = new Conduct()
    expect(looks(conduct, 1000, 4500, () => 0)).toBe(false)
    expect(looks(conduct, 5750, 1000, () => 0)).toBe(true)
  })

  test('holds back when it drips, and does not when it is merely slow', () => {
    expect(looks(new Conduct(), 0, 60_000, (ms) => ms * 0.5)).toBe(true)
    expect(looks(new Conduct(), 0, 60_000, (ms) => ms * 2)).toBe(false)
  })

  test('does not hold back for the time in which this program stood still', () => {
    const conduct = new Conduct()
    conduct.holdsBack(0, true, 0)
    expect(conduct.holdsBack(60_000, true, 0)).toBe(false)
    expect(conduct.holdsBack(60_250, true, 0)).toBe(false)
  })

  test('begins anew when it owes nothing for a moment', () => {
    const conduct = new Conduct()
    looks(conduct, 0, 4500, () => 0)
    conduct.holdsBack(4750, false, 0)
    expect(looks(conduct, 5000, 4500, () => 0)).toBe(false)
  })

  test('is asked for less after it was late, and for one more with each piece', () => {
    const conduct = new Conduct()
    conduct.onLate()
    expect(conduct.aheadMax).toBe(askAheadMax / 2)
    for (let late = 0; late < 9; late++) conduct.onLate()
    expect(conduct.aheadMax).toBe(1)
    conduct.onPiece()
    expect(conduct.aheadMax).toBe(2)
  })
})

describe('a peer that refuses', () => {
  test('rests after each refusal, twice as long each time, and is out after several in a row', () => {
    const conduct = new Conduct()
    const outs: boolean[] = []
    const rests: number[] = []
    for (let refusal = 0; refusal < refusalsMax; refusal++) {
      outs.push(conduct.onRefused(0))
      rests.push(conduct.restUntilMs)
    }
    expect(rests).toEqual([250, 500, 1000, 2000])
    expect(outs).toEqual([false, false, false, true])
  })

  // Four pieces that were refused at once, for want of open files, put the only seeder aside.
  test('is counted once for all that it was asked for before', () => {
    const conduct = new Conduct()
    const outs = Array.from({ length: 16 }, () => conduct.onRefused(100, 50))
    expect(outs).not.toContain(true)
    expect(conduct.restUntilMs).toBe(350)
    conduct.onRefused(400, 350)
    expect(conduct.restUntilMs).toBe(900)
  })

  test('for its ticket rests briefly, and is not blamed', () => {
    const conduct = new Conduct()
    for (let refusal = 0; refusal < 2 * refusalsMax; refusal++) conduct.onTicketRefused(0)
    expect(conduct.restUntilMs).toBe(250)
    expect(conduct.onRefused(0)).toBe(false)
  })

  test('is forgiven by a good piece, and need not rest on a new connection', () => {
    const conduct = new Conduct()
    for (let refusal = 1; refusal < refusalsMax; refusal++) conduct.onRefused(0)
    conduct.onConnected()
    expect(conduct.restUntilMs).toBe(0)
    // The connection alone proves nothing.
    expect(conduct.onRefused(0)).toBe(true)
    conduct.onPiece()
    expect(conduct.onRefused(0)).toBe(false)
  })

  test('may lack some of what it announced, the more the more it gave, and needs no rest for it', () => {
    const conduct = new Conduct()
    const lacks = (count: number): boolean[] => Array.from({ length: count }, () => conduct.onLacked())
    expect(lacks(3)).toEqual([false, false, false])
    conduct.onPiece()
    expect(lacks(4)).toEqual([false, false, false, true])
    expect(conduct.restUntilMs).toBe(0)
  })

  test('is put aside for longer each time, until it delivers', () => {
    const conduct = new Conduct()
    expect([conduct.putAside(), conduct.putAside(), conduct.putAside()]).toEqual([30_000, 60_000, 120_000])
    for (let time = 0; time < 20; time++) conduct.putAside()
    expect(conduct.putAside()).toBe(600_000)
    conduct.onPiece()
    expect(conduct.putAside()).toBe(30_000)
  })
})

test('a peer that has sent nothing good yet may have three pieces under way or waiting to be verified', () => {
  const conduct = new Conduct()
  expect(conduct.unprovenMax).toBe(3)
  conduct.onArrived()
  conduct.onArrived()
  expect(conduct.unprovenMax).toBe(1)
  // Not needed: it says nothing about the peer.
  conduct.onLookedAt()
  expect(conduct.unprovenMax).toBe(2)
  conduct.onPiece()
  conduct.onLookedAt()
  expect(conduct.unprovenMax).toBeUndefined()
})
