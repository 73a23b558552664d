// The manifest of what a download fetches: the stored one, or from the first peer that gives it.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { orAborted } from '../../common/abortable.ts'
import { fetchManifest, type FetchedManifest } from './manifest-fetch.ts'
import type { StorePool } from '../workers/store-pool.ts'
import { EarlyPieces, mayAskEarly } from './early-pieces.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { Rank } from './precedence.ts'
import type { SwarmLookup } from './swarm-lookup.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

/** Has no connection when the manifest was loaded from disk. */
export type KnownManifest = Pick<FetchedManifest, 'manifest'> & Partial<FetchedManifest>

/** The download that needs it. */
interface Asker {
  readonly record: RememberedDownload
  readonly lookup: SwarmLookup
  readonly notes: PeerNotes
  readonly rank: Pick<Rank, 'mayAsk'>
  onNotice(sentence: string): void
}

/**
 * Takes however long it takes. Rejects with the signal's reason, or with a `protocol` failure when it is not that of what
 * the tracker was told.
 */
export async function manifestFor(
  {
    manifests,
    network,
    storing,
    served,
  }: {
    readonly manifests: ManifestStore
    readonly network: SwarmNetwork
    readonly storing: Pick<StorePool, 'take'>
    readonly served: () => Manifest | undefined
  },
  asker: Asker,
  signal: AbortSignal,
): Promise<KnownManifest> {
  const { record, lookup, notes, rank } = asker
  const kept = served() ?? manifests.load(record.fileId)
  if (kept !== undefined) return { manifest: kept }
  const early = (): EarlyPieces => new EarlyPieces(record.sizeBytes, () => storing.take())
  for (;;) {
    const seen = lookup.newsCount
    if (lookup.ticket !== '') {
      const [ticket, peers] = [(): string => lookup.ticket, (): readonly Peer[] => lookup.peers]
      const onTicketRefused = (): void => lookup.onTicketRefused()
      const fetching = fetchManifest(network, {
        fileId: record.fileId,
        ticket,
        peers,
        notes,
        onTicketRefused,
        missingBytes: record.selectedBytes ?? record.sizeBytes,
        early: mayAskEarly(record) && rank.mayAsk(false) ? early : undefined,
      })
      const fetched = await orAborted(fetching, signal, (late) => late?.link.close('not needed'))
      if (fetched !== undefined) return checked(fetched, asker)
    }
    await lookup.untilNews(seen, signal)
  }
}

function checked(fetched: FetchedManifest, asker: Asker): FetchedManifest {
  const { manifest, link } = fetched
  try {
    checkTold(manifest, asker.record)
  } catch (error) {
    link.close('not needed')
    throw error
  }
  return fetched
}

/**
 * Keeps one that was fetched. Not awaited: that only avoids fetching it again, and pieces can be fetched meanwhile. To be
 * called when the part file is open: what makes files waits for a flush that is under way.
 */
export function keepManifest(
  manifests: ManifestStore,
  manifest: Manifest,
  asker: Pick<Asker, 'onNotice'>,
): void {
  manifests.save(manifest).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    asker.onNotice(error.message)
  })
}

/**
 * Throws a `protocol` failure for another size than the tracker was told: that is only a claim of whoever shared it, and the
 * manifest is proven by the file id.
 */
export function checkTold(manifest: Manifest, { sizeBytes, files }: Told): void {
  if (manifest.sizeBytes === sizeBytes && manifest.folder?.files === files) return
  throw new Failure(
    'protocol',
    `it does not have the size that the tracker was told; ask whoever shared it to upload it again`,
  )
}

interface Told {
  readonly sizeBytes: number
  readonly files?: number | undefined
}
