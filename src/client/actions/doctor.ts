// Looks at what a client needs to work: versions, folders, disks, its address, trackers and clocks.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { formatAddress } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { isLoopback } from '../../common/networks.ts'
import { version } from '../../common/version.ts'
import { checksOf, type Check, type FolderFacts } from '../diagnosis/checks.ts'
import { freeBytesFor } from '../downloading/destination.ts'
import type { FoundFile } from '../downloading/swarm-lookup.ts'
import type { Session } from '../session.ts'
import { atMost } from '../../common/at-most.ts'
import { connectionsOf, waysOf } from './connections.ts'
import type { Core } from './core.ts'
import { findOnce } from './find-once.ts'
import { ownReach } from './own-place.ts'

const patienceMs = 2000
/** Folders of downloads that are looked at. */
const foldersMax = 20

export async function doctor(core: Core): Promise<Check[]> {
  const { link, examination, session } = core
  const trackers = link.evidence
  const found = await atMost(ownFound(core, session()), patienceMs)
  const [folders, clocks, reach] = await Promise.all([
    foldersOf(core, session()),
    link.clocks(patienceMs),
    ownReach(examination, trackers, found),
  ])
  return checksOf({
    version,
    nodeVersion: process.versions.node,
    today: new Date().toISOString(),
    folders,
    listening: formatAddress({ host: examination.listen.host, port: examination.port() }),
    isListeningInVain: examination.isGone(examination.listen.host),
    trackers,
    clocks,
    reach,
    portMap: examination.portMap(),
    ways: waysOf(connectionsOf(core)),
    isLocal: link.addresses.every(({ host }) => isLoopback(host)),
  })
}

/** A file that is shared here, as the trackers tell it to others: with the address of this client. */
async function ownFound(core: Core, session: Session | undefined): Promise<FoundFile | undefined> {
  const [share] = session?.sharesIn(undefined, 1) ?? []
  if (session === undefined || share === undefined || !core.link.isUp) return undefined
  try {
    const found = await findOnce(core, session, share)
    return found.ok ? found.value : undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return undefined
  }
}

async function foldersOf({ examination }: Core, session: Session | undefined): Promise<FolderFacts[]> {
  const needed = new Map<string, number>()
  for (const { state, destination, sizeBytes, pieceCount, piecesDone } of session?.downloads.views() ?? []) {
    if (state === 'complete') continue
    const folder = dirname(destination)
    const restBytes = pieceCount === 0 ? 0 : Math.ceil(sizeBytes * (1 - piecesDone / pieceCount))
    needed.set(folder, (needed.get(folder) ?? 0) + restBytes)
  }
  const downloads = [...needed].slice(0, foldersMax)
  return Promise.all([
    factsOf(examination.folder, 'data', 0),
    ...downloads.map(([path, neededBytes]) => factsOf(path, 'downloads', neededBytes)),
  ])
}

async function factsOf(path: string, use: FolderFacts['use'], neededBytes: number): Promise<FolderFacts> {
  // A network disk that is away may never answer, which is as good as a no.
  const seen = <T>(look: Promise<T>): Promise<T | undefined> =>
    atMost(look, patienceMs).catch(() => undefined)
  const [writable, freeBytes, stats] = await Promise.all([
    seen(access(path, constants.W_OK).then(() => true)),
    seen(freeBytesFor(`${path}/.`)),
    seen(stat(path)),
  ])
  const isOpenToOthers = ((stats?.mode ?? 0) & 0o077) !== 0
  return { path, use, freeBytes, neededBytes, isWritable: writable === true, isOpenToOthers }
}
