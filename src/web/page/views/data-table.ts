// A table whose rows are drawn only where they are in sight: ten thousand scroll as smoothly as ten. The roles are written
// out, since on a narrow screen a row takes two lines, which a table of HTML cannot.

import type { VNode } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { component, html, type Content } from '../html.ts'
import { placesOf } from '../places-of-rows.ts'
import { rowsInSight, scrolledStep } from '../rows-in-sight.ts'
import { sorted, type Sorting } from '../sorting.ts'
import { sortingField, tableHeading } from './table-heading.ts'

export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => Content
  /** As a grid takes it: `8rem`, `minmax(12rem, 1fr)`. */
  readonly width: string
  readonly isNumber?: boolean
  /** By what the table can be sorted with this heading. Undefined comes last. */
  readonly sortBy?: (row: Row) => string | number | undefined
}

interface TableParts<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Said where there are no rows. */
  readonly empty: string
  /** Heights of a row; the columns after the first stand below it where it is narrow. */
  readonly widePx?: number
  readonly narrowPx?: number
}

const narrow = '(max-width: 44rem)'
const headPx = 36
/** So many rows are seen at a glance: nobody has to sort them where that takes a field. */
const unsortedMax = 8

export function dataTable<Row>(parts: TableParts<Row>): VNode {
  if (parts.rows.length === 0) return html`<p class="empty">${parts.empty}</p>`
  return component(DataTable<Row>, parts)
}

function DataTable<Row>(parts: TableParts<Row>): VNode {
  const { label, columns, keyOf, widePx = 44, narrowPx = 84 } = parts
  const [sorting, setSorting] = useState<Sorting>()
  const [scrolledPx, setScrolled] = useState(0)
  const [heightPx, setHeight] = useState(600)
  const [focused, setFocused] = useState<number>()
  const box = useRef<HTMLDivElement>(null)
  const isNarrow = useIsNarrow()
  const rowPx = isNarrow ? narrowPx : widePx
  const rows = useMemo(() => inOrder(parts, sorting), [parts.rows, sorting])
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const watch = new ResizeObserver(() => setHeight(element.clientHeight))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  const isLong = rows.length * rowPx + headPx > heightPx
  const inSight = rowsInSight(rows.length, rowPx, scrolledPx, heightPx, focused)
  const places = useRef<ReadonlyMap<string, number>>(new Map())
  places.current = placesOf(
    inSight.map((at) => keyOf(rows[at] as Row)),
    places.current,
  )
  const widths = columns.map(({ width }) => width).join(' ')
  const table = html`<div
    class="table-box"
    ref=${box}
    role=${isLong ? 'region' : undefined}
    aria-label=${isLong ? label : undefined}
    tabindex=${isLong ? 0 : undefined}
    onScroll=${() => setScrolled(scrolledStep(box.current?.scrollTop ?? 0, rowPx))}
    onFocusOut=${() => setFocused(undefined)}
  >
    <div role="table" aria-label=${label} aria-rowcount=${rows.length + 1} style=${{ '--columns': widths }}>
      <div role="rowgroup" class="table-head">
        <div role="row" aria-rowindex="1" class="row">
          ${columns.map((column, at) => tableHeading(column, at, sorting, setSorting, isNarrow))}
        </div>
      </div>
      <div role="rowgroup" class="table-body" style=${{ height: `${rows.length * rowPx}px` }}>
        ${inSight.map((at) => rowOf(rows[at] as Row, at))}
      </div>
    </div>
  </div>`
  return isNarrow && rows.length > unsortedMax
    ? html`${sortingField(columns, sorting, setSorting)}${table}`
    : table

  function rowOf(row: Row, at: number): VNode {
    const place = { top: `${at * rowPx}px`, height: `${rowPx}px` }
    return html`<div
      role="row"
      class="row"
      key=${places.current.get(keyOf(row))}
      aria-rowindex=${at + 2}
      style=${place}
      onFocusIn=${() => setFocused(at)}
    >
      ${columns.map(
        ({ cell, heading, isNumber }) =>
          html`<div role="cell" data-heading=${heading} class=${isNumber ? 'number' : ''}>${cell(row)}</div>`,
      )}
    </div>`
  }
}

function inOrder<Row>({ rows, columns }: TableParts<Row>, sorting: Sorting | undefined): readonly Row[] {
  const sortBy = sorting && columns[sorting.column]?.sortBy
  return sortBy === undefined ? rows : sorted(rows, sortBy, sorting?.isDescending ?? false)
}

function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(narrow).matches)
  useEffect(() => {
    const media = matchMedia(narrow)
    const onChange = (): void => setNarrow(media.matches)
    media.addEventListener('change', onChange)
    return () => media.removeEventListener('change', onChange)
  }, [])
  return isNarrow
}
