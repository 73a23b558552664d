import { expect, test } from 'vitest'
import { Pace } from '../../../src/client/transfer/pace.ts'

test('a steady stream reads as what it is', () => {
  const pace = new Pace()
  for (let ms = 0; ms <= 10_000; ms += 10) pace.onBytes(10_000, ms)
  expect(pace.bytesPerSecond(10_000) / 1_000_000).toBeCloseTo(1, 2)
})

test('a line that changed is followed within seconds', () => {
  const pace = new Pace()
  for (let ms = 0; ms < 10_000; ms += 10) pace.onBytes(100_000, ms)
  for (let ms = 10_000; ms <= 20_000; ms += 10) pace.onBytes(1000, ms)
  expect(pace.bytesPerSecond(20_000)).toBeLessThan(600_000)
})

test('a line that has stopped goes towards nothing', () => {
  const pace = new Pace()
  for (let ms = 0; ms <= 10_000; ms += 10) pace.onBytes(10_000, ms)
  expect(pace.bytesPerSecond(40_000)).toBeLessThan(100)
})

test('the first moments are no measurement', () => {
  const pace = new Pace()
  expect(pace.bytesPerSecond(0)).toBe(0)
  pace.onBytes(1_000_000, 0)
  expect(pace.bytesPerSecond(10)).toBe(0)
})
