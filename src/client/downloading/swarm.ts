// The peers of one download: connects to them, keeps each busy with what the picker says, and turns
// what arrives into verified, written pieces. One lost, slow or lying peer costs that peer, never the
// download.

import type { LimitFunction } from 'p-limit'
import type { Address } from '../../common/addresses.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { peersPerFileMax, pieceRequestsQueuedMax } from '../../common/limits.ts'
import { pieceLength } from '../../common/pieces.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Refusal } from '../../common/refusal.ts'
import type { Identity } from '../../common/security/identity.ts'
import { Pace } from '../transfer/pace.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { askAhead, choicesAhead, letsPeerChoose, tickMs } from './asking.ts'
import { newContact, retryAfterMs, type Contact } from './contact.ts'
import { PeerLink, type PieceRequest } from './peer-link.ts'
import { Picker } from './picker.ts'
import type { PieceStore } from './piece-store.ts'
import { UnderWay } from './under-way.ts'

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

/** Peers that are remembered to try, more than can be connected at once. */
const contactsMax = 20 * peersPerFileMax
/** A peer that is busy is asked nothing for so long. */
const restMs = 500
/** So long the peer that gave the manifest is alone: enough for a fast one to be all that is needed. */
const aloneMs = 60

export class Swarm {
  readonly #network: SwarmNetwork
  readonly #store: PieceStore
  readonly #events: SwarmEvents
  readonly #picker: Picker
  readonly #contacts = new Map<string, Contact>()
  readonly #pace = new Pace()
  readonly #underWay = new UnderWay()
  readonly #tick: NodeJS.Timeout
  /** Verified pieces by the name of the peer that sent them. */
  readonly piecesByPeer = new Map<string, number>()
  #ticket: string
  #alone: NodeJS.Timeout | undefined
  /** Those that are connected gave all that this client could take: others are not connected, for the time being. */
  #hasEnough = false
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
      if (contact === undefined || contact.link !== undefined || contact.connecting || contact.banned)
        continue
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
    clearTimeout(this.#alone)
    for (const contact of this.#contacts.values()) {
      clearTimeout(contact.retry)
      contact.link?.close('the download stopped')
    }
  }

  /** A connection that was made before there was a swarm. */
  onLink(link: PeerLink): void {
    const contact = newContact(link.peer)
    this.#contacts.set(link.peer.key, contact)
    this.#hasEnough = true
    this.#alone = setTimeout(() => this.#lookAgain(), aloneMs)
    this.#connecting(contact, () => this.#use(contact, link))
  }

  #connect(key: string): void {
    const contact = this.#contacts.get(key)
    if (contact === undefined || this.#stopped || contact.banned) return
    // Also where it has to wait for a place, or until there is use for it: the next look finds it then.
    clearTimeout(contact.retry)
    contact.retry = undefined
    if (this.#hasEnough || this.linkCount >= peersPerFileMax) return
    if (contact.connecting || contact.link !== undefined) return
    this.#connecting(contact, async () => {
      // Asked again: many may have been waiting for their turn while others connected.
      if (!this.#stopped && this.linkCount < peersPerFileMax) await this.#open(contact)
    })
  }

  #connecting(contact: Contact, connect: () => Promise<void>): void {
    contact.connecting = true
    void this.#network.connects(async () => {
      try {
        await connect()
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
    const { fileId } = this.#store.manifest
    const opened = await PeerLink.open({
      peer: contact.peer,
      fileId,
      ticket: this.#ticket,
      identity,
      listen,
      bucket,
    })
    if (opened.ok) await this.#use(contact, opened.value)
    else this.#onRefused(contact, opened.refusal)
  }

  async #use(contact: Contact, link: PeerLink): Promise<void> {
    const { pieceCount } = this.#store.manifest
    const pieces = await link.openFile(pieceCount).catch((error: unknown) => {
      // Nobody else knows of the connection yet.
      link.close('it does not open the file')
      throw error
    })
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
      onChosen: (index) => this.#onChosen(contact, link, index),
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
    if (this.linkCount === 0) this.#lookAgain()
    else this.#fillAll()
  }

  #retryLater(contact: Contact): void {
    if (this.#stopped || contact.banned) return
    const waitMs = retryAfterMs(contact.failures)
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
    if (!this.#underWay.mayAsk) return
    const ahead = askAhead(link.msPerPiece)
    if (letsPeerChoose(link.msPerPiece, link.choosesItself)) {
      if (!link.choosesItself) link.letChoose(this.#picker.onOffer())
      const choices = choicesAhead(link.msPerPiece)
      while (this.#underWay.mayAsk && link.openCount < choices && hasRoom(link)) {
        void this.#fetch(contact, link, { index: undefined })
      }
    }
    // As long as it may choose once more, a pick made here could be the very piece that it chooses.
    if (link.openCount > 0) {
      this.#askFor(contact, link, ahead, (key) => this.#picker.pickLeftOverFor(key, nowMs))
      return
    }
    link.letChooseNoMore()
    this.#askFor(contact, link, ahead, (key) => this.#picker.pickFor(key, nowMs))
  }

  /** Asks for certain pieces, until so many of this peer are under way. */
  #askFor(contact: Contact, link: PeerLink, max: number, pick: (key: string) => number | undefined): void {
    while (this.#underWay.mayAsk && link.askedCount < max && hasRoom(link)) {
      const index = pick(contact.peer.key)
      if (index === undefined) return
      this.#tellTaken(link, index)
      this.#underWay.onBegun()
      void this.#fetch(contact, link, { index })
    }
  }

  /** From now on the piece counts as under way. */
  #onChosen(contact: Contact, link: PeerLink, index: number): void {
    this.#underWay.onBegun()
    if (this.#picker.isOnOffer(index)) {
      this.#picker.onBegun(contact.peer.key, index, performance.now() + (link.msPerTransfer ?? 0))
      this.#tellTaken(link, index)
    } else {
      link.cancel(index)
    }
    this.#fill(contact)
  }

  #tellTaken(from: PeerLink, index: number): void {
    for (const { link } of this.#contacts.values()) {
      if (link !== undefined && link !== from && link.choosesItself) link.taken(index)
    }
  }

  async #fetch(contact: Contact, link: PeerLink, request: PieceRequest): Promise<void> {
    const { sizeBytes, pieceCount } = this.#store.manifest
    const lengthOf = (index: number): number => (index < pieceCount ? pieceLength(sizeBytes, index) : 0)
    try {
      const answer = await link.piece(request, lengthOf, () => this.#store.takeBuffer())
      if (!answer.ok) this.#onPieceRefused(contact, link, request.index, answer.refusal)
      else if (request.index !== undefined) await this.#onPiece(contact, link, request.index, answer.value)
    } catch (error) {
      // The connection ended, and with it the claim on the piece; or the disk failed.
      if (!(error instanceof Failure)) throw error
      if (request.index !== undefined) this.#picker.onGivenUp(contact.peer.key, request.index)
      if (error.code === 'file') this.#events.onFailure(error)
      else if (error.code === 'protocol') link.close(error.message)
    } finally {
      if (request.index !== undefined) this.#underWay.onEnded()
      if (this.#underWay.isBehind) this.#fillAll()
      else this.#fill(contact)
    }
  }

  async #onPiece(contact: Contact, link: PeerLink, index: number, piece: PieceBuffer): Promise<void> {
    const { key } = contact.peer
    this.#underWay.onArrived()
    // The next is asked for before this one is verified: else the peer would stand idle meanwhile.
    this.#fill(contact)
    link.flush()
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
      this.#underWay.onStored()
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

  #onPieceRefused(contact: Contact, link: PeerLink, index: number | undefined, refusal: Refusal): void {
    const { key } = contact.peer
    if (index !== undefined) {
      if (refusal.code === 'piece-missing') this.#picker.onLacks(key, index)
      else this.#picker.onGivenUp(key, index)
    }
    if (refusal.code === 'cancelled' || refusal.code === 'piece-missing') return
    contact.restUntilMs = performance.now() + restMs
    if (refusal.code === 'ticket-lapsed') this.#events.onTicketRefused()
    else if (refusal.code !== 'busy') link.close(sentenceOf(refusal.sentence))
  }

  #onTick(): void {
    const nowMs = performance.now()
    for (const { link } of this.#contacts.values()) link?.checkAlive(nowMs)
    this.#lookAgain()
  }

  /** Whether more peers are needed, and whether those that are connected can be asked for more. */
  #lookAgain(): void {
    const wasBehind = this.#underWay.isBehind
    this.#hasEnough = wasBehind && this.linkCount > 0
    this.#underWay.lookAgain()
    for (const contact of this.#contacts.values()) {
      this.#fill(contact)
      // It found no place, and need not hear of every piece until it does.
      if (wasBehind && contact.link !== undefined && isIdle(contact.link)) contact.link.letChooseNoMore()
      // Those that found no place among the connected ones take one that has become free.
      if (contact.link === undefined && contact.retry === undefined) this.#connect(contact.peer.key)
    }
  }
}

function isIdle(link: PeerLink): boolean {
  return link.askedCount + link.openCount === 0
}

/** What is asked for, and what it was let choose, wait in one queue at the peer. */
function hasRoom(link: PeerLink): boolean {
  return link.askedCount + link.openCount < pieceRequestsQueuedMax
}
