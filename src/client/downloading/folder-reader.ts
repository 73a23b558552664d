// Finds out what is in a folder of a group without fetching it: from what is kept here of a folder that is shared or
// downloaded, else from peers, who are asked for the manifest and the pieces of the tree alone.

import { Failure, type FailureCode } from '../../common/failure.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { StorePool } from '../workers/store-pool.ts'
import { orAborted } from '../../common/abortable.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import { checkTree } from './folder-tree.ts'
import { fetchManifest, type FetchedManifest } from './manifest-fetch.ts'
import { checkTold } from './manifest-for.ts'
import { PeerNotes } from './peer-notes.ts'
import type { FoundFile } from './swarm-lookup.ts'
import type { ClientNetwork, KnownOfPeers } from './swarm-parts.ts'
import { Swarm } from './swarm.ts'
import { keptFolder, TreeStore, type KnownFolder } from './tree-store.ts'

export interface ReadFolder extends FolderContents, KnownFolder {}

interface Entry {
  readonly group: string
  readonly name: string
}

export interface FolderReaderParts {
  readonly network: ClientNetwork
  readonly manifests: ManifestStore
  readonly storing: StorePool
}

/** How long peers are waited for, in milliseconds. */
export interface Patience {
  /** For the manifest, which nobody says how much has come of. */
  readonly manifestMs: number
  /** While nothing comes of the tree. */
  readonly silenceMs: number
}

const usualPatience: Patience = { manifestMs: 30_000, silenceMs: 10_000 }
/** Why others do not say what is in the folder. */
const codes: { readonly [C in FailureCode]?: 'not-shared' | 'timed-out' | 'unavailable' } = {
  'connection-lost': 'not-shared',
  timeout: 'timed-out',
  protocol: 'unavailable',
}

/** How often to look whether something came. */
const lookMs = 250

export class FolderReader {
  readonly #parts: FolderReaderParts
  readonly #patience: Patience
  readonly #closing = new AbortController()

  constructor(parts: FolderReaderParts, patience = usualPatience) {
    this.#parts = parts
    this.#patience = patience
  }

  /**
   * What is in the folder that the trackers found. Refuses for a single file; as `not-shared`, `timed-out` or `unavailable`
   * when nobody is there who gives the tree, or in time, or one that is any.
   */
  async read(entry: Entry, found: FoundFile): Promise<Answer<ReadFolder>> {
    const { name } = entry
    if (found.files === undefined) return refuse('no-such-file', `${name} is a file, not a folder`)
    try {
      const { manifest, tree } =
        (await keptFolder(this.#parts.manifests, found.fileId)) ?? (await this.#fetch(entry, found))
      if (manifest.folder === undefined) return refuse('no-such-file', `${name} is a file, not a folder`)
      checkTold(manifest, found)
      const contents = await checkTree(manifest.folder, tree, this.#closing.signal)
      return accept({ manifest, tree, ...contents })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (this.#closing.signal.aborted) return refuse('cancelled', 'you logged out')
      const sentence = error.code === 'protocol' ? `${name}: ${error.message}` : error.message
      return refuse(codes[error.code] ?? 'local-file', sentence)
    }
  }

  /** Keeps what was read, so that it is not fetched again. Rejects with a `file` failure. */
  async keep({ manifest, tree }: ReadFolder): Promise<void> {
    await this.#parts.manifests.save(manifest)
    await this.#parts.manifests.saveTree(manifest.fileId, tree)
  }

  /** Nothing is read any more. */
  close(): void {
    this.#closing.abort(new Failure('connection-lost', 'you logged out'))
  }

  async #fetch(entry: Entry, { fileId, ticket, peers }: FoundFile): Promise<KnownFolder> {
    const { network } = this.#parts
    const others = peers.filter(({ key }) => key !== network.identity.publicKey)
    if (others.length === 0)
      throw new Failure('connection-lost', `nobody who has ${entry.name} is online; try again later`)
    const lateness = new AbortController()
    const signal = AbortSignal.any([lateness.signal, this.#closing.signal])
    const giveUp = (): void =>
      lateness.abort(new Failure('timeout', `nobody who has ${entry.name} answers in time; try again later`))
    const notes = new PeerNotes(network.identity.publicKey)
    const request = { fileId, ticket: () => ticket, peers: () => others, notes, onTicketRefused: nothing }
    const timer = setTimeout(giveUp, this.#patience.manifestMs)
    const fetched = await orAborted(fetchManifest(network, request), signal, (given) =>
      given?.link.close('not needed'),
    ).finally(() => clearTimeout(timer))
    if (fetched === undefined) giveUp()
    if (fetched === undefined || signal.aborted) throw signal.reason as Failure
    const known = { ticket, notes, rank: network.precedence.rank(entry) }
    return this.#fetchTree(fetched, others, known, { signal, giveUp })
  }

  async #fetchTree(
    { manifest, link }: FetchedManifest,
    peers: readonly Peer[],
    known: KnownOfPeers,
    { signal, giveUp }: { readonly signal: AbortSignal; readonly giveUp: () => void },
  ): Promise<KnownFolder> {
    const { network, storing } = this.#parts
    const { folder } = manifest
    if (folder === undefined) {
      link.close('not needed')
      throw new Failure('protocol', 'it is a file, not a folder')
    }
    const store = new TreeStore(manifest, folder, storing)
    let onComplete = nothing
    const fetched = new Promise<void>((resolve) => (onComplete = resolve))
    // Nothing is written, so nothing fails.
    const events = {
      onComplete: () => onComplete(),
      onFailure: nothing,
      onMisbehaved: nothing,
      onTicketRefused: nothing,
    }
    const swarm = new Swarm(network, store, known, events)
    swarm.onLink(link)
    swarm.onPeers(peers)
    let heardAtMs = performance.now()
    const look = setInterval(() => {
      if (swarm.bytesPerSecond > 0) heardAtMs = performance.now()
      else if (performance.now() - heardAtMs > this.#patience.silenceMs) giveUp()
    }, lookMs)
    try {
      await orAborted(fetched, signal)
    } finally {
      clearInterval(look)
      swarm.stop()
    }
    if (store.tree === undefined) throw new Error('a swarm is complete when its store is')
    return { manifest, tree: store.tree }
  }
}

function nothing(): void {}
