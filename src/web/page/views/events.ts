// What happened since the page was opened, read out as it comes.

import type { VNode } from 'preact'
import { formatDay } from '../../../client/prompt/text/days.ts'
import type { Actions } from '../actions.ts'
import { eventText } from '../event-words.ts'
import { html, shown } from '../html.ts'
import type { PageState, ToldEvent } from '../state.ts'
import { anchor, button } from './parts.ts'

export function eventsView({ events, pending }: PageState, actions: Actions): VNode {
  return html`<h1 tabindex="-1">Events</h1>
    ${events.length === 0 ? html`<p class="empty">Nothing has happened since the page was opened.</p>` : ''}
    <div role="log" aria-label="Events">
      <ol class="events" reversed>
        ${events.map((one) => eventLine(one, pending, actions))}
      </ol>
    </div>`
}

function eventLine(
  { number, atMs, event }: ToldEvent,
  pending: ReadonlySet<string>,
  actions: Actions,
): VNode {
  const group = 'group' in event ? event.group : undefined
  return html`<li key=${number}>
    <time datetime=${new Date(atMs).toISOString()}>${formatDay(atMs).slice(11)}</time>
    <span class="name">${shown(eventText(event))}</span>
    ${
      group === undefined || event.kind === 'removed-from-group'
        ? ''
        : html`<span class="buttons">
            ${
              event.kind === 'join-requested'
                ? button({
                    label: 'Accept',
                    name: `Accept ${shown(event.user)} in ${shown(event.group)}`,
                    isPending: pending.has(`request ${event.group}/${event.user}`),
                    onPress: () => void actions.acceptRequest(event.group, event.user),
                  })
                : ''
            }
            ${anchor({ view: 'group', group }, group)}
          </span>`
    }
  </li>`
}
