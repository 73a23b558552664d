// One download from the word to the finished file: finds peers, gets the manifest, runs the swarm,
// publishes. Trouble is normal: without peers it waits, and goes on by itself when one appears.

import { stat } from 'node:fs/promises'
import { Failure } from '../../common/failure.ts'
import { ticketLifetimeMs } from '../../common/limits.ts'
import { buildManifest, type Manifest } from '../../common/manifest.ts'
import { pieceCount } from '../../common/pieces.ts'
import type { Peer, TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Answer, Refusal } from '../../common/refusal.ts'
import type { Result } from '../../common/wire/methods.ts'
import type { DownloadState, DownloadView } from '../operations.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { StorePool } from '../workers/store-pool.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { ProgressJournal } from '../storage/progress-journal.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { canPass, DiskRetry } from './disk-retry.ts'
import { fetchManifest, type FetchedManifest } from './manifest-fetch.ts'
import { PartFile } from './part-file.ts'
import { PieceStore } from './piece-store.ts'
import { Swarm, type SwarmNetwork } from './swarm.ts'

export type FoundFile = Result<TrackerProtocol, 'find_file'>

export interface DownloadParts {
  readonly network: SwarmNetwork
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly storing: StorePool
  readonly journal: ProgressJournal
  /** Asks the trackers for the file: its peers now, and a fresh ticket. */
  readonly find: () => Promise<Answer<FoundFile>>
}

export interface DownloadEvents {
  /** There are pieces to serve from here on; told once, before the first `onHave`. */
  onServing(store: PieceStore): void
  onHave(store: PieceStore, index: number): void
  /**
   * The file has its final name. `flushed` resolves when it has also reached the disk. To resolve when
   * something else serves the file: until then this download does.
   */
  onComplete(manifest: Manifest, flushed: Promise<void>): Promise<void>
  /** The disk does not take it; it goes on by itself when the disk does. */
  onPaused(why: string): void
  /** It goes on after `onPaused`. */
  onGoesOn(): void
  onFailed(why: string, isOver: boolean): void
  onNotice(sentence: string): void
}

/** Without a connection when it was kept from another time. */
type KnownManifest = Pick<FetchedManifest, 'manifest'> & Partial<FetchedManifest>

/**
 * A file of up to so many pieces (128 MiB) is fetched from all its peers from the start, none of them ahead of
 * the others; a larger one first from the peer that gave the manifest, since that may be all that is needed.
 */
const smallPieces = 256

/** A ticket is renewed when so much of its life is over. */
const renewAfterMs = ticketLifetimeMs * 0.7
/** How often it is looked whether the part file is still where it was. */
const lookAtPartMs = 1000
/** Without a peer, the trackers are asked again this often, in case a notification was lost. */
const askAgainMs = 5000

export class Download {
  /** As it is remembered; changed by whoever remembers it. */
  record: RememberedDownload
  readonly #parts: DownloadParts
  readonly #events: DownloadEvents
  #state: DownloadState = 'running'
  #why: string | undefined
  #ticket = ''
  #ticketAtMs = 0
  readonly #peers = new Map<string, Peer>()
  #store: PieceStore | undefined
  #swarm: Swarm | undefined
  /** The run that is under way; one at a time. */
  #run: Promise<void> = Promise.resolve()
  #tick: NodeJS.Timeout | undefined
  #askedAtMs = 0
  #lastLinkedAtMs = performance.now()
  #finding = false
  /** What is there already is being verified, which for a large file takes minutes. */
  #verifying = false
  #publishing = false
  #piecesByPeer = new Map<string, number>()
  #piecesDone = 0
  readonly #disk: DiskRetry
  #lookedAtPartMs = 0

  constructor(record: RememberedDownload, parts: DownloadParts, events: DownloadEvents) {
    this.record = record
    this.#parts = parts
    this.#events = events
    if (record.paused) this.#state = 'paused'
    this.#disk = new DiskRetry(new PartFile(record.destination).path, record.sizeBytes, () => {
      this.#events.onGoesOn()
      this.start()
    })
  }

  get state(): DownloadState {
    return this.#state
  }

  /** Everything is there, and the file is getting its name: too late to pause or cancel. */
  get isPublishing(): boolean {
    return this.#publishing
  }

  /** How long no peer has been connected, in milliseconds. */
  get withoutPeersMs(): number {
    if (this.#verifying || (this.#swarm?.linkCount ?? 0) > 0) return 0
    return performance.now() - this.#lastLinkedAtMs
  }

  view(): DownloadView {
    const waiting = this.#state === 'running' && this.#waitingFor()
    const why = this.#why ?? (waiting === false ? undefined : waiting)
    return {
      group: this.record.group,
      name: this.record.name,
      state: this.#state,
      ...(why === undefined ? {} : { why }),
      destination: this.record.destination,
      sizeBytes: this.record.sizeBytes,
      pieceCount: pieceCount(this.record.sizeBytes),
      piecesDone: this.#store?.have.count ?? this.#piecesDone,
      bytesPerSecond: this.#swarm?.bytesPerSecond ?? 0,
      piecesByPeer: this.#swarm?.piecesByPeer ?? this.#piecesByPeer,
    }
  }

  /** Begins or goes on. `found` saves a question where the answer is known already. */
  start(found?: FoundFile): void {
    this.#state = 'running'
    this.#why = undefined
    this.#disk.stop()
    this.#lastLinkedAtMs = performance.now()
    if (found !== undefined) this.#onFound(found)
    this.#tick ??= setInterval(() => void this.#onTick(), 250)
    this.#run = this.#run.then(() => this.#begin()).catch((error: unknown) => this.#onTrouble(error))
    if (found === undefined) void this.findAgain()
  }

  /** Stops and keeps what is there. */
  async pause(why?: string): Promise<void> {
    await this.#halt('paused', why)
  }

  /** `isOver`: it cannot go on, and is not to be tried at the next login. */
  async fail(why: string, isOver = false): Promise<void> {
    await this.#halt('failed', why)
    this.#events.onFailed(why, isOver)
  }

  /** Stops and removes what was fetched. */
  async discard(): Promise<void> {
    await this.#halt('failed', 'cancelled')
    await this.#run
    await new PartFile(this.record.destination).remove()
    await this.#parts.journal.remove()
  }

  /** The swarm of the file changed; a notification of the tracker. */
  onSwarmChanged(joined: readonly Peer[], left: readonly string[]): void {
    for (const key of left) this.#peers.delete(key)
    for (const peer of joined) this.#peers.set(peer.key, peer)
    this.#swarm?.onPeersLeft(left)
    this.#swarm?.onPeers(joined)
    if (this.#swarm === undefined && joined.length > 0) this.#again()
  }

  /** Asks the trackers again: for peers, and for a fresh ticket. */
  async findAgain(): Promise<void> {
    if (this.#finding || this.#state !== 'running') return
    this.#finding = true
    this.#askedAtMs = performance.now()
    try {
      const found = await this.#parts.find()
      if (this.#state !== 'running') return
      if (found.ok) this.#onFound(found.value)
      else if (isFinal(found.refusal) && (this.#swarm?.linkCount ?? 0) === 0)
        await this.fail(found.refusal.sentence, true)
    } catch (error) {
      // No tracker: the transfer goes on with the peers it has.
      if (!(error instanceof Failure)) throw error
    } finally {
      this.#finding = false
    }
  }

  #onFound(found: FoundFile): void {
    if (found.fileId !== this.record.fileId) {
      if ((this.#swarm?.linkCount ?? 0) === 0)
        void this.fail('it was replaced by a new version; download it again', true)
      return
    }
    this.#ticket = found.ticket
    this.#ticketAtMs = performance.now()
    for (const peer of found.peers) this.#peers.set(peer.key, peer)
    this.#swarm?.onTicket(found.ticket)
    this.#swarm?.onPeers(found.peers)
    if (this.#swarm === undefined) this.#again()
  }

  /** One more try to begin, after the one that may be under way. */
  #again(): void {
    if (this.#state !== 'running') return
    this.#run = this.#run.then(() => this.#begin()).catch((error: unknown) => this.#onTrouble(error))
  }

  /** From the manifest to a running swarm, as far as it goes at present. */
  async #begin(): Promise<void> {
    // While the file is being published there is no swarm any more, but still a store.
    if (this.#state !== 'running' || this.#swarm !== undefined || this.#store !== undefined) return
    const fetched = await this.#manifest()
    try {
      if (fetched !== undefined && !this.#isStopped()) await this.#beginWith(fetched)
    } finally {
      // If it came to a swarm, that has it now.
      if (this.#swarm === undefined) fetched?.link?.close('not needed')
    }
  }

  async #beginWith({ manifest, link }: KnownManifest): Promise<void> {
    const { hashes, storing, journal, network } = this.#parts
    const part = new PartFile(this.record.destination)
    if (await this.#isPublished(manifest, part)) {
      await this.#complete(manifest, Promise.resolve())
      return
    }
    this.#verifying = true
    const store = await PieceStore.open(manifest, { part, journal, hashes, storing }, (index) =>
      this.#onHave(store, index),
    ).finally(() => (this.#verifying = false))
    this.#lastLinkedAtMs = performance.now()
    this.#store = store
    if (this.#isStopped()) {
      await this.#closeStore()
      return
    }
    this.#events.onServing(store)
    if (store.have.isFull) {
      await this.#publish(store)
      return
    }
    this.#swarm = new Swarm(network, store, this.#ticket, {
      onComplete: () => void this.#publish(store).catch((error: unknown) => this.#onTrouble(error)),
      onFailure: (failure) => void this.#onTrouble(failure),
      onBadPiece: (peer, index) => {
        this.#events.onNotice(
          `${peer} sent a bad piece ${index} of ${this.record.name}; it is not asked again`,
        )
      },
      onTicketRefused: () => void this.#renewSoon(),
    })
    if (link !== undefined && manifest.pieceCount > smallPieces) this.#swarm.onLink(link)
    else link?.close('not needed')
    this.#swarm.onPeers([...this.#peers.values()])
  }

  #onHave(store: PieceStore, index: number): void {
    this.#disk.onProgress()
    this.#events.onHave(store, index)
  }

  async #manifest(): Promise<KnownManifest | undefined> {
    const { fileId } = this.record
    const kept = this.#parts.manifests.load(fileId)
    if (kept !== undefined) return { manifest: kept }
    if (this.#ticket === '') return undefined
    const fetched = await fetchManifest(this.#parts.network, fileId, this.#ticket, [...this.#peers.values()])
    if (fetched === undefined) return undefined
    const { manifest, link } = fetched
    // The size is the word of whoever shared it, the manifest is proved by the file id.
    if (manifest.sizeBytes !== this.record.sizeBytes) {
      link.close('not needed')
      throw new Failure(
        'protocol',
        `it is not of the ${this.record.sizeBytes} bytes that the tracker was told`,
      )
    }
    // Not waited for: it only saves asking for it again, and pieces can be fetched meanwhile.
    this.#parts.manifests.save(manifest).catch((error: unknown) => void this.#onTrouble(error))
    return fetched
  }

  async #publish(store: PieceStore): Promise<void> {
    this.#stopSwarm()
    this.#publishing = true
    const { flushed } = await store.part
      .publish(this.record.overwrite)
      .finally(() => (this.#publishing = false))
    await this.#complete(store.manifest, flushed)
    await this.#closeStore()
  }

  async #complete(manifest: Manifest, flushed: Promise<void>): Promise<void> {
    this.#state = 'complete'
    this.#endTick()
    await this.#parts.journal.remove()
    await this.#events.onComplete(manifest, flushed)
  }

  /** The program ended between giving the file its name and remembering that: the content tells. */
  async #isPublished(manifest: Manifest, part: PartFile): Promise<boolean> {
    const there = await stat(part.destination).catch(() => undefined)
    if (there?.isFile() !== true || there.size !== manifest.sizeBytes || (await part.exists())) return false
    const hashes = await this.#parts.hashes.hashFile(part.destination, manifest.sizeBytes)
    return buildManifest(manifest.sizeBytes, hashes).fileId === manifest.fileId
  }

  async #onTick(): Promise<void> {
    const nowMs = performance.now()
    if ((this.#swarm?.linkCount ?? 0) > 0) this.#lastLinkedAtMs = nowMs
    await this.#lookAtPart(nowMs)
    const alone = this.withoutPeersMs > 1000 && nowMs - this.#askedAtMs > askAgainMs
    const ageing = this.#ticketAtMs > 0 && nowMs - this.#ticketAtMs > renewAfterMs
    if (alone || (ageing && nowMs - this.#askedAtMs > askAgainMs)) await this.findAgain()
  }

  /** Writing to a file that was removed goes well for ever, and all of it would be in vain. */
  async #lookAtPart(nowMs: number): Promise<void> {
    const store = this.#store
    if (store === undefined || this.#swarm === undefined || nowMs - this.#lookedAtPartMs < lookAtPartMs)
      return
    this.#lookedAtPartMs = nowMs
    try {
      await store.part.checkInPlace()
    } catch (error) {
      // Finished, paused or given up while it was looked at: that is no trouble.
      if (this.#store === store && !this.#publishing) await this.#onTrouble(error)
    }
  }

  async #renewSoon(): Promise<void> {
    if (performance.now() - this.#askedAtMs > 1000) await this.findAgain()
  }

  async #halt(state: DownloadState, why?: string): Promise<void> {
    this.#state = state
    this.#why = why
    this.#disk.stop()
    this.#endTick()
    this.#stopSwarm()
    // What `#begin` is opening right now sees the state and closes again.
    await this.#closeStore()
  }

  #stopSwarm(): void {
    if (this.#swarm !== undefined) this.#piecesByPeer = this.#swarm.piecesByPeer
    this.#swarm?.stop()
    this.#swarm = undefined
  }

  async #closeStore(): Promise<void> {
    this.#piecesDone = this.#store?.have.count ?? this.#piecesDone
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }

  #endTick(): void {
    clearInterval(this.#tick)
    this.#tick = undefined
  }

  /** A failure of the disk pauses this download, with the reason; a bug goes on to stop the program. */
  async #onTrouble(error: unknown): Promise<void> {
    if (!(error instanceof Failure)) throw error
    if (this.#isStopped()) return
    this.#state = 'paused'
    this.#why = error.message
    this.#endTick()
    this.#stopSwarm()
    if (canPass(error)) this.#disk.begin()
    await this.#closeStore()
    this.#events.onPaused(error.message)
  }

  #isStopped(): boolean {
    return this.#state !== 'running'
  }

  #waitingFor(): string | undefined {
    if (this.#swarm !== undefined && this.#swarm.linkCount > 0) return undefined
    if (this.#verifying) return 'verifying what is there'
    return this.#peers.size === 0 ? 'waiting for a seeder' : 'connecting'
  }
}

/** A tracker that is busy, or not ready, says nothing about the file: it is asked again. */
function isFinal({ code }: Refusal): boolean {
  return code === 'no-such-file' || code === 'no-such-group' || code === 'not-a-member'
}
