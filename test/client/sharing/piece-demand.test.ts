import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PieceDemand } from '../../../src/client/sharing/piece-demand.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceCountMax } from '../../../src/common/limits.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

function bitfield(length: number, indices: Iterable<number>): Bitfield {
  const field = new Bitfield(length)
  for (const index of indices) field.set(index)
  return field
}

/** A file of so many pieces, all of them here unless `have` says which. */
function demandOf(
  length: number,
  wants: Record<string, readonly number[] | 'all'>,
  have?: readonly number[],
): PieceDemand<string> {
  const here = have === undefined ? Bitfield.full(length) : bitfield(length, have)
  const demand = new PieceDemand<string>(here, seededRandom(1))
  for (const [peer, pieces] of Object.entries(wants)) {
    demand.onWants(peer, pieces === 'all' ? Bitfield.full(length) : bitfield(length, pieces))
  }
  return demand
}

function picksFor(demand: PieceDemand<string>, peer: string): number[] {
  const picks: number[] = []
  for (let pick = demand.pickFor(peer); pick !== undefined; pick = demand.pickFor(peer)) picks.push(pick)
  return picks
}

test('every piece is handed out once before any piece twice', () => {
  const demand = demandOf(24, { a: 'all', b: 'all', c: 'all' })
  const picks = Array.from({ length: 24 }, (_, turn) => demand.pickFor('abc'[turn % 3]!))
  expect(new Set(picks).size).toBe(24)
})

test('a piece that more peers want goes out before one that fewer want', () => {
  const demand = demandOf(4, { a: 'all', b: [1, 2], c: [2] })
  expect(picksFor(demand, 'a').slice(0, 2)).toEqual([2, 1])
})

test('nothing is picked that is not here, and a piece that comes is', () => {
  const demand = demandOf(8, { a: 'all' }, [3])
  expect(picksFor(demand, 'a')).toEqual([3])
  demand.onHave(5)
  expect(picksFor(demand, 'a')).toEqual([5])
})

test('nothing is picked for a peer that has said nothing, has gone, or has it from elsewhere', () => {
  const demand = demandOf(3, { a: 'all', b: [0] })
  expect(demand.pickFor('c')).toBeUndefined()
  demand.onTaken('b', 0)
  expect(demand.pickFor('b')).toBeUndefined()
  demand.onPeerGone('a')
  expect(demand.pickFor('a')).toBeUndefined()
})

test('what a peer wants takes the place of what it wanted before', () => {
  const demand = demandOf(4, { a: [0, 1] })
  demand.onWants('a', bitfield(4, [3]))
  expect(picksFor(demand, 'a')).toEqual([3])
})

test('a peer may want a piece until it says that it does not', () => {
  const demand = demandOf(4, { a: [0, 1] })
  expect([0, 2].map((index) => demand.mayWant('a', index))).toEqual([true, false])
  demand.onTaken('a', 0)
  expect(demand.mayWant('a', 0)).toBe(false)
  // Of one that has said nothing nothing is known.
  expect(demand.mayWant('b', 2)).toBe(true)
})

test('whatever happens, the pick is here, is wanted, and is one that most want', () => {
  const count = 10
  const peers = ['a', 'b', 'c']
  const step = fc.record({
    kind: fc.constantFrom('have', 'wants', 'taken', 'gone', 'pick', 'pick'),
    peer: fc.constantFrom(...peers),
    index: fc.nat(count - 1),
    pieces: fc.uniqueArray(fc.nat(count - 1)),
  })
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { maxLength: 80, size: 'max' }), (seed, steps) => {
      const here = new Set<number>()
      const wants = new Map<string, Set<number>>()
      const demand = new PieceDemand<string>(new Bitfield(count), seededRandom(seed))
      const wantedBy = (index: number): number => [...wants.values()].filter((each) => each.has(index)).length
      for (const { kind, peer, index, pieces } of steps) {
        if (kind === 'have') {
          demand.onHave(index)
          here.add(index)
        } else if (kind === 'wants') {
          demand.onWants(peer, bitfield(count, pieces))
          wants.set(peer, new Set(pieces))
        } else if (kind === 'taken') {
          demand.onTaken(peer, index)
          wants.get(peer)?.delete(index)
        } else if (kind === 'gone') {
          demand.onPeerGone(peer)
          wants.delete(peer)
        } else {
          const mine = [...(wants.get(peer) ?? [])].filter((each) => here.has(each))
          const most = Math.max(0, ...mine.map(wantedBy))
          const pick = demand.pickFor(peer)
          expect(pick === undefined).toBe(mine.length === 0)
          if (pick === undefined) continue
          expect(mine).toContain(pick)
          expect(wantedBy(pick)).toBe(most)
          wants.get(peer)?.delete(pick)
        }
      }
    }),
    { numRuns: 300 },
  )
})

/** Counts how often it is asked. */
class CountingBitfield extends Bitfield {
  looks = 0

  override has(index: number): boolean {
    this.looks++
    return super.has(index)
  }
}

test('a peer that wants little of what many want costs a bounded number of looks', () => {
  const demand = demandOf(pieceCountMax, { a: 'all', b: 'all' })
  const last = new CountingBitfield(pieceCountMax)
  for (let index = 0; index < pieceCountMax; index += 1000) last.set(index)
  // The pieces that c wants are wanted by one more; without them the others are the most wanted.
  demand.onWants('c', last)
  for (let index = 0; index < pieceCountMax; index += 1000) {
    for (const peer of ['a', 'b']) demand.onTaken(peer, index)
  }
  last.looks = 0
  expect(demand.pickFor('c')! % 1000).toBe(0)
  expect(last.looks).toBeLessThan(256 + 1002)
})
