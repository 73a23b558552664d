// The links for guests of this user: what each leads to, until when it is good, how often it was used, and whether somebody
// fetches by it now.

import type { VNode } from 'preact'
import type { GuestPlace, LinkView } from '../../../client/link-operations.ts'
import { formatDay } from '../../../client/prompt/text/days.ts'
import { usesText } from '../../../client/prompt/text/links.ts'
import { counted } from '../../../common/counted.ts'
import type { Actions } from '../actions.ts'
import { html, shown } from '../html.ts'
import type { PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { madeLinkBox } from './guest-link.ts'
import { nameColumn } from './name-column.ts'
import { button } from './parts.ts'

export function linksView(state: PageState, actions: Actions): VNode {
  const { links, guests } = state
  return html`<h1 tabindex="-1">Links</h1>
    <p>By a link, somebody without an account fetches one file or folder that you share.</p>
    ${guests === undefined ? '' : guests.place === undefined ? howToServe() : where(guests.place)}
    ${madeLinkBox(state, actions)}
    ${
      links === undefined
        ? html`<p class="empty">Asking for the links …</p>`
        : table(links, state.pending, actions)
    }`
}

function howToServe(): VNode {
  return html`<p>
    This client serves no guests. Start it with <code>--guests</code> and the address at which they reach it,
    such as ${' '}<code>--guests 203.0.113.5:8443</code>, to make links and have them work.
  </p>`
}

function where({ origin, fingerprint }: GuestPlace): VNode {
  return html`<p class="faint">
    Guests are served at <code>${origin}</code>${
      fingerprint === undefined
        ? '.'
        : html`, with a certificate of this client. Its SHA-256 fingerprint is <code>${fingerprint}</code>`
    }
  </p>`
}

/** Those that are good first, the latest of them first. */
function table(links: readonly LinkView[], pending: ReadonlySet<string>, actions: Actions): VNode {
  const rank = ({ isOpen }: LinkView): number => (isOpen ? 0 : 1)
  return dataTable<LinkView>({
    label: 'Links',
    rows: links.toSorted((one, other) => rank(one) - rank(other) || other.link - one.link),
    keyOf: ({ link }) => String(link),
    empty: 'There are no links. One is made where an entry is shown that you share.',
    widePx: 56,
    narrowPx: 128,
    columns: [
      nameColumn(),
      {
        heading: 'Link',
        width: '4rem',
        isNumber: true,
        cell: ({ link }) => link,
        sortBy: ({ link }) => link,
      },
      {
        heading: 'Good',
        width: 'minmax(12rem, 1fr)',
        sortBy: ({ untilMs }) => untilMs,
        cell: (link) => html`<span class="two-lines" title=${standing(link)}>${standing(link)}</span>`,
      },
      { heading: 'Used', width: '9rem', cell: usesText, sortBy: ({ uses }) => uses },
      {
        heading: 'Now',
        width: '9rem',
        sortBy: ({ fetching }) => fetching,
        cell: ({ fetching }) => (fetching === 0 ? 'nobody fetches' : counted(fetching, 'transfer')),
      },
      { heading: 'Actions', width: '8rem', cell: (link) => takeBack(link, pending, actions) },
    ],
  })
}

function standing({ untilMs, why }: LinkView): string {
  return why === undefined ? `until ${formatDay(untilMs)}` : `no: ${shown(why)}`
}

/** Of one that is over, too, while something is still sent by it. */
function takeBack(
  { link, name, isOpen, fetching }: LinkView,
  pending: ReadonlySet<string>,
  actions: Actions,
): VNode | string {
  if (!isOpen && fetching === 0) return ''
  return button({
    label: 'Take back',
    name: `Take back link ${link} to ${shown(name)}`,
    isPending: pending.has(`revoke ${link}`),
    onPress: () => actions.revokeLink(link, name),
  })
}
