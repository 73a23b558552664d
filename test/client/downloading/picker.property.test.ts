// The picker against random stories. Seeds are printed when one fails.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PickerModel, type Step } from './picker-model.ts'

const pieceCount = 12
const peer = fc.nat(4)
const index = fc.nat(pieceCount - 1)
const pieces = fc.uniqueArray(index)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('peer' as const), peer, has: pieces }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('have' as const, 'lacks' as const), peer, index }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const), peer }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('late' as const, 'on-time' as const), peer }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pick' as const), peer }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pace' as const), peer, ms: fc.integer({ min: 1, max: 5000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('given-up' as const, 'delivered' as const),
      peer,
      which: fc.nat(20),
    }),
  },
)

const story = fc.record({
  have: pieces,
  seed: fc.nat(),
  steps: fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }),
})

test('after any story every missing piece is asked of somebody or on offer, the rarest first', () => {
  fc.assert(
    fc.property(story, ({ have, seed, steps }) => {
      const model = new PickerModel(pieceCount, have, seed)
      for (const [at, each] of steps.entries()) {
        model.do(each)
        if (at % 10 === 0) model.expectNothingLost()
      }
      model.expectNothingLost()
    }),
    { numRuns: 500 },
  )
})

test('whatever happened before, a seeder that answers brings the download to its end', () => {
  fc.assert(
    fc.property(story, ({ have, seed, steps }) => {
      const model = new PickerModel(pieceCount, have, seed)
      for (const each of steps) model.do(each)
      for (let left = 0; left <= 4; left++) model.do({ kind: 'gone', peer: left })
      model.do({ kind: 'peer', peer: 0, has: Array.from({ length: pieceCount }, (_, each) => each) })
      for (let round = 0; round < pieceCount; round++) {
        model.do({ kind: 'pick', peer: 0 })
        model.do({ kind: 'delivered', peer: 0, which: 0 })
      }
      expect(model.missing.size).toBe(0)
    }),
    { numRuns: 200 },
  )
})
