// The peers of one download: connects to them, keeps each busy with what the picker says, and turns
// what arrives into verified, written pieces. One lost, slow or lying peer costs that peer, never the
// download.

import type { LimitFunction } from 'p-limit'
import type { Address } from '../../common/addresses.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { peersPerFileMax } from '../../common/limits.ts'
import { pieceLength } from '../../common/pieces.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Refusal } from '../../common/refusal.ts'
import type { Identity } from '../../common/security/identity.ts'
import { Pace } from '../transfer/pace.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { PeerLink } from './peer-link.ts'
import { Picker } from './picker.ts'
import type { PieceStore } from './piece-store.ts'

/** What all downloads of a client share. */
export interface SwarmNetwork {
  readonly identity: Identity
  readonly listen: Address
  /** The download limit. */
  readonly bucket: TokenBucket
  /** Bounds the connections that are being opened at once, over all downloads. */
  readonly connects: LimitFunction
}

export interface SwarmEvents {
  /** Every piece is verified and written. */
  onComplete(): void
  /** The disk does not take the pieces. */
  onFailure(failure: Failure): void
  /** A peer sent bytes that are not the piece; it is not asked again for this file. */
  onBadPiece(peer: string, index: number): void
  /** A peer does not take the ticket (any more). */
  onTicketRefused(): void
}

interface Contact {
  peer: Peer
  link: PeerLink | undefined
  connecting: boolean
  /** Failures in a row; decides how long to wait before the next try. */
  failures: number
  retry: NodeJS.Timeout | undefined
  /** Asked nothing before this time, in milliseconds of `performance.now()`. */
  restUntilMs: number
  banned: boolean
}

/** Pieces asked for and not yet written, over all peers: 24 MiB. */
export const piecesUnderWayMax = 48
/** Pieces asked of one peer: as many as it delivers in this time, and bounded. */
const askAheadMs = 250
const askAheadMin = 2
const askAheadMax = 16
/** How often silent and idle peers are looked at. */
const tickMs = 250
/** Peers that are remembered to try, more than can be connected at once. */
const contactsMax = 20 * peersPerFileMax
const firstRetryMs = 500
const longestRetryMs = 30_000
const restMs = 500

export class Swarm {
  readonly #network: SwarmNetwork
  readonly #store: PieceStore
  readonly #events: SwarmEvents
  readonly #picker: Picker
  readonly #contacts = new Map<string, Contact>()
  readonly #pace = new Pace()
  readonly #tick: NodeJS.Timeout
  /** Verified pieces by the name of the peer that sent them. */
  readonly piecesByPeer = new Map<string, number>()
  #ticket: string
  #underWay = 0
  #stopped = false

  constructor(network: SwarmNetwork, store: PieceStore, ticket: string, events: SwarmEvents) {
    this.#network = network
    this.#store = store
    this.#ticket = ticket
    this.#events = events
    this.#picker = new Picker(store.have, Math.random)
    this.#tick = setInterval(() => this.#onTick(), tickMs)
  }

  /** Peers that are connected and have admitted this client. */
  get linkCount(): number {
    let count = 0
    for (const contact of this.#contacts.values()) if (contact.link !== undefined) count++
    return count
  }

  get bytesPerSecond(): number {
    return this.#pace.bytesPerSecond(performance.now())
  }

  /** Peers that are said to have pieces. Known ones are taken as a reason to try again at once. */
  onPeers(peers: readonly Peer[]): void {
    for (const peer of peers) {
      if (peer.key === this.#network.identity.publicKey) continue
      const contact = this.#contacts.get(peer.key)
      if (contact === undefined) {
        // Known by a tracker's word alone: not without bound.
        if (this.#contacts.size >= contactsMax) continue
        this.#contacts.set(peer.key, newContact(peer))
      } else {
        const moved = contact.peer.host !== peer.host || contact.peer.port !== peer.port
        contact.peer = peer
        if (moved) contact.link?.close('it has another address now')
      }
      this.#connect(peer.key)
    }
  }

  /** Peers that the tracker does not see any more. One that is still connected goes on: the tracker may be wrong. */
  onPeersLeft(keys: readonly string[]): void {
    for (const key of keys) {
      const contact = this.#contacts.get(key)
      if (contact === undefined || contact.link !== undefined || contact.banned) continue
      clearTimeout(contact.retry)
      this.#contacts.delete(key)
    }
  }

  /** A newer ticket, for connections that are open and those to come. */
  onTicket(ticket: string): void {
    this.#ticket = ticket
    for (const { link } of this.#contacts.values()) link?.renew(ticket).catch(() => undefined)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#tick)
    for (const contact of this.#contacts.values()) {
      clearTimeout(contact.retry)
      contact.link?.close('the download stopped')
    }
  }

  #connect(key: string): void {
    const contact = this.#contacts.get(key)
    if (contact === undefined || this.#stopped || contact.banned) return
    if (contact.connecting || contact.link !== undefined || this.linkCount >= peersPerFileMax) return
    clearTimeout(contact.retry)
    contact.retry = undefined
    contact.connecting = true
    void this.#network.connects(async () => {
      try {
        // Asked again: many may have been waiting for their turn while others connected.
        if (!this.#stopped && this.linkCount < peersPerFileMax) await this.#open(contact)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        this.#retryLater(contact)
      } finally {
        contact.connecting = false
      }
    })
  }

  async #open(contact: Contact): Promise<void> {
    const { identity, listen, bucket } = this.#network
    const { fileId, pieceCount } = this.#store.manifest
    const opened = await PeerLink.open({
      peer: contact.peer,
      fileId,
      ticket: this.#ticket,
      identity,
      listen,
      bucket,
    })
    if (!opened.ok) {
      this.#onRefused(contact, opened.refusal)
      return
    }
    const link = opened.value
    const pieces = await link.openFile(pieceCount)
    if (!pieces.ok || this.#stopped) {
      link.close('not needed')
      if (!pieces.ok) this.#onRefused(contact, pieces.refusal)
      return
    }
    contact.link = link
    this.#picker.onPeer(contact.peer.key, pieces.value)
    link.use({
      onHave: (index) => {
        if (index >= pieceCount) return
        this.#picker.onHave(contact.peer.key, index)
        this.#fill(contact)
      },
      onClosed: () => this.#onLinkClosed(contact),
    })
    this.#fill(contact)
  }

  #onRefused(contact: Contact, refusal: Refusal): void {
    if (refusal.code === 'ticket-lapsed' || refusal.code === 'ticket-invalid') this.#events.onTicketRefused()
    this.#retryLater(contact)
  }

  #onLinkClosed(contact: Contact): void {
    contact.link = undefined
    this.#picker.onPeerGone(contact.peer.key)
    this.#retryLater(contact)
    this.#fillAll()
  }

  #retryLater(contact: Contact): void {
    if (this.#stopped || contact.banned) return
    const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** contact.failures)
    contact.failures++
    clearTimeout(contact.retry)
    contact.retry = setTimeout(() => {
      contact.retry = undefined
      this.#connect(contact.peer.key)
    }, waitMs)
  }

  #fillAll(): void {
    for (const contact of this.#contacts.values()) this.#fill(contact)
  }

  #fill(contact: Contact): void {
    const { link } = contact
    const nowMs = performance.now()
    if (link === undefined || this.#stopped || nowMs < contact.restUntilMs) return
    while (this.#underWay < piecesUnderWayMax && link.askedCount < askAhead(link.msPerPiece)) {
      const index = this.#picker.pickFor(contact.peer.key, nowMs)
      if (index === undefined) return
      void this.#fetch(contact, link, index)
    }
  }

  async #fetch(contact: Contact, link: PeerLink, index: number): Promise<void> {
    this.#underWay++
    try {
      const length = pieceLength(this.#store.manifest.sizeBytes, index)
      const answer = await link.piece(index, length, () => this.#store.takeBuffer())
      if (answer.ok) await this.#onPiece(contact, link, index, answer.value)
      else this.#onPieceRefused(contact, link, index, answer.refusal)
    } catch (error) {
      // The connection ended, and with it the claim on the piece; or the disk failed.
      if (!(error instanceof Failure)) throw error
      this.#picker.onGivenUp(contact.peer.key, index)
      if (error.code === 'file') this.#events.onFailure(error)
      else if (error.code === 'protocol') link.close(error.message)
    } finally {
      this.#underWay--
      this.#fill(contact)
    }
  }

  async #onPiece(contact: Contact, link: PeerLink, index: number, piece: PieceBuffer): Promise<void> {
    const { key } = contact.peer
    try {
      contact.failures = 0
      this.#pace.onBytes(pieceLength(this.#store.manifest.sizeBytes, index), performance.now())
      if (link.msPerPiece !== undefined) this.#picker.onPace(key, link.msPerPiece)
      if (this.#stopped) return
      if (this.#picker.isMissing(index) && !(await this.#store.receive(index, piece))) {
        this.#ban(contact, link, index)
        return
      }
    } finally {
      piece.release()
    }
    // Another peer may have been sooner with it, also while it was being verified.
    if (this.#picker.isMissing(index)) this.#onStored(link, index)
    this.#picker.onGivenUp(key, index)
  }

  #onStored(link: PeerLink, index: number): void {
    this.piecesByPeer.set(link.name, (this.piecesByPeer.get(link.name) ?? 0) + 1)
    for (const other of this.#picker.onVerified(index)) this.#contacts.get(other)?.link?.cancel(index)
    if (this.#picker.missingCount === 0 && !this.#stopped) this.#events.onComplete()
  }

  #ban(contact: Contact, link: PeerLink, index: number): void {
    contact.banned = true
    this.#picker.onGivenUp(contact.peer.key, index)
    this.#events.onBadPiece(link.name, index)
    link.close('it sent a bad piece')
  }

  #onPieceRefused(contact: Contact, link: PeerLink, index: number, refusal: Refusal): void {
    const { key } = contact.peer
    if (refusal.code === 'piece-missing') this.#picker.onLacks(key, index)
    else this.#picker.onGivenUp(key, index)
    if (refusal.code === 'cancelled' || refusal.code === 'piece-missing') return
    contact.restUntilMs = performance.now() + restMs
    if (refusal.code === 'ticket-lapsed') this.#events.onTicketRefused()
    else if (refusal.code !== 'busy') link.close(sentenceOf(refusal.sentence))
  }

  #onTick(): void {
    const nowMs = performance.now()
    for (const contact of this.#contacts.values()) {
      contact.link?.checkAlive(nowMs)
      this.#fill(contact)
      // Those that found no place among the connected ones take one that has become free.
      if (contact.link === undefined && contact.retry === undefined) this.#connect(contact.peer.key)
    }
  }
}

function newContact(peer: Peer): Contact {
  return {
    peer,
    link: undefined,
    connecting: false,
    failures: 0,
    retry: undefined,
    restUntilMs: 0,
    banned: false,
  }
}

function askAhead(msPerPiece: number | undefined): number {
  if (msPerPiece === undefined) return askAheadMin
  return Math.min(askAheadMax, Math.max(askAheadMin, Math.ceil(askAheadMs / Math.max(1, msPerPiece)) + 1))
}
