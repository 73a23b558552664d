// One download as a person sees it: its phase, the reason for it, and the steps that are possible. Runs do
// the work; download-state.ts defines the transitions. Every change of phase goes through `#step`.

import { systemCode, type Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import { pieceCount } from '../../common/pieces.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import type { DownloadEvidence, DownloadPhase, EndCode } from '../diagnosis/evidence.ts'
import type { DownloadState, DownloadView, LimitRule, MapCell, Priority } from '../operations.ts'
import { named } from '../file-key.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { BothLimits } from '../transfer/read-limit.ts'
import { TokenBucket } from '../../common/token-bucket.ts'
import type { SwarmPeer } from './arrivals.ts'
import { canPass, DiskRetry } from './disk-retry.ts'
import { DownloadRun } from './download-run.ts'
import { isRunning, nextPhase, shownState, type DownloadStep } from './download-state.ts'
import { PeerNotes } from './peer-notes.ts'
import { partPathOf, removePart, type PartId } from './part-file.ts'
import type { PieceStore } from './piece-store.ts'
import { addPieces, type PiecesFrom } from './pieces-from.ts'
import type { Rank } from './precedence.ts'
import type { RunHost, RunParts } from './run-parts.ts'
import { SwarmLookup, type FoundFile } from './swarm-lookup.ts'
import type { ClientNetwork } from './swarm-parts.ts'
import { settleSwap } from './swap.ts'
import { Wishes } from './wishes.ts'
import { removeUnpacked } from './filling.ts'

export interface DownloadParts extends RunParts {
  readonly network: ClientNetwork
  /** Asks the trackers for the file's current peers and a fresh ticket. */
  readonly find: () => Promise<Answer<FoundFile>>
}

export interface DownloadEvents {
  /** The part file in use is not the one in the record. */
  onPart?(id: PartId): void
  /** The folder that is being filled; resolves when that is remembered. */
  onUnpacking?(id: PartId): Promise<void>
  /** How many bytes of a folder are fetched, where that is a part of it. */
  onSelected?(sizeBytes: number): void
  /** Pieces can be served from now on; called before the first `onHave`. */
  onServing(store: PieceStore): void
  onHave(store: PieceStore, index: number): void
  /** Pieces that were served are gone. */
  onLost?(store: PieceStore): void
  /** Its pieces are no longer served from here: it stopped, or something else serves the file. */
  onStopped?(): void
  /**
   * The file has its final name. `flushed` resolves when it has also reached the disk. Resolves once
   * something else serves the file; until then this download does.
   */
  onComplete(manifest: Manifest, flushed: Promise<void>): Promise<void>
  /** The run failed, usually because of the disk. If the cause can pass, the download resumes by itself. */
  onPaused(why: string): void
  /** It resumed by itself after `onPaused`. */
  onGoesOn(): void
  onFailed(why: string, isOver: boolean): void
  /** The name stands for another content now. */
  onReplaced(found: FoundFile): void
  onNotice(sentence: string): void
}

export class Download {
  /** The record as stored; whoever stores it updates it here. */
  record: RememberedDownload
  /** Which pieces are asked for before all others. */
  readonly wishes = new Wishes()
  readonly #parts: RunParts
  /** Its own, beside that of all downloads. */
  readonly #limit: TokenBucket
  readonly #rank: Rank
  readonly #events: DownloadEvents
  readonly #lookup: SwarmLookup
  readonly #notes: PeerNotes
  readonly #disk: DiskRetry
  #phase: DownloadPhase = 'paused'
  readonly #phaseWaiters = new Set<() => void>()
  #why: string | undefined
  /** When it came into its phase, in milliseconds since 1970. */
  #sinceMs = Date.now()
  /** By `performance.now()`. */
  #startedAtMs = 0
  /** Of the failure that stopped it. */
  #systemCode: string | undefined
  #end: EndCode | undefined
  #run: DownloadRun | undefined
  /** Resolves when the last run has ended; the next one begins after it. */
  #ended: Promise<void> = Promise.resolve()
  /** From the last run, shown while none is active. */
  #piecesDone = 0
  #isClosed = false
  /** A folder's is a guess until its manifest is there. */
  #pieceCount: number
  /** From all runs that have ended. */
  #piecesByPeer: ReadonlyMap<string, PiecesFrom> = new Map()

  constructor(record: RememberedDownload, parts: DownloadParts, events: DownloadEvents) {
    this.record = record
    const sizeBytes = record.selectedBytes ?? record.sizeBytes
    this.#pieceCount = pieceCount(sizeBytes)
    this.#limit = new TokenBucket(record.bytesPerSecondMax)
    this.#rank = parts.network.precedence.rank(named(record), record.priority)
    const bucket = new BothLimits(parts.network.bucket, this.#limit)
    const turns = parts.network.turns.of(() => this.priority)
    this.#parts = { ...parts, network: { ...parts.network, bucket, turns } }
    this.#events = events
    this.#notes = new PeerNotes(parts.network.identity.publicKey)
    this.#lookup = new SwarmLookup({
      fileId: record.fileId,
      notes: this.#notes,
      find: parts.find,
      onNews: (joined) => this.#run?.onNews(joined),
      // While a peer is connected, pieces keep coming.
      onReplaced: (found) => this.#events.onReplaced(found),
      onGone: (end, why) => {
        if ((this.#run?.linkCount ?? 0) === 0) void this.fail(why, { isOver: true, end })
      },
    })
    this.#disk = new DiskRetry(partPathOf(record.destination), sizeBytes, () => {
      if (this.start()) this.#events.onGoesOn()
    })
  }

  get state(): DownloadState {
    return shownState(this.#phase)
  }

  /** All pieces are there and the file is getting its name: too late to pause or cancel. */
  get isPublishing(): boolean {
    return this.#phase === 'publishing'
  }

  /** Since it was last started, in milliseconds. */
  get runningForMs(): number {
    return performance.now() - this.#startedAtMs
  }

  /** It may still fetch something, and its record is kept: that of one that is over is gone, or is just going. */
  get isOpen(): boolean {
    return (this.state === 'running' || this.state === 'paused') && !this.isPublishing
  }

  /** How long no peer has been connected, in milliseconds. */
  get withoutPeersMs(): number {
    return this.#phase === 'waiting' || this.#phase === 'fetching' ? (this.#run?.aloneMs ?? 0) : 0
  }

  /** Its own, while it may still fetch something. */
  get limit(): LimitRule | undefined {
    const { bytesPerSecondMax: bytesPerSecond } = this.record
    if (!this.isOpen || bytesPerSecond === undefined) return undefined
    return { direction: 'download', bytesPerSecond, entry: named(this.record) }
  }

  /** Bytes a second; undefined means no limit of its own. */
  setLimit(bytesPerSecond: number | undefined): void {
    this.#limit.setRate(bytesPerSecond)
  }

  get priority(): Priority {
    return this.#rank.priority
  }

  setPriority(priority: Priority): void {
    this.#rank.setPriority(priority)
  }

  view(): DownloadView {
    const why = this.#why ?? this.#waitsFor()
    const verifying = this.#run?.verifying
    return {
      ...named(this.record),
      state: this.state,
      ...(why === undefined ? {} : { why }),
      priority: this.priority,
      destination: this.record.destination,
      sizeBytes: this.record.selectedBytes ?? this.record.sizeBytes,
      pieceCount: this.#pieceCount,
      piecesDone: this.#run?.piecesDone ?? this.#piecesDone,
      bytesPerSecond: this.#run?.bytesPerSecond ?? 0,
      peerCount: this.#run?.linkCount ?? 0,
      piecesByPeer: [...this.#allByPeer()].map(([peer, { pieces, way }]) => [peer, pieces, way]),
      ...(verifying === undefined ? {} : { verifying }),
    }
  }

  /** The connected peers. */
  get peers(): SwarmPeer[] {
    return this.#run?.peers ?? []
  }

  /** How its pieces stand; empty while that is not known. */
  get map(): MapCell[] {
    return this.#run?.map ?? []
  }

  /** What explains why it waits. */
  evidence(): DownloadEvidence {
    const { pieceCount, piecesDone } = this.view()
    return {
      phase: this.#phase,
      sinceMs: this.#sinceMs,
      why: this.#why,
      end: this.#end,
      systemCode: this.#systemCode,
      pieceCount,
      piecesDone,
      links: this.#run?.links ?? [],
      peers: this.#notes.all,
      onlineCount: this.#notes.onlineCount,
      storingForMs: this.#run?.storingForMs ?? 0,
      limit: this.#parts.network.bucket.bytesPerSecond,
      goesFirst: this.#rank.goesFirst(),
    }
  }

  /**
   * Starts or resumes; returns false when it cannot. `found` saves a lookup when the answer is already known, and `here` reading
   * what is at `from` of the record.
   */
  start(found?: FoundFile, here?: LocalContent): boolean {
    if (this.#isClosed || !this.#step('start')) return false
    this.#startedAtMs = performance.now()
    this.#lookup.start()
    if (found === undefined) void this.#lookup.ask()
    else this.#lookup.onFound(found)
    this.#ended = this.#ended.then(() => this.#begin(here))
    return true
  }

  /**
   * Stops and keeps what was fetched; false when it is too late or already stopped. Resolves when nothing
   * runs.
   */
  async pause(why?: string): Promise<boolean> {
    if (!this.#step('stop', why)) return false
    await this.#ended
    return true
  }

  /**
   * Stops it for the rest of the session, also when publishing turns out to be impossible: then it stays
   * unfinished. Resolves when nothing runs.
   */
  async close(why: string): Promise<void> {
    this.#isClosed = true
    while (!this.#step('stop', why) && isRunning(this.#phase)) await this.#nextPhase()
    await this.settled()
  }

  /** `isOver`: it cannot continue and is not retried at the next login. Resolves when nothing runs. */
  async fail(why: string, { isOver = false, end }: { isOver?: boolean; end: EndCode }): Promise<void> {
    if (!this.#step('fail', why)) return
    this.#end = end
    this.#events.onFailed(why, isOver)
    await this.#ended
  }

  /**
   * Stops and removes what was fetched; returns false when it is complete or publishing. Rejects with a
   * `file` failure when the part file cannot be removed.
   */
  async discard(): Promise<boolean> {
    if (!this.#step('cancel', 'cancelled')) return false
    await this.#ended
    await this.#parts.journal.remove()
    await removePart(this.record.destination, this.record.part)
    await settleSwap(this.record, this.#parts.treeAt, 'old')
    await removeUnpacked(this.record.destination, this.record.unpacked)
    return true
  }

  /**
   * Resolves when it neither runs nor writes. If it is complete, something else may not serve the file yet.
   */
  async settled(): Promise<void> {
    while (isRunning(this.#phase)) await this.#nextPhase()
    if (this.#phase !== 'complete') await this.#ended
  }

  /** A tracker reported that the file's swarm changed. */
  onSwarmChanged(joined: readonly Peer[], left: readonly string[]): void {
    this.#run?.onPeersLeft(left)
    this.#lookup.onSwarmChanged(joined, left)
  }

  /** While running, asks the trackers again for peers and a fresh ticket. */
  async findAgain(): Promise<void> {
    if (isRunning(this.#phase)) await this.#lookup.ask()
  }

  /** Also after a pause the numbers add up. */
  #allByPeer(): ReadonlyMap<string, PiecesFrom> {
    const all = new Map(this.#piecesByPeer)
    for (const [peer, from] of this.#run?.piecesByPeer ?? []) addPieces(all, peer, from)
    return all
  }

  #nextPhase(): Promise<void> {
    return new Promise((resolve) => this.#phaseWaiters.add(resolve))
  }

  async #begin(here: LocalContent | undefined): Promise<void> {
    if (this.#phase !== 'waiting') return
    const host: RunHost = {
      record: this.record,
      lookup: this.#lookup,
      notes: this.#notes,
      rank: this.#rank,
      wishes: this.wishes,
      step: (step) => this.#run === run && this.#step(step),
      onPart: (id) => {
        if (id !== this.record.part) this.#events.onPart?.(id)
      },
      onUnpacking: async (id) => this.#events.onUnpacking?.(id),
      onSelected: (sizeBytes, store) => {
        this.#pieceCount = store.wantedCount
        if (sizeBytes !== this.record.selectedBytes) this.#events.onSelected?.(sizeBytes)
      },
      onNothing: (why) => void this.fail(why, { isOver: true, end: 'no-such-file' }),
      onServing: (store) => {
        this.#pieceCount = store.wantedCount
        this.#events.onServing(store)
      },
      onHave: (store, index) => {
        if (!store.isLent(index)) this.#disk.onProgress()
        if (this.#run === run && isRunning(this.#phase)) this.#events.onHave(store, index)
      },
      onLost: (store) => this.#events.onLost?.(store),
      onPublished: (manifest, flushed) => this.#events.onComplete(manifest, flushed),
      onTrouble: (failure) => this.#onTrouble(failure),
      onNotice: (sentence) => this.#events.onNotice(sentence),
    }
    const run = new DownloadRun({ ...this.#parts, here }, host)
    this.#run = run
    await run.ended
    this.#piecesDone = run.piecesDone ?? this.#piecesDone
    this.#piecesByPeer = this.#allByPeer()
    this.#run = undefined
    this.#events.onStopped?.()
  }

  /**
   * The only place where the phase changes; returns false when the current phase does not allow this step.
   */
  #step(step: DownloadStep, why?: string): boolean {
    const next = nextPhase(this.#phase, step)
    if (next === undefined) return false
    this.#phase = next
    this.#sinceMs = Date.now()
    this.#why = why
    this.#disk.stop()
    if (!isRunning(next)) {
      this.#lookup.stop()
      if (next !== 'complete') this.#run?.abort()
    }
    if (next === 'stalled') this.#disk.begin(this.#run?.lentBytes)
    for (const wake of this.#phaseWaiters) wake()
    this.#phaseWaiters.clear()
    return true
  }

  #onTrouble(failure: Failure): void {
    this.#systemCode = systemCode(failure.cause)
    if (this.#step(canPass(failure) ? 'trouble' : 'blocked', failure.message)) {
      this.#events.onPaused(failure.message)
    } else if (this.#phase === 'complete') {
      this.#events.onNotice(`${this.record.destination} may not have reached the disk: ${failure.message}`)
    }
  }

  #waitsFor(): string | undefined {
    if (this.#phase === 'verifying') return 'verifying what is on disk'
    if (this.#phase === 'publishing' && this.record.files !== undefined) return 'writing its files'
    if (this.#phase !== 'waiting' && this.#phase !== 'fetching') return undefined
    if ((this.#run?.linkCount ?? 0) > 0) return undefined
    if (this.#lookup.peerCount === 0) return 'waiting for a seeder'
    return this.#lookup.isTicketRefused
      ? 'the seeders do not let this client in; asking a tracker for a new ticket'
      : 'connecting'
  }
}
