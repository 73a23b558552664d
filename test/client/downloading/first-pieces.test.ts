// The pieces that tell what is in a folder come before all others.

import { expect, test } from 'vitest'
import { Picker } from '../../../src/client/downloading/picker.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

function bitfield(length: number, indices: readonly number[]): Bitfield {
  const field = new Bitfield(length)
  for (const index of indices) field.set(index)
  return field
}

test('a peer that is asked for certain pieces is asked for these first', () => {
  const picker = new Picker(bitfield(100, [1]), seededRandom(1), { first: 4 })
  picker.onPeer('a', Bitfield.full(100))
  picker.onPeer('b', bitfield(100, [0, 50]))
  expect([picker.pickFor('b', 0), picker.pickFor('a', 0), picker.pickFor('a', 0)]).toEqual([0, 2, 3])
  picker.onVerified(2)
  picker.onGivenUp('b', 0)
  expect(picker.pickFor('a', 0)).toBe(0)
  expect(
    [picker.pickFor('b', 0), picker.pickFor('a', 0)].every((index) => index !== undefined && index > 3),
  ).toBe(true)
})

test('a peer that chooses is not asked for them', () => {
  const picker = new Picker(bitfield(100, []), seededRandom(1), { first: 4 })
  picker.onPeer('a', Bitfield.full(100))
  expect(picker.pickLeftOverFor('a', 0)).toBeUndefined()
})
