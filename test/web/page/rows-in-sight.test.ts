import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowsInSight, scrolledStep } from '../../../src/web/page/rows-in-sight.ts'

const count = fc.integer({ min: 0, max: 10_000 })
const scrolledPx = fc.integer({ min: 0, max: 500_000 })

test('every row in sight is drawn, in order, and few others', () => {
  fc.assert(
    fc.property(count, scrolledPx, (rows, scrolled) => {
      const drawn = rowsInSight(rows, 44, scrolledStep(scrolled, 44), 600)
      for (let at = 0; at < rows; at++)
        if ((at + 1) * 44 > scrolled && at * 44 < scrolled + 600) expect(drawn).toContain(at)
      expect(drawn).toEqual([...new Set(drawn)].toSorted((one, other) => one - other))
      expect(drawn.length).toBeLessThan(40)
      expect(drawn.every((at) => at >= 0 && at < rows)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('the row that has the focus is drawn wherever it is', () => {
  expect(rowsInSight(10_000, 44, 200_000, 600, 3)[0]).toBe(3)
  expect(rowsInSight(10_000, 44, 0, 600, 9_999).at(-1)).toBe(9_999)
  expect(rowsInSight(10_000, 44, 0, 600, 3).filter((at) => at === 3)).toHaveLength(1)
  expect(rowsInSight(2, 44, 0, 600, 3)).toEqual([0, 1])
})

test('a scroll of less than three rows draws no others', () => {
  expect([0, 1, 131, 132, 263, 264].map((px) => scrolledStep(px, 44))).toEqual([0, 0, 0, 132, 132, 264])
})
