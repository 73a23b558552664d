// How wide a text is on a terminal, and where it is broken.

import { expect, test } from 'vitest'
import { displayWidth, fitTo, inColumns, rowsOf, wrapped } from '../../../src/common/terminal/width.ts'

test.each([
  ['photo', 5],
  ['写真', 4],
  ['cafe\u0301', 4],
  ['한글', 4],
  ['🎉', 2],
  ['éß', 2],
  ['', 0],
])('%j takes %i columns', (text, columns) => {
  expect(displayWidth(text)).toBe(columns)
})

test('a column of wide names is as wide as one of narrow ones', () => {
  expect(fitTo('写真', 6)).toBe('写真  ')
})

test('a long text is broken between words, and what follows is indented', () => {
  expect(wrapped('  quit   stop at once, resume later', 20, 9)).toBe(
    '  quit   stop at\n         once,\n         resume\n         later',
  )
})

test('an indentation that leaves no room becomes a small one', () => {
  expect(wrapped('one two three', 8, 7)).toBe('one two\n  three')
})

test.each([20, 40, 80])('no row is wider than a terminal of %i columns', (columns) => {
  const text = '  写真 '.repeat(30)
  for (const row of wrapped(text, columns, 4).split('\n'))
    expect(displayWidth(row)).toBeLessThanOrEqual(columns)
})

test.each([
  ['', 10, 1],
  ['0123456789', 10, 1],
  ['0123456789a', 10, 2],
  // The last of these finds one column left.
  ['写真写真写', 9, 2],
  ['写真写真', 9, 1],
])('%j takes at %i columns %i rows', (text, columns, rows) => {
  expect(rowsOf(text, columns)).toBe(rows)
})

test('texts beside each other stand in columns, as many as fit', () => {
  expect(inColumns(['one', '写真', 'three', 'e\u0301'], 16)).toEqual(['one    写真', 'three  e\u0301'])
  expect(inColumns(['one', 'two'], 4)).toEqual(['one', 'two'])
  expect(inColumns([], 40)).toEqual([])
})
