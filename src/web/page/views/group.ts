// One group: who asks to join, what it has, who is in it, and sharing into it.

import type { VNode } from 'preact'
import { counted } from '../../../common/counted.ts'
import type { FileEntry } from '../../../common/protocol/listings.ts'
import { formatSize } from '../../../common/sizes.ts'
import { formatDay } from '../../../client/prompt/text/days.ts'
import type { DownloadView } from '../../../client/operations.ts'
import type { Actions } from '../actions.ts'
import { capital, html, shown } from '../html.ts'
import { remembersLast } from '../last-result.ts'
import type { GroupDetails, PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { anchor, button, progress, section } from './parts.ts'
import { sharing } from './sharing.ts'

export function groupView(state: PageState, group: string, actions: Actions): VNode {
  const details = state.group
  const own = state.groups?.find((one) => one.group === group)
  const isOwner = own?.standing === 'owner'
  return html`<p class="path"><a href="#/groups">Groups</a></p>
    <h1 tabindex="-1">${shown(group)}</h1>
    ${details?.problem === undefined ? '' : html`<p class="empty">${capital(shown(details.problem))}.</p>`}
    ${details === undefined ? waiting() : contentOf(details)}`

  function contentOf(known: GroupDetails): VNode | string {
    if (known.entries === undefined) return known.problem === undefined ? waiting() : ''
    return html`${known.requests.length === 0 ? '' : requests(known, state.pending, actions)}
      ${section('Files and folders', entries(state, known, known.entries, actions))}
      ${section('Share something', sharing(group, state, actions))}
      ${section('Members', members(known, isOwner, state, actions))}
      <div class="buttons">
        ${button({ label: 'Why does something wait?', onPress: () => void actions.why(group) })}
        ${button({
          label: 'Leave the group',
          kind: 'danger',
          isPending: state.pending.has(`leave ${group}`),
          onPress: () => actions.leaveGroup(group, isOwner),
        })}
      </div>`
  }
}

function waiting(): VNode {
  return html`<p class="empty">Asking what the group has …</p>`
}

function requests({ group, requests }: GroupDetails, pending: ReadonlySet<string>, actions: Actions): VNode {
  return section(
    'Who asks to join',
    html`<ul class="lines">
      ${requests.map((user) => {
        const isPending = pending.has(`request ${group}/${user}`)
        const name = shown(user)
        return html`<li key=${user}>
          <span class="name">${name}</span>
          <span class="buttons">
            ${button({ label: 'Accept', name: `Accept ${name}`, kind: 'main', isPending, onPress: () => void actions.acceptRequest(group, user) })}
            ${button({ label: 'Reject', name: `Reject ${name}`, isPending, onPress: () => void actions.rejectRequest(group, user) })}
          </span>
        </li>`
      })}
    </ul>`,
  )
}

const withLetters = remembersLast((all: readonly FileEntry[], letters: string) =>
  letters === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(letters)),
)

function entries(
  { downloads, wanted }: PageState,
  { group, isWhole }: GroupDetails,
  all: readonly FileEntry[],
  actions: Actions,
): VNode {
  const found = withLetters(all, wanted.toLowerCase())
  const under = new Map(downloads.filter((one) => one.group === group).map((one) => [one.name, one]))
  return html`${all.length < 2 ? '' : search(wanted, found.length, isWhole, actions)}
  ${dataTable<FileEntry>({
    label: 'Files and folders',
    rows: found,
    keyOf: ({ name }) => name,
    empty: all.length === 0 ? 'Nothing is shared here yet.' : 'No name has these letters.',
    columns: [
      {
        heading: 'Name',
        width: 'minmax(12rem, 3fr)',
        cell: (one) => nameOf(group, one),
        sortBy: ({ name }) => name,
      },
      {
        heading: 'Size',
        width: '7rem',
        isNumber: true,
        cell: (one) => formatSize(one.sizeBytes),
        sortBy: ({ sizeBytes }) => sizeBytes,
      },
      { heading: 'Latest version', width: '13rem', cell: versionOf, sortBy: ({ details }) => details?.atMs },
      {
        heading: 'Who has it',
        width: '8rem',
        cell: ({ seeders }) => seedersText(seeders),
        sortBy: ({ seeders }) => seeders,
      },
      { heading: 'Here', width: '11rem', cell: ({ name }) => standing(under.get(name)) },
    ],
  })}`
}

function search(wanted: string, count: number, isWhole: boolean, actions: Actions): VNode {
  return html`<div class="search">
    <label class="field">
      <span>Names with these letters</span>
      <input
        type="search"
        value=${wanted}
        onInput=${(event: Event) => actions.want((event.currentTarget as HTMLInputElement).value)}
      />
    </label>
    <span role="status">${counted(count, 'entry', 'entries')}${isWhole ? '' : ' so far …'}</span>
  </div>`
}

function nameOf(group: string, { name, files }: FileEntry): VNode {
  const mark = files === undefined ? '' : html` <span class="mark">${counted(files, 'file')}</span>`
  return html`<span class="name">${anchor({ view: 'entry', group, name }, name)}${mark}</span>`
}

function versionOf({ details }: FileEntry): string {
  if (details === undefined) return ''
  const by = details.by === '' ? '' : ` by ${shown(details.by)}`
  const since = details.atMs === 0 ? '' : `, ${formatDay(details.atMs).slice(0, 10)}`
  return `${details.version}${by}${since}`
}

function seedersText(seeders: number): string {
  return seeders === 0 ? 'nobody online' : counted(seeders, 'seeder')
}

function standing(download: DownloadView | undefined): VNode | string {
  if (download === undefined) return ''
  if (download.state === 'complete') return 'complete'
  if (download.state !== 'running') return download.state
  return progress(download.piecesDone, download.pieceCount, `Of ${shown(download.name)}`)
}

function members(
  { group, members = [] }: GroupDetails,
  isOwner: boolean,
  { user, pending }: PageState,
  actions: Actions,
): VNode {
  return dataTable<string>({
    label: 'Members',
    rows: members,
    keyOf: (member) => member,
    empty: 'Nobody is listed.',
    narrowPx: 76,
    columns: [
      {
        heading: 'Name',
        width: 'minmax(8rem, 1fr)',
        sortBy: (member) => member,
        cell: (member) =>
          html`<span class="name"
            >${shown(member)}${member === user ? html` <span class="mark">you</span>` : ''}</span
          >`,
      },
      {
        heading: 'Membership',
        width: '9rem',
        cell: (member) =>
          !isOwner || member === user
            ? ''
            : button({
                label: 'Remove',
                name: `Remove ${shown(member)}`,
                isPending: pending.has(`remove ${group}/${member}`),
                onPress: () => actions.removeMember(group, member),
              }),
      },
    ],
  })
}
