// The first column of tables of entries: the name, which leads to the entry, and its group.

import { html, shown } from '../html.ts'
import type { Column } from './data-table.ts'
import { anchor } from './parts.ts'

export function nameColumn<T extends { readonly group: string; readonly name: string }>(): Column<T> {
  return {
    heading: 'Name',
    width: 'minmax(11rem, 1.5fr)',
    sortBy: ({ name }) => name,
    cell: ({ group, name }) =>
      html`<span class="name"
        >${anchor({ view: 'entry', group, name }, name)}${' '}<span class="mark">${shown(group)}</span></span
      >`,
  }
}
