// All groups: those of the user, and those that can be joined.

import type { VNode } from 'preact'
import { counted } from '../../../common/counted.ts'
import type { GroupEntry, Standing } from '../../../common/protocol/listings.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import type { PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { anchor, button, checkbox, field, section, submitButton } from './parts.ts'

const standings: Record<Standing, string> = {
  owner: 'owner',
  member: 'member',
  requested: 'asked to join',
  none: 'not a member',
}

export function groupsView({ groups, pending }: PageState, actions: Actions): VNode {
  return html`<h1 tabindex="-1">Groups</h1>
    ${
      groups === undefined
        ? html`<p class="empty">Asking for the groups …</p>`
        : dataTable<GroupEntry>({
            label: 'Groups',
            rows: groups.toSorted((one, other) => Number(isOutside(one)) - Number(isOutside(other))),
            keyOf: ({ group }) => group,
            narrowPx: 96,
            empty: 'There are no groups yet. Create the first one below.',
            columns: [
              {
                heading: 'Group',
                width: 'minmax(10rem, 2fr)',
                cell: (one) => nameOf(one),
                sortBy: ({ group }) => group,
              },
              {
                heading: 'Owner',
                width: 'minmax(6rem, 1fr)',
                cell: ({ owner }) => shown(owner),
                sortBy: ({ owner }) => owner,
              },
              {
                heading: 'Members',
                width: '7rem',
                isNumber: true,
                cell: ({ members }) => members,
                sortBy: ({ members }) => members,
              },
              { heading: 'You', width: '9rem', cell: ({ standing }) => standings[standing] },
              { heading: 'Join', width: '8rem', cell: (one) => joinButton(one, pending, actions) },
            ],
          })
    }
    ${section('New group', newGroup(pending.has('createGroup'), actions))}`
}

function isOutside({ standing }: GroupEntry): boolean {
  return standing === 'none' || standing === 'requested'
}

function nameOf(one: GroupEntry): VNode {
  const mark = one.hidden === true ? html` <span class="mark">hidden</span>` : ''
  const name = isOutside(one) ? shown(one.group) : anchor({ view: 'group', group: one.group }, one.group)
  return html`<span class="name">${name}${mark}</span>`
}

function joinButton(one: GroupEntry, pending: ReadonlySet<string>, actions: Actions): VNode | string {
  if (one.standing !== 'none') return ''
  return button({
    label: 'Ask to join',
    name: `Ask to join ${shown(one.group)}, ${counted(one.members, 'member')}`,
    isPending: pending.has(`join ${one.group}`),
    onPress: () => void actions.joinGroup(one.group),
  })
}

function newGroup(isPending: boolean, actions: Actions): VNode {
  const onCreate = onSubmit((form, element) => {
    void actions
      .createGroup(wordOf(form, 'group'), form.has('hidden'))
      .then((isDone) => isDone && element.reset())
  })
  return html`<form onSubmit=${onCreate}>
    ${field({ label: 'Name', name: 'group' })}
    ${checkbox('Hidden: only its members see it in the list', 'hidden')}
    ${submitButton('Create the group', isPending)}
  </form>`
}
