// What a picker makes of the pieces that somebody waits for.

import { expect, test } from 'vitest'
import { Picker } from '../../../src/client/downloading/picker.ts'
import { Wishes } from '../../../src/client/downloading/wishes.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

/** A picker of so many pieces, of which these are waited for; what peers have is written as lists. */
function pickerOf(
  length: number,
  peers: Record<string, readonly number[] | 'all'>,
  wished: readonly number[],
): Picker {
  const wishes = new Wishes()
  wishes.want({}, wished)
  const picker = new Picker(new Bitfield(length), seededRandom(1), { wishes })
  for (const [peer, has] of Object.entries(peers)) {
    const field = has === 'all' ? Bitfield.full(length) : new Bitfield(length)
    if (has !== 'all') for (const index of has) field.set(index)
    picker.onPeer(peer, field)
  }
  return picker
}

/** Everything that the peer would be asked for now, in this order. */
function picksFor(picker: Picker, peer: string): number[] {
  const picks: number[] = []
  for (let pick = picker.pickFor(peer, 0); pick !== undefined; pick = picker.pickFor(peer, 0))
    picks.push(pick)
  return picks
}

test('what somebody waits for is asked for before the rarest, in its order', () => {
  const picker = pickerOf(6, { seed: 'all', a: [0, 1, 2] }, [2, 1])
  const picks = picksFor(picker, 'seed')
  expect(picks.slice(0, 2)).toEqual([2, 1])
  expect([new Set(picks.slice(2, 5)), picks.slice(5)]).toEqual([new Set([3, 4, 5]), [0]])
})

test('a peer that chooses is asked by index for what somebody waits for', () => {
  const picker = pickerOf(6, { seed: 'all' }, [4, 2])
  expect([1, 2, 3].map(() => picker.pickLeftOverFor('seed', 0))).toEqual([4, 2, undefined])
})

test('what somebody waits for is asked for elsewhere at once when its peer is late, or much slower', () => {
  const late = pickerOf(8, { a: [3], b: 'all' }, [3])
  expect(late.pickFor('a', 0)).toBe(3)
  expect(late.pickFor('b', 0)).not.toBe(3)
  late.onLate('a')
  expect(late.pickFor('b', 0)).toBe(3)
  const slow = pickerOf(8, { a: [3], b: 'all' }, [3])
  slow.onPace('a', 10_000)
  slow.onPace('b', 100)
  expect(slow.pickFor('a', 0)).toBe(3)
  expect(slow.pickFor('b', 0)).toBe(3)
})

test('wishes of several readers count, those of the last one first, and a reader has one wish at a time', () => {
  const wishes = new Wishes()
  const [one, two] = [{}, {}]
  wishes.want(one, [1, 2])
  wishes.want(two, [7])
  wishes.want(one, [3])
  expect([wishes.pieces, wishes.has(1), wishes.has(7)]).toEqual([[3, 7], false, true])
  wishes.forget(one)
  wishes.forget(one)
  expect(wishes.pieces).toEqual([7])
})
