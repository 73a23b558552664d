// The heading of a column, which sorts the table where its rows have an order by it, and the field that does so where the
// headings are only heard.

import type { VNode } from 'preact'
import { html } from '../html.ts'
import { pressed, type Sorting } from '../sorting.ts'

interface Heading {
  readonly heading: string
  readonly isNumber?: boolean
  readonly sortBy?: unknown
}

type Set = (change: (before: Sorting | undefined) => Sorting | undefined) => void

/** `at`: its place among the columns. */
export function tableHeading(
  { heading, isNumber, sortBy }: Heading,
  at: number,
  sorting: Sorting | undefined,
  set: Set,
  isNarrow: boolean,
): VNode {
  const order = sorting?.column !== at ? undefined : sorting.isDescending ? 'descending' : 'ascending'
  return html`<div role="columnheader" class=${isNumber ? 'number' : ''} aria-sort=${order}>
    ${
      sortBy === undefined || isNarrow
        ? heading
        : html`<button
            type="button"
            class=${`heading ${order ?? ''}`}
            onClick=${() => set((before) => pressed(before, at))}
          >
            ${heading}
          </button>`
    }
  </div>`
}

export function sortingField(
  columns: readonly Heading[],
  sorting: Sorting | undefined,
  set: Set,
): VNode | string {
  const choices = columns.flatMap(({ heading, sortBy }, column) =>
    sortBy === undefined
      ? []
      : [false, true].map((isDescending) => ({
          value: `${column} ${isDescending}`,
          words: isDescending ? `${heading}, the other way` : heading,
          sorting: { column, isDescending },
        })),
  )
  if (choices.length === 0) return ''
  const value = sorting === undefined ? '' : `${sorting.column} ${sorting.isDescending}`
  return html`<label class="field sorting">
    <span>Sorted by</span>
    <select
      value=${value}
      onChange=${(event: Event) => {
        const chosen = (event.currentTarget as HTMLSelectElement).value
        set(() => choices.find((one) => one.value === chosen)?.sorting)
      }}
    >
      <option value="">as listed</option>
      ${choices.map((one) => html`<option value=${one.value}>${one.words}</option>`)}
    </select>
  </label>`
}
