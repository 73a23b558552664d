import { expect, test } from 'vitest'
import { RoundTrip } from '../../../src/client/sharing/round-trip.ts'

test('a round trip is the shortest time from an answer to what is asked upon it', () => {
  const roundTrip = new RoundTrip()
  expect(roundTrip.ms).toBe(0)
  roundTrip.onAsked(5)
  expect(roundTrip.ms).toBe(0)
  roundTrip.onAnswered(10)
  roundTrip.onAsked(130)
  expect(roundTrip.ms).toBe(120)
  roundTrip.onAnswered(130)
  roundTrip.onAsked(230)
  expect(roundTrip.ms).toBe(100)
  roundTrip.onAnswered(230)
  roundTrip.onAsked(500)
  expect(roundTrip.ms).toBe(100)
})

test('what is asked without waiting for an answer says nothing', () => {
  const roundTrip = new RoundTrip()
  roundTrip.onAnswered(0)
  roundTrip.onAsked(80)
  roundTrip.onAsked(81)
  expect(roundTrip.ms).toBe(80)
})
