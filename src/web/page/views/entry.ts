// One entry of a group: how it stands here, its pieces, a line for each peer, who has it and who lacks it, its versions,
// and the ways to fetch, save and look at it.

import type { VNode } from 'preact'
import type { AudienceView, EntryView, LackingMember, PeerView } from '../../../client/operations.ts'
import { bytesOfPieces, formatTime, percentOf } from '../../../client/prompt/text/amounts.ts'
import { formatDay } from '../../../client/prompt/text/days.ts'
import { lastSentence, patience, stateWords } from '../../../client/prompt/views/entry.ts'
import { timeLeft } from '../../../client/prompt/views/tables.ts'
import { wayText } from '../../../client/way.ts'
import type { EntryVersion } from '../../../common/protocol/listings.ts'
import { formatSpeed } from '../../../common/rates.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { Actions } from '../actions.ts'
import { capital, html, shown } from '../html.ts'
import type { EntryDetails, PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { entryContent } from './entry-content.ts'
import { entryLimits } from './entry-limits.ts'
import { fetching } from './fetching.ts'
import { guestLink } from './guest-link.ts'
import { anchor, button, progress, section } from './parts.ts'
import { pieceMap } from './piece-map.ts'
import { transferButtons } from './transfer-buttons.ts'

export function entryView(state: PageState, group: string, name: string, actions: Actions): VNode {
  const entry = state.entry ?? nothingKnown(group, name)
  const { view } = entry
  return html`<p class="path"><a href="#/groups">Groups</a> / ${anchor({ view: 'group', group }, group)}</p>
    <h1 tabindex="-1">${shown(name)}</h1>
    ${view === undefined ? fetching(state, entry, actions) : standing(state, view, actions)}
    ${view === undefined ? '' : section('Peers', peers(view))}
    ${view === undefined ? '' : section('Who has it', audience(view))} ${entryContent(state, entry, actions)}
    ${isShared(view) ? section('Link for a guest', guestLink(state, group, name, actions)) : ''}
    ${view === undefined ? '' : section('Limits', entryLimits(state, group, name, actions))}
    ${section('Versions', versions(entry.versions))}`
}

function isShared(view: EntryView | undefined): boolean {
  return view?.state === 'shared' || view?.state === 'complete'
}

function nothingKnown(group: string, name: string): EntryDetails {
  return { group, name, listed: undefined, view: undefined, versions: [], files: undefined }
}

function standing(state: PageState, view: EntryView, actions: Actions): VNode {
  const { group, name, sizeBytes, pieceCount, piecesDone, why, bytesInPerSecond, bytesOutPerSecond } = view
  const isRunning = view.state === 'running'
  const left = timeLeft(bytesOfPieces(view).missing, bytesInPerSecond)
  return html`<div class="standing">
      <p class="state">
        ${`${capital(stateWords[view.state])}, ${formatSize(sizeBytes)}${why === undefined ? '' : `: ${shown(why)}`}`}
      </p>
      ${progress(piecesDone, pieceCount, `Of ${shown(name)} here`)}
      <p class="rates">
        ${isRunning ? html`<span class="number">in ${formatSpeed(bytesInPerSecond)}</span> ` : ''}
        <span class="number">out ${formatSpeed(bytesOutPerSecond)}</span>
        ${isRunning && left !== '' ? html` <span class="number">${left}</span>` : ''}
      </p>
      <div class="buttons">
        ${
          isShared(view)
            ? button({
                label: 'Stop sharing',
                isPending: state.pending.has(`stop ${group}/${name}`),
                onPress: () => actions.stopShare(group, name),
              })
            : transferButtons(view, state.pending, actions)
        }
      </div>
    </div>
    ${piecesDone < pieceCount ? pieceMap(view.map) : ''}`
}

function peers({ peers, pieceCount }: EntryView): VNode {
  // By the power of two, so that rates that are much the same do not make lines change places all the time.
  const rank = (peer: PeerView): number =>
    Math.floor(Math.log2(peer.bytesInPerSecond + peer.bytesOutPerSecond + 1))
  const speed = (bytesPerSecond: number): string => (bytesPerSecond < 1 ? '–' : formatSpeed(bytesPerSecond))
  return dataTable<PeerView>({
    label: 'Peers',
    rows: peers.toSorted((one, other) => rank(other) - rank(one)),
    keyOf: ({ peer }) => peer,
    empty: 'No peers are connected.',
    columns: [
      {
        heading: 'Peer',
        width: 'minmax(12rem, 2fr)',
        sortBy: ({ peer }) => peer,
        cell: ({ peer }) => html`<span class="name">${shown(peer)}</span>`,
      },
      {
        heading: 'Has',
        width: '5rem',
        isNumber: true,
        sortBy: ({ pieces }) => pieces,
        cell: ({ pieces }) => (pieces === undefined ? 'not said' : `${percentOf(pieces, pieceCount)} %`),
      },
      {
        heading: 'In',
        width: '8rem',
        isNumber: true,
        cell: (peer) => speed(peer.bytesInPerSecond),
        sortBy: (peer) => peer.bytesInPerSecond,
      },
      {
        heading: 'Out',
        width: '8rem',
        isNumber: true,
        cell: (peer) => speed(peer.bytesOutPerSecond),
        sortBy: (peer) => peer.bytesOutPerSecond,
      },
      {
        heading: 'Way',
        width: 'minmax(7rem, 1fr)',
        sortBy: ({ way }) => wayText(way),
        cell: ({ way, whyNot }) =>
          html`<span title=${whyNot === undefined ? undefined : shown(whyNot)}>${wayText(way)}</span>`,
      },
    ],
  })
}

function audience({ audience: known, pieceCount }: EntryView): VNode {
  if (known === undefined) return html`<p class="empty">This is not known: no tracker has answered.</p>`
  const { whole, lacking } = known
  return html`<p>
      ${whole.length === 0 ? 'Nobody online has all of it.' : `${whole.map(shown).join(', ')} ${whole.length === 1 ? 'has' : 'have'} all of it.`}
    </p>
    ${
      lacking.length === 0
        ? html`<p>Nobody online lacks a part.</p>`
        : html`<p>${capital(lastSentence(lacking))}.</p>
            ${lackingTable(lacking, pieceCount)}`
    }
    ${absentees(known)}`
}

function lackingTable(lacking: readonly LackingMember[], pieceCount: number): VNode {
  return dataTable<LackingMember>({
    label: 'Who still lacks it',
    rows: lacking.toSorted((one, other) => patience(other) - patience(one)),
    keyOf: ({ user }) => user,
    empty: '',
    columns: [
      {
        heading: 'Still lacks it',
        width: 'minmax(8rem, 1fr)',
        sortBy: ({ user }) => user,
        cell: ({ user }) => html`<span class="name">${shown(user)}</span>`,
      },
      {
        heading: 'Has',
        width: 'minmax(8rem, 1fr)',
        cell: ({ user, pieces }) =>
          pieces === undefined ? 'not known' : progress(pieces, pieceCount, `Of ${shown(user)}`),
      },
      {
        heading: 'Will have it in',
        width: '9rem',
        isNumber: true,
        sortBy: ({ secondsLeft }) => secondsLeft,
        cell: ({ secondsLeft }) =>
          (secondsLeft === undefined ? undefined : formatTime(secondsLeft)) ?? 'not known',
      },
    ],
  })
}

function absentees({ absent, absentCount }: AudienceView): VNode | string {
  if (absentCount === 0) return ''
  const more = absentCount - absent.length
  const names = absent.map(shown).join(', ') + (more > 0 ? ` and ${more} more` : '')
  return html`<p class="faint">Not online: ${names}.</p>`
}

function versions(all: readonly EntryVersion[]): VNode {
  return dataTable<EntryVersion>({
    label: 'Versions',
    rows: all,
    keyOf: ({ version, fileId }) => `${version} ${fileId}`,
    empty: 'No versions are known.',
    columns: [
      { heading: 'Version', width: '6rem', cell: ({ version }) => String(version) },
      { heading: 'Size', width: '8rem', isNumber: true, cell: ({ sizeBytes }) => formatSize(sizeBytes) },
      { heading: 'Since', width: '11rem', cell: ({ atMs }) => (atMs === 0 ? 'not known' : formatDay(atMs)) },
      { heading: 'By', width: 'minmax(6rem, 1fr)', cell: ({ by }) => (by === '' ? 'not known' : shown(by)) },
    ],
  })
}
