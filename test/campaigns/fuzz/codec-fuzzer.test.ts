// A short form of the fuzz campaigns, with a seed of its own each time.

import { expect, test } from 'vitest'
import { fuzzCodec } from './codec-fuzzer.ts'

const seed = Date.now() % 1_000_000

test('no changed line breaks the codec or the tables, however it is cut', () => {
  const { findings, ...figures } = fuzzCodec(seed, 20_000)
  expect({ seed, findings }).toEqual({ seed, findings: [] })
  // Most are read, some end the stream: the changes are neither too small nor too large.
  expect(figures.frames).toBeGreaterThan(2_000)
  expect(figures.ended).toBeGreaterThan(20)
})

test('a mistake that is planted is found', () => {
  expect(fuzzCodec(seed, 20_000, true).findings[0]).toContain('the mistake that was planted')
})
