// All transfers: the last ten minutes, downloads, what is being read to be shared, and who fetches from here.

import type { VNode } from 'preact'
import { bytesOfPieces } from '../../../client/prompt/text/amounts.ts'
import { timeLeft } from '../../../client/prompt/views/tables.ts'
import type { DownloadView, HashingView, UploadView } from '../../../client/operations.ts'
import { wayText } from '../../../client/way.ts'
import { counted } from '../../../common/counted.ts'
import { formatSpeed } from '../../../common/rates.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { Actions } from '../actions.ts'
import { html, shown } from '../html.ts'
import type { PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { nameColumn } from './name-column.ts'
import { progress, section } from './parts.ts'
import { ratesPlot } from './rates-plot.ts'
import { transferButtons } from './transfer-buttons.ts'

/** What goes on comes first. */
const order: readonly DownloadView['state'][] = ['running', 'failed', 'paused', 'complete']

export function transfersView(state: PageState, actions: Actions): VNode {
  const { samples, hashing } = state
  return html`<h1 tabindex="-1">Transfers</h1>
    ${section('The last ten minutes', ratesPlot(samples))} ${section('Downloads', downloads(state, actions))}
    ${hashing.length === 0 ? '' : section('Being read, to be shared', reading(hashing))}
    ${section('Who fetches from you', uploads(state.uploads))}`
}

function downloads({ downloads: all, pending }: PageState, actions: Actions): VNode {
  return dataTable<DownloadView>({
    label: 'Downloads',
    rows: all.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state)),
    keyOf: ({ group, name }) => `${group}/${name}`,
    empty: 'There are no downloads. Choose an entry of a group to begin one.',
    widePx: 56,
    narrowPx: 144,
    columns: [
      nameColumn(),
      {
        heading: 'Done',
        width: '11rem',
        sortBy: ({ piecesDone, pieceCount }) => piecesDone / pieceCount,
        cell: ({ name, piecesDone, pieceCount }) => progress(piecesDone, pieceCount, `Of ${shown(name)}`),
      },
      {
        heading: 'How it goes',
        width: 'minmax(13rem, 2fr)',
        cell: (one) => html`<span class="two-lines" title=${how(one)}>${how(one)}</span>`,
      },
      {
        heading: 'Actions',
        width: '21rem',
        cell: (one) => transferButtons(one, pending, actions),
      },
    ],
  })
}

function how(download: DownloadView): string {
  const { state, why, sizeBytes, bytesPerSecond, peerCount, verifying } = download
  if (state === 'complete') return `complete, ${formatSize(sizeBytes)}`
  if (state !== 'running') return why === undefined ? state : `${state}: ${shown(why)}`
  if (verifying !== undefined) return `what is there is verified, ${formatSpeed(verifying.bytesPerSecond)}`
  if (why !== undefined && why !== '') return `waits: ${shown(why)}`
  const left = timeLeft(bytesOfPieces(download).missing, bytesPerSecond)
  return [formatSpeed(bytesPerSecond), left, counted(peerCount, 'peer')]
    .filter((part) => part !== '')
    .join(', ')
}

function reading(all: readonly HashingView[]): VNode {
  return dataTable<HashingView>({
    label: 'Being read',
    rows: all,
    keyOf: ({ group, name }) => `${group}/${name}`,
    empty: '',
    columns: [
      nameColumn(),
      {
        heading: 'Done',
        width: '11rem',
        cell: ({ name, bytesDone, sizeBytes }) => progress(bytesDone, sizeBytes, `Of ${shown(name)}`),
      },
      {
        heading: 'Rate',
        width: 'minmax(9rem, 1fr)',
        cell: ({ bytesPerSecond }) =>
          bytesPerSecond === 0 ? 'waits for its turn' : formatSpeed(bytesPerSecond),
      },
    ],
  })
}

function uploads(all: readonly UploadView[]): VNode {
  return dataTable<UploadView>({
    label: 'Who fetches from you',
    rows: all,
    keyOf: ({ peer, group, name }) => `${peer} ${group}/${name}`,
    empty: 'Nobody fetches anything from you.',
    narrowPx: 116,
    columns: [
      nameColumn(),
      {
        heading: 'Peer',
        width: 'minmax(9rem, 1fr)',
        cell: ({ peer }) => shown(peer),
        sortBy: ({ peer }) => peer,
      },
      {
        heading: 'Has',
        width: '10rem',
        sortBy: ({ pieces, pieceCount }) => pieces / pieceCount,
        cell: ({ user, pieces, pieceCount }) => progress(pieces, pieceCount, `Of ${shown(user)}`),
      },
      {
        heading: 'Rate',
        width: '7rem',
        isNumber: true,
        cell: ({ bytesPerSecond }) => formatSpeed(bytesPerSecond),
        sortBy: ({ bytesPerSecond }) => bytesPerSecond,
      },
      { heading: 'Sent', width: '7rem', isNumber: true, cell: ({ sentBytes }) => formatSize(sentBytes) },
      { heading: 'Way', width: '7rem', cell: ({ way }) => wayText(way) },
    ],
  })
}
