// The order of the rows of a table, by one of its columns. Pure.

/** By which column, as its place among them. */
export interface Sorting {
  readonly column: number
  readonly isDescending: boolean
}

/** As people count: `file 2` before `file 10`. */
const { compare } = new Intl.Collator('en', { numeric: true })

/** Rows of which `valueOf` says nothing come last, either way; those that are alike stay as they were. */
export function sorted<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => string | number | undefined,
  isDescending: boolean,
): readonly Row[] {
  const sign = isDescending ? -1 : 1
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }))
  keyed.sort(({ value: one }, { value: other }) => {
    if (one === undefined || other === undefined)
      return Number(one === undefined) - Number(other === undefined)
    if (typeof one === 'number' && typeof other === 'number') return sign * (one - other)
    return sign * compare(String(one), String(other))
  })
  return keyed.map(({ row }) => row)
}

/** What comes of another press at a heading: its column upwards, then downwards, then the order of before. */
export function pressed(before: Sorting | undefined, column: number): Sorting | undefined {
  if (before?.column !== column) return { column, isDescending: false }
  return before.isDescending ? undefined : { column, isDescending: true }
}
