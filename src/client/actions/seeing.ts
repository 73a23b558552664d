// What a client tells of what it does: files being hashed, uploads, and how one file stands here and in its group.

import { atMost } from '../../common/at-most.ts'
import { plainNameProblem } from '../../common/names.ts'
import { pieceCount } from '../../common/pieces.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { neitherSharedNorDownloaded, noSuchGroup, notLoggedIn } from '../answers.ts'
import type { SwarmPeer } from '../downloading/arrivals.ts'
import type { EntryView, PeerView, SeeingOperations, UploadView } from '../operations.ts'
import type { Session } from '../session.ts'
import { Audience } from './audience.ts'
import type { Core } from './core.ts'
import { spellingOf } from './entry-path.ts'

/** A tracker that hangs must not keep anybody from seeing what is known here. */
const patienceMs = 1000

export function seeingActions(core: Core): SeeingOperations {
  const { session, uploads, guestFetches, sources } = core
  const audience = new Audience(core)
  return {
    showHashing: async () => session()?.shares.hashing() ?? [],
    showUploads: async () => [
      ...uploads().map(
        ({ group, fileId, user, peer, bytesPerSecond, sentBytes, way, pieceCount, pieces }): UploadView => {
          const name = sources.nameOf(group, fileId) ?? ''
          return { group, name, user, peer, bytesPerSecond, sentBytes, way, pieceCount, pieces }
        },
      ),
      ...guestFetches().map((fetched): UploadView => {
        const { fileId: _, ...view } = fetched
        return view
      }),
    ],
    async inspect(group, name) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const spelt = spellingOf(name)
      const first = entryOf(core, open, group, spelt)
      if (!first.ok) return first
      // Of a part of a folder nobody says who has it.
      if (spelt.includes('/')) return first
      const asked = audience.refresh(open, group, spelt)
      await atMost(asked, patienceMs)
      // It may have changed while the trackers were asked.
      const entry = entryOf(core, open, group, spelt)
      if (!entry.ok) return entry
      const seen = audience.of(open, entry.value)
      return accept(seen === undefined ? entry.value : { ...entry.value, audience: seen })
    },
  }
}

/** How it stands here, without asking anybody. */
function entryOf(core: Core, session: Session, group: string, name: string): Answer<EntryView> {
  const download = session.downloads.unfinished(group, name)
  if (download !== undefined) {
    const { state, why, priority, sizeBytes, piecesDone, bytesPerSecond, ...view } = download.view()
    const { fileId, within } = download.record
    const all = peersOf(core, group, fileId, download.peers)
    // How many pieces of the folder they have says nothing of those of a part.
    const peers = within === undefined ? all : all.map((peer) => ({ ...peer, pieces: undefined }))
    return accept({
      group,
      name,
      state,
      ...(why === undefined ? {} : { why }),
      priority,
      sizeBytes,
      pieceCount: view.pieceCount,
      piecesDone,
      bytesInPerSecond: bytesPerSecond,
      bytesOutPerSecond: outOf(peers),
      map: download.map,
      peers,
    })
  }
  const share = session.shares.shareOf(group, name)
  if (share === undefined) return neitherSharedNorDownloaded(group, name)
  const { fileId, sizeBytes, files } = share
  const source = core.sources.find(group, fileId)
  // Those of a folder that is not served are not known here.
  const count = source?.manifest.pieceCount ?? (files === undefined ? pieceCount(sizeBytes) : 0)
  const piecesDone = source?.have.count ?? 0
  const peers = peersOf(core, group, fileId, [])
  return accept({
    group,
    name,
    state: 'shared',
    ...(source === undefined ? { why: 'others cannot fetch it at the moment' } : {}),
    sizeBytes,
    pieceCount: count,
    piecesDone,
    bytesInPerSecond: 0,
    bytesOutPerSecond: outOf(peers),
    map: count === 0 ? [] : [[piecesDone, 0, 0, count - piecesDone]],
    peers,
  })
}

function outOf(peers: readonly PeerView[]): number {
  return peers.reduce((all, { bytesOutPerSecond }) => all + bytesOutPerSecond, 0)
}

/** A client that both sends and fetches is one line. */
function peersOf(
  { uploads, guestFetches }: Core,
  group: string,
  fileId: string,
  senders: readonly SwarmPeer[],
): PeerView[] {
  const peers = new Map<string, PeerView>()
  for (const { key, name, user, pieces, bytesPerSecond, way, whyNot } of senders) {
    const why = whyNot === undefined ? {} : { whyNot }
    const bytes = { bytesInPerSecond: bytesPerSecond, bytesOutPerSecond: 0 }
    peers.set(key, { peer: name, user, pieces, ...bytes, way, ...why })
  }
  for (const upload of uploads()) {
    if (upload.group !== group || upload.fileId !== fileId) continue
    const known = peers.get(upload.key)
    peers.set(upload.key, {
      ...known,
      peer: known?.peer ?? upload.peer,
      user: upload.user,
      pieces: Math.max(known?.pieces ?? 0, upload.pieces),
      bytesInPerSecond: known?.bytesInPerSecond ?? 0,
      bytesOutPerSecond: (known?.bytesOutPerSecond ?? 0) + upload.bytesPerSecond,
      way: known?.way ?? upload.way,
    })
  }
  for (const { group: from, fileId: what, user, peer, pieces, bytesPerSecond, way } of guestFetches())
    if (from === group && what === fileId)
      peers.set(peer, { peer, user, pieces, bytesInPerSecond: 0, bytesOutPerSecond: bytesPerSecond, way })
  return [...peers.values()]
}
