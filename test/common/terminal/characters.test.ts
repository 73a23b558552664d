// What a key steps over, or deletes.

import { expect, test } from 'vitest'
import { codePointsBeside, sideOf } from '../../../src/common/terminal/characters.ts'

test.each([
  ['abc', 3, 'left', 1],
  ['abc', 0, 'left', 0],
  ['abc', 3, 'right', 0],
  ['cafe\u0301', 5, 'left', 2],
  ['cafe\u0301s', 3, 'right', 2],
  ['😀', 2, 'left', 1],
  // A family, and a flag.
  ['👨\u200d👩\u200d👧', 8, 'left', 5],
  ['x🇩🇪', 1, 'right', 2],
] as const)('in %j at %i, the character on the %s is of %i code points', (line, cursor, side, count) => {
  expect(codePointsBeside(line, cursor, side)).toBe(count)
})

test('a line of any length is looked at near the cursor only', () => {
  const line = 'é'.repeat(1_000_000)
  const startMs = performance.now()
  for (let count = 0; count < 100; count++) codePointsBeside(line, 500_000, 'left')
  expect(performance.now() - startMs).toBeLessThan(1000)
})

test('arrows, backspace, delete and their Ctrl keys mean a character; what is with Alt means a word', () => {
  const sides = (...keys: object[]) => keys.map(sideOf)
  expect(sides({ name: 'left' }, { name: 'backspace' }, { name: 'b', ctrl: true })).toEqual(
    Array(3).fill('left'),
  )
  expect(sides({ name: 'right' }, { name: 'delete' }, { name: 'f', ctrl: true })).toEqual(
    Array(3).fill('right'),
  )
  expect(sides({ name: 'b', meta: true }, { name: 'left', ctrl: true }, { name: 'b' })).toEqual(
    Array(3).fill(undefined),
  )
})
