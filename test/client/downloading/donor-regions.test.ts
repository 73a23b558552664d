// Regions of what is here: what is left of them, wider ones, and windows that miss no block.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  uncovered,
  widened,
  windowsOf,
  type Region,
} from '../../../src/client/downloading/donor-regions.ts'

describe('what regions leave of a file', () => {
  test('is what none of them covers, in whatever order they come', () => {
    expect(
      uncovered(
        [
          [50, 60],
          [10, 20],
          [15, 30],
        ],
        100,
      ),
    ).toEqual([
      [0, 10],
      [30, 50],
      [60, 100],
    ])
  })

  test('is all of it without any, and nothing where they cover all', () => {
    expect(uncovered([], 100)).toEqual([[0, 100]])
    expect(uncovered([[0, 100]], 100)).toEqual([])
  })
})

test('wider regions stay within the file, and those that meet become one', () => {
  const regions: Region[] = [
    [5, 20],
    [40, 50],
    [90, 100],
  ]
  expect(widened(regions, 10, 100)).toEqual([
    [0, 60],
    [80, 100],
  ])
})

test('each block that is in a region is as a whole in one window, of no more than its size', () => {
  const region = fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 300 }))
  fc.assert(
    fc.property(fc.array(region, { maxLength: 6 }), fc.integer({ min: 1, max: 20 }), (drawn, blockBytes) => {
      const regions = widened(uncovered(uncovered(asRegions(drawn), 1200), 1200), 0, 1200)
      const windows = windowsOf(regions, 100, blockBytes - 1)
      for (const window of windows) expect(bytesOf(window)).toBeLessThanOrEqual(100)
      for (const [from, to] of regions)
        for (let at = from; at + blockBytes <= to; at++)
          expect(windows.flat().some(([start, end]) => start <= at && at + blockBytes <= end)).toBe(true)
    }),
    { numRuns: 100, seed: 1 },
  )
})

function asRegions(drawn: readonly (readonly [number, number])[]): Region[] {
  return drawn.map(([from, length]) => [from, from + length])
}
