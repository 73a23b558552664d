// Runs a download from start to end: manifest, part file, swarm, final name. One abort signal ends it at any
// point, and everything it opened is closed before `ended` resolves.

import { existsSync } from 'node:fs'
import { Failure } from '../../common/failure.ts'
import type { FolderFacts, Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { MapCell, VerifyingView } from '../operations.ts'
import type { LinkEvidence } from '../diagnosis/evidence.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { ProgressJournal } from '../storage/progress-journal.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { StorePool } from '../workers/store-pool.ts'
import { orAborted } from './abortable.ts'
import type { SwarmPeer } from './arrivals.ts'
import { takeFrom } from './donor.ts'
import type { DownloadStep } from './download-state.ts'
import { sentenceAbout } from './contacts.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { FetchedManifest } from './manifest-fetch.ts'
import { manifestFor } from './manifest-for.ts'
import { FolderTree } from './folder-tree.ts'
import { PartFile, removePart, type PartId } from './part-file.ts'
import { pieceMap } from './piece-map.ts'
import { PieceStore } from './piece-store.ts'
import type { Rank } from './precedence.ts'
import { manifestIfSame } from './same-file.ts'
import type { SwarmLookup } from './swarm-lookup.ts'
import { Swarm } from './swarm.ts'
import { isUnpacked, publishFolder } from './unpacking.ts'
import type { SwarmNetwork } from './swarm-parts.ts'
import { Verifying } from './verifying.ts'

export interface RunParts {
  readonly network: SwarmNetwork
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly storing: StorePool
  readonly journal: ProgressJournal
  /** Hashes the file or folder at a path. */
  readonly contentAt: (path: string) => Promise<Answer<LocalContent>>
  /** SHA-256 of the tree of a folder now, hex; undefined where it has none. */
  readonly treeAt: (path: string) => Promise<string | undefined>
}

/** The download that a run belongs to. */
export interface RunHost {
  readonly record: RememberedDownload
  readonly lookup: SwarmLookup
  readonly notes: PeerNotes
  readonly rank: Rank
  /** The run reached this step. Returns false when the download has moved on; the run then ends. */
  step(step: DownloadStep): boolean
  /** The part file in use. */
  onPart(id: PartId): void
  /** The folder that is being filled; resolves when that is remembered. */
  onUnpacking(id: PartId): Promise<void>
  /** Pieces can be served from now on; called before the first `onHave`. */
  onServing(store: PieceStore): void
  onHave(store: PieceStore, index: number): void
  /** Some pieces turned out to be bad; the others remain available. */
  onLost(store: PieceStore): void
  /** The file has its final name. Resolves once something else serves it; until then the store does. */
  onPublished(manifest: Manifest, flushed: Promise<void>): Promise<void>
  /** The run ends because of this failure. Called after everything is closed. */
  onTrouble(failure: Failure): void
  onNotice(sentence: string): void
}

/**
 * A file of up to this many pieces (128 MiB) is fetched from all its peers from the start. A larger file
 * starts with the peer that gave the manifest, because that peer may be all that is needed.
 */
const smallPieces = 256
/** How often the lookup may ask the trackers, in milliseconds. */
const tickMs = 250
/** How often to check that the part file is still in place and that nobody else writes to it. */
const lookAtPartMs = 1000
/** After this long without a connection, the download counts as alone. */
const aloneAfterMs = 1000

export class DownloadRun {
  /** Resolves when the run has ended and closed everything. Rejects for bugs only. */
  readonly ended: Promise<void>
  readonly #parts: RunParts
  readonly #host: RunHost
  readonly #abort = new AbortController()
  readonly #verifying: Verifying
  #swarm: Swarm | undefined
  #store: PieceStore | undefined
  #tree: FolderTree | undefined
  #lastLinkedAtMs = performance.now()

  constructor(parts: RunParts, host: RunHost) {
    this.#parts = parts
    this.#host = host
    this.#verifying = new Verifying(parts.hashes)
    this.ended = this.#run()
  }

  get linkCount(): number {
    return this.#swarm?.linkCount ?? 0
  }

  /** The peers that are connected. */
  get links(): LinkEvidence[] {
    return this.#swarm?.links ?? []
  }

  /** See `PieceStore`. */
  get storingForMs(): number {
    return this.#store?.storingForMs ?? 0
  }

  get bytesPerSecond(): number {
    return this.#swarm?.bytesPerSecond ?? 0
  }

  /** The connected peers. */
  get peers(): SwarmPeer[] {
    return this.#swarm?.peers ?? []
  }

  /** How the pieces stand; empty while the part file is not open. */
  get map(): MapCell[] {
    const { have } = this.#store ?? {}
    if (have === undefined) return []
    return pieceMap(have.length, (index) =>
      have.has(index) ? 'have' : (this.#swarm?.standingOf(index) ?? 'nowhere'),
    )
  }

  /** Verified pieces by peer in this run; undefined before the swarm exists. */
  get piecesByPeer(): ReadonlyMap<string, number> | undefined {
    return this.#swarm?.piecesByPeer
  }

  /** Number of pieces verified and written; undefined while unknown. */
  get piecesDone(): number | undefined {
    return this.#store?.have.count
  }

  /** What is being verified; undefined for nothing. */
  get verifying(): VerifyingView | undefined {
    return this.#verifying.view()
  }

  /** How long no peer has been connected, in milliseconds. */
  get aloneMs(): number {
    return this.linkCount > 0 ? 0 : performance.now() - this.#lastLinkedAtMs
  }

  /** Ends the run; see `ended`. */
  abort(): void {
    this.#abort.abort(new Failure('file', 'the download was stopped'))
  }

  /** Peers were found, or there is a newer ticket. */
  onNews(joined: readonly Peer[]): void {
    this.#swarm?.onTicket(this.#host.lookup.ticket)
    this.#swarm?.onPeers(joined)
  }

  onPeersLeft(keys: readonly string[]): void {
    this.#swarm?.onPeersLeft(keys)
  }

  async #run(): Promise<void> {
    const tick = setInterval(() => this.#onTick(), tickMs)
    let trouble: Failure | undefined
    try {
      await this.#steps()
    } catch (error) {
      // After an abort, ignore failures: the abort causes some, e.g. a closed connection.
      if (!(error instanceof Failure)) throw error
      if (!this.#abort.signal.aborted) trouble = error
    } finally {
      clearInterval(tick)
      trouble = (await this.#close()) ?? trouble
    }
    if (trouble !== undefined) this.#host.onTrouble(trouble)
  }

  async #steps(): Promise<void> {
    const { signal } = this.#abort
    const { manifest, link } = await manifestFor(this.#parts, this.#host, signal)
    let isLinkUsed = false
    try {
      if (!this.#host.step('manifest')) return
      const part = new PartFile(this.#host.record.destination)
      if (await this.#isPublished(manifest, part)) {
        await this.#complete(manifest, Promise.resolve())
        return
      }
      const store = await this.#open(manifest, part)
      await this.#take(store)
      for (;;) {
        if (!store.have.isFull) {
          if (!this.#host.step('opened')) return
          await this.#fetch(store, isLinkUsed ? undefined : link)
          isLinkUsed = true
        }
        if (!this.#host.step('whole')) return
        const published = await this.#publish(store)
        if (published !== undefined) {
          await this.#complete(manifest, published.flushed)
          return
        }
        this.#host.step('incomplete')
        this.#host.onNotice(`${part.path} was changed by another program; it is verified again`)
        if (await store.recheck(signal)) this.#host.onLost(store)
        this.#lastLinkedAtMs = performance.now()
      }
    } finally {
      if (!isLinkUsed) link?.close('not needed')
    }
  }

  /** Undefined when somebody else has written to the part file. */
  #publish(store: PieceStore): Promise<{ flushed: Promise<void> } | undefined> {
    const { record } = this.#host
    const { part } = store
    const { folder } = store.manifest
    if (folder === undefined) return part.publish(record.overwrite)
    const { destination, unpacked: known, replaces } = record
    const { treeAt } = this.#parts
    const tree = this.#tree ?? this.#treeOf(store, folder)
    const check = (): Promise<void> => tree.checked()
    return publishFolder({
      part,
      folder,
      destination,
      known,
      replaces,
      treeAt,
      check,
      onMade: (id) => this.#host.onUnpacking(id),
    })
  }

  #treeOf(store: PieceStore, folder: FolderFacts): FolderTree {
    const keep = (tree: Buffer): Promise<void> =>
      this.#parts.manifests.saveTree(this.#host.record.fileId, tree)
    return new FolderTree(store, folder, keep, this.#abort.signal)
  }

  /**
   * Recognizes by its content a file that was already published, in case the program ended after naming it
   * but before recording that.
   */
  async #isPublished(manifest: Manifest, part: PartFile): Promise<boolean> {
    const { destination, path } = part
    if (manifest.folder !== undefined) return this.#isUnpacked(destination)
    if (existsSync(path)) return false
    const { signal } = this.#abort
    return (await manifestIfSame(destination, manifest, this.#verifying, signal)) !== undefined
  }

  async #isUnpacked(destination: string): Promise<boolean> {
    const { part, unpacked, replaces } = this.#host.record
    if (!(await isUnpacked(destination, unpacked, replaces))) return false
    if (part !== undefined) await removePart(destination, part)
    return true
  }

  async #open(manifest: Manifest, part: PartFile): Promise<PieceStore> {
    const { storing, journal } = this.#parts
    const hashes = this.#verifying
    const onHave = (index: number): void => {
      this.#tree?.onHave()
      this.#host.onHave(store, index)
    }
    const options = { partId: this.#host.record.part, signal: this.#abort.signal }
    const store = await PieceStore.open(manifest, { part, journal, hashes, storing }, onHave, options)
    this.#store = store
    this.#lastLinkedAtMs = performance.now()
    this.#host.onPart(part.id)
    this.#host.onServing(store)
    return store
  }

  /** Pieces that what the record names has need not be fetched. */
  async #take(store: PieceStore): Promise<void> {
    const { from } = this.#host.record
    if (from === undefined || store.have.isFull) return
    this.#host.onNotice(await takeFrom(from, this.#parts.contentAt, store, this.#abort.signal))
  }

  /** Resolves when every piece is verified and written. */
  async #fetch(store: PieceStore, link: FetchedManifest['link'] | undefined): Promise<void> {
    const { lookup, record, notes, rank } = this.#host
    let swarm: Swarm | undefined
    let look: NodeJS.Timeout | undefined
    const fetched = new Promise<void>((resolve, reject) => {
      swarm = new Swarm(
        this.#parts.network,
        store,
        { ticket: lookup.ticket, notes, rank },
        {
          onComplete: resolve,
          onFailure: reject,
          onMisbehaved: (misdeed) => this.#host.onNotice(sentenceAbout(misdeed, record.name)),
          onTicketRefused: () => lookup.onTicketRefused(),
        },
      )
      look = setInterval(() => void store.lookAtPart().catch(reject), lookAtPartMs)
    })
    this.#swarm = swarm
    const { folder } = store.manifest
    this.#tree = folder && this.#treeOf(store, folder)
    if (link !== undefined && store.manifest.pieceCount > smallPieces) swarm?.onLink(link)
    else link?.close('not needed')
    swarm?.onPeers(lookup.peers)
    try {
      await orAborted(Promise.race([fetched, this.#tree?.isBad ?? fetched]), this.#abort.signal)
    } finally {
      clearInterval(look)
      // Keep the swarm: the number of pieces by peer is shown after the end too.
      swarm?.stop()
    }
  }

  async #complete(manifest: Manifest, flushed: Promise<void>): Promise<void> {
    await this.#parts.journal.remove()
    if (this.#host.step('published')) await this.#host.onPublished(manifest, flushed)
  }

  #onTick(): void {
    if (this.linkCount > 0) this.#lastLinkedAtMs = performance.now()
    this.#host.lookup.onTick(performance.now(), this.aloneMs > aloneAfterMs)
  }

  /** Returns the failure if closing fails: a disk may report failed writes only then. */
  async #close(): Promise<Failure | undefined> {
    this.#swarm?.stop()
    try {
      await this.#store?.close()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return error
    }
    return undefined
  }
}
