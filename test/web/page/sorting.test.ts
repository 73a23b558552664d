import { expect, test } from 'vitest'
import { pressed, sorted } from '../../../src/web/page/sorting.ts'

const rows = [{ name: 'file 10' }, { name: 'File 2' }, { name: 'file 1' }, { name: undefined }]
const namesOf = (isDescending: boolean): unknown[] =>
  sorted(rows, ({ name }) => name, isDescending).map(({ name }) => name)

test('names are sorted as people count, and what has none comes last, either way', () => {
  expect(namesOf(false)).toEqual(['file 1', 'File 2', 'file 10', undefined])
  expect(namesOf(true)).toEqual(['file 10', 'File 2', 'file 1', undefined])
})

test('numbers are sorted by their size, and rows that are alike stay as they were', () => {
  const pairs = [
    [2, 'a'],
    [10, 'b'],
    [2, 'c'],
  ] as const
  expect(sorted(pairs, ([size]) => size, false).map(([, name]) => name)).toEqual(['a', 'c', 'b'])
  expect(sorted(pairs, ([size]) => size, true).map(([, name]) => name)).toEqual(['b', 'a', 'c'])
})

test('a heading sorts upwards, then downwards, then leaves the rows as they came', () => {
  const up = pressed(undefined, 1)
  expect(up).toEqual({ column: 1, isDescending: false })
  const down = pressed(up, 1)
  expect(down).toEqual({ column: 1, isDescending: true })
  expect([pressed(down, 1), pressed(down, 0)]).toEqual([undefined, { column: 0, isDescending: false }])
})
