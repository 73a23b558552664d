// Finds out from the trackers who has the file: queries them, handles their notifications and keeps the
// ticket fresh. Decides when to ask again. Does not connect to peers.

import { Failure } from '../../common/failure.ts'
import { peersPerFileMax, ticketLifetimeMs } from '../../common/limits.ts'
import type { Peer, TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import type { Result } from '../../common/wire/methods.ts'
import type { EndCode } from '../diagnosis/evidence.ts'
import type { PeerNotes } from './peer-notes.ts'

export type FoundFile = Result<TrackerProtocol, 'find_file'>

export interface SwarmLookupOptions {
  /** The version of the file that is being downloaded. */
  readonly fileId: string
  /** Asks the trackers for the file's current peers and a fresh ticket. */
  readonly find: () => Promise<Answer<FoundFile>>
  /** Peers were found or joined, or there is a newer ticket. */
  readonly onNews: (joined: readonly Peer[]) => void
  /**
   * The version is no longer available; `why` is a sentence: it was replaced or withdrawn, or the user was
   * removed.
   */
  readonly onGone: (end: EndCode, why: string) => void
  /** The name stands for another content now. */
  readonly onReplaced: (found: FoundFile) => void
  readonly notes: PeerNotes
}

/** A ticket is renewed after this much of its lifetime. */
const renewAfterMs = ticketLifetimeMs * 0.7
/** Without a connected peer, the trackers are asked this often, in case a notification was lost. */
const askAgainMs = 5000
/** A refused ticket triggers a renewal at most this often. */
const renewAtMostEveryMs = 1000
/** For this long after a refusal, a download without a connection counts as waiting for a ticket. */
const refusalLastsMs = 10_000
/** How many peers to remember. A tracker names at most 50 at a time, so this covers many rounds of news. */
const peersMax = 1000

/** Answers that are final. A tracker that is busy or not ready says nothing about the file and is asked again. */
const finalCodes = ['no-such-file', 'no-such-group', 'not-a-member'] as const satisfies readonly EndCode[]

export class SwarmLookup {
  readonly #options: SwarmLookupOptions
  readonly #peers = new Map<string, Peer>()
  #ticket = ''
  #ticketAtMs = 0
  #askedAtMs = Number.NEGATIVE_INFINITY
  #refusedAtMs = Number.NEGATIVE_INFINITY
  #asking = false
  #stopped = true
  #newsCount = 0
  readonly #waiters = new Set<() => void>()

  constructor(options: SwarmLookupOptions) {
    this.#options = options
  }

  get peers(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  get peerCount(): number {
    return this.#peers.size
  }

  /** Empty until a tracker has issued one. */
  get ticket(): string {
    return this.#ticket
  }

  /** Whether a peer refused the ticket recently. */
  get isTicketRefused(): boolean {
    return performance.now() - this.#refusedAtMs < refusalLastsMs
  }

  /** The number of news events so far; see `untilNews`. */
  get newsCount(): number {
    return this.#newsCount
  }

  start(): void {
    this.#stopped = false
  }

  /** Ignores answers that arrive from now on. */
  stop(): void {
    this.#stopped = true
  }

  /** Resolves when news has arrived since `newsCount` was `seen`; rejects with the signal's reason. */
  untilNews(seen: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        if (this.#newsCount === seen && !signal.aborted) return
        this.#waiters.delete(wake)
        signal.removeEventListener('abort', wake)
        if (signal.aborted) reject(signal.reason as Error)
        else resolve()
      }
      this.#waiters.add(wake)
      signal.addEventListener('abort', wake)
      wake()
    })
  }

  /** Asks when it is due: without a connected peer, or when the ticket is old. */
  onTick(nowMs: number, isAlone: boolean): void {
    const isOld = this.#ticket !== '' && nowMs - this.#ticketAtMs > renewAfterMs
    if ((isAlone || isOld) && nowMs - this.#askedAtMs > askAgainMs) void this.ask()
  }

  /** A peer refused the ticket. */
  onTicketRefused(): void {
    this.#refusedAtMs = performance.now()
    if (performance.now() - this.#askedAtMs > renewAtMostEveryMs) void this.ask()
  }

  /** Asks the trackers now, unless a request is in progress. Rejects for bugs only. */
  async ask(): Promise<void> {
    if (this.#asking || this.#stopped) return
    this.#asking = true
    this.#askedAtMs = performance.now()
    try {
      const found = await this.#options.find()
      if (this.#stopped) return
      if (found.ok) this.onFound(found.value)
      else {
        const end = finalCodes.find((code) => code === found.refusal.code)
        if (end !== undefined) this.#options.onGone(end, found.refusal.sentence)
      }
    } catch (error) {
      // No tracker is reachable: the transfer continues with the peers it has.
      if (!(error instanceof Failure)) throw error
    } finally {
      this.#asking = false
    }
  }

  /** The trackers answered. */
  onFound(found: FoundFile): void {
    if (found.fileId !== this.#options.fileId) {
      this.#options.onReplaced(found)
      return
    }
    this.#ticket = found.ticket
    this.#ticketAtMs = performance.now()
    this.#options.notes.onListed(found.peers, found.peers.length < peersPerFileMax)
    this.#onJoined(found.peers)
  }

  /** A tracker reported that the swarm changed. */
  onSwarmChanged(joined: readonly Peer[], left: readonly string[]): void {
    for (const key of left) this.#peers.delete(key)
    this.#options.notes.onListed(joined, false)
    this.#options.notes.onLeft(left)
    if (joined.length > 0) this.#onJoined(joined)
  }

  #onJoined(joined: readonly Peer[]): void {
    for (const peer of joined) {
      if (this.#peers.size < peersMax || this.#peers.has(peer.key)) this.#peers.set(peer.key, peer)
    }
    this.#newsCount++
    this.#options.onNews(joined)
    for (const wake of [...this.#waiters]) wake()
  }
}
