// A table whose rows are drawn only where they are in sight: ten thousand scroll as smoothly as ten. The roles are written
// out, since on a narrow screen a row takes two lines, which a table of HTML cannot.

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { component, html, type Content } from '../html.ts'
import { rowsInSight } from '../rows-in-sight.ts'

export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => Content
  /** As a grid takes it: `8rem`, `minmax(12rem, 1fr)`. */
  readonly width: string
  readonly isNumber?: boolean
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

export function dataTable<Row>(parts: TableParts<Row>): VNode {
  if (parts.rows.length === 0) return html`<p class="empty">${parts.empty}</p>`
  return component(DataTable<Row>, parts)
}

function DataTable<Row>({ label, columns, rows, keyOf, widePx = 44, narrowPx = 84 }: TableParts<Row>): VNode {
  const [scrolledPx, setScrolled] = useState(0)
  const [heightPx, setHeight] = useState(600)
  const [focused, setFocused] = useState<number>()
  const box = useRef<HTMLDivElement>(null)
  const rowPx = useIsNarrow() ? narrowPx : widePx
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const watch = new ResizeObserver(() => setHeight(element.clientHeight))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  const isLong = rows.length * rowPx + headPx > heightPx
  const inSight = rowsInSight(rows.length, rowPx, scrolledPx, heightPx, focused)
  const widths = columns.map(({ width }) => width).join(' ')
  return html`<div
    class="table-box"
    ref=${box}
    role=${isLong ? 'region' : undefined}
    aria-label=${isLong ? label : undefined}
    tabindex=${isLong ? 0 : undefined}
    onScroll=${() => setScrolled(box.current?.scrollTop ?? 0)}
    onFocusOut=${() => setFocused(undefined)}
  >
    <div role="table" aria-label=${label} aria-rowcount=${rows.length + 1} style=${{ '--columns': widths }}>
      <div role="rowgroup" class="table-head">
        <div role="row" aria-rowindex="1" class="row">
          ${columns.map(
            ({ heading, isNumber }) =>
              html`<div role="columnheader" class=${isNumber ? 'number' : ''}>${heading}</div>`,
          )}
        </div>
      </div>
      <div role="rowgroup" class="table-body" style=${{ height: `${rows.length * rowPx}px` }}>
        ${inSight.map((at) => rowOf(rows[at] as Row, at))}
      </div>
    </div>
  </div>`

  function rowOf(row: Row, at: number): VNode {
    const place = { top: `${at * rowPx}px`, height: `${rowPx}px` }
    return html`<div
      role="row"
      class="row"
      key=${keyOf(row)}
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
