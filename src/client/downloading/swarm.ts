// Manages the peers of one download: connects to them, keeps each busy with what the picker picks, and turns
// what arrives into verified, written pieces. A lost, slow or lying peer costs that peer, never the download.

import { Failure } from '../../common/failure.ts'
import { lengthOfPiece } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { LinkEvidence } from '../diagnosis/evidence.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { Arrivals, type SwarmPeer } from './arrivals.ts'
import { choicesAhead, letsPeerChoose, tickMs } from './asking.ts'
import { hasRoom, type Contact } from './contact.ts'
import { Contacts } from './contacts.ts'
import type { Coming } from './early-pieces.ts'
import { Giving } from './giving.ts'
import { judge } from './judging.ts'
import type { KnownBlocks } from './known-blocks.ts'
import { Lanes } from './lanes.ts'
import type { PeerNotes } from './peer-notes.ts'
import { evidenceOf } from './link-evidence.ts'
import { PeerLanes } from './peer-lanes.ts'
import { PeerLink } from './peer-link.ts'
import type { PieceRequest } from './piece-request.ts'
import { Picker, type MissingStanding } from './picker.ts'
import { addPieces, type PiecesFrom } from './pieces-from.ts'
import { onPeerRefused, onPieceRefused } from './refused-piece.ts'
import type { KnownOfPeers, SwarmEvents, SwarmNetwork, SwarmStore } from './swarm-parts.ts'
import { UnderWay, type Share } from './under-way.ts'

/** How long the peer that gave the manifest is used alone: enough for a fast one to prove sufficient. */
const aloneMs = 60

export class Swarm {
  readonly #network: SwarmNetwork
  readonly #store: SwarmStore
  readonly #events: SwarmEvents
  readonly #picker: Picker
  readonly #parts: KnownBlocks | undefined
  readonly #contacts: Contacts
  readonly #giving: Giving
  readonly #notes: PeerNotes
  readonly #rank: KnownOfPeers['rank']
  readonly #wishes: KnownOfPeers['wishes']
  readonly #arrivals = new Arrivals()
  readonly #underWay: UnderWay
  readonly #lanes: Lanes
  readonly #tick: NodeJS.Timeout
  /** Verified pieces by the name of the peer that sent them. */
  readonly piecesByPeer = new Map<string, PiecesFrom>()
  #ticket: string
  #alone: NodeJS.Timeout | undefined
  /** The connected peers deliver all that this client can take: no others are connected for now. */
  #hasEnough = false
  #stopped = false

  constructor(network: SwarmNetwork, store: SwarmStore, known: KnownOfPeers, events: SwarmEvents) {
    this.#network = network
    this.#store = store
    this.#ticket = known.ticket
    this.#notes = known.notes
    this.#events = events
    const special = { ...known, wanted: store.wanted, named: known.parts?.partial }
    this.#picker = new Picker(store.have, Math.random, special)
    this.#wishes = known.wishes
    this.#parts = known.parts?.known
    this.#rank = known.rank
    this.#underWay = new UnderWay(known.rank)
    known.rank.enter(() => this.#fillAll())
    this.#contacts = new Contacts({
      ownKey: network.identity.publicKey,
      turns: network.turns,
      changes: network.changes,
      notes: known.notes,
      open: (contact) => this.#open(contact),
      wantsMore: () => !this.#hasEnough,
      othersGive: (contact) => this.#giving.othersGive(contact),
      onMisbehaved: (misdeed) => events.onMisbehaved(misdeed),
    })
    this.#giving = new Giving(this.#contacts.linked, this.#picker, store.manifest.pieceCount)
    this.#lanes = new Lanes({
      network,
      manifest: store.manifest,
      ticket: () => this.#ticket,
      knownCount: () => this.#contacts.count,
      linked: this.#contacts.linked,
      picker: this.#picker,
      underWay: this.#underWay,
      rank: known.rank,
      onOpened: (contact) => this.#fill(contact),
    })
    this.#tick = setInterval(() => this.#onTick(), tickMs)
  }

  /** Peers that are connected and have admitted this client. */
  get linkCount(): number {
    return this.#contacts.linked.size
  }

  get links(): LinkEvidence[] {
    return [...this.#contacts.linked].flatMap((each) => evidenceOf(each, this.#notes, performance.now()))
  }

  /** Bytes per second, of pieces that are still arriving too. */
  get bytesPerSecond(): number {
    return this.#arrivals.bytesPerSecond(this.#contacts.linked, performance.now())
  }

  /** The connected peers: what each has, and how fast it sends. */
  get peers(): SwarmPeer[] {
    return this.#arrivals.peers(this.#contacts.linked, this.#picker, performance.now())
  }

  /** How a piece stands that is not here yet. */
  standingOf(index: number): MissingStanding {
    return this.#picker.standingOf(index)
  }

  /** Adds peers reported to have pieces; see Contacts. */
  onPeers(peers: readonly Peer[]): void {
    this.#contacts.onPeers(peers)
  }

  onPeersLeft(keys: readonly string[]): void {
    this.#contacts.onPeersLeft(keys)
  }

  /** Uses a newer ticket for open and future connections. */
  onTicket(ticket: string): void {
    if (ticket === this.#ticket) return
    this.#ticket = ticket
    this.#contacts.renew(ticket)
  }

  /** A piece was found here: nobody is asked for it, until `onNotHere`. False when one is already. */
  takeHere(index: number): boolean {
    return this.#picker.takeHere(index)
  }

  /** The piece does not come of what is here after all. */
  onNotHere(index: number): void {
    this.#picker.onNotHere(index)
    this.#fillAll()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#tick)
    clearTimeout(this.#alone)
    this.#rank.leave()
    this.#lanes.stop()
    this.#contacts.stop()
    for (const { link } of this.#contacts.linked) link?.close('the download stopped')
  }

  /** Takes over a connection that was opened before the swarm existed. `isAlone`: it may be all that is needed. */
  onLink(link: PeerLink, isAlone: boolean): void {
    this.#hasEnough = isAlone
    if (isAlone) this.#alone = setTimeout(() => this.#lookAgain(), aloneMs)
    this.#contacts.adopt(link.peer, (contact) => this.#use(contact, link))
  }

  async #open(contact: Contact): Promise<void> {
    const { fileId } = this.#store.manifest
    const [peer] = contact.addresses
    if (peer === undefined) throw new Error('a contact has an address')
    const mayRelay = (): boolean => !this.#giving.needsNoRelay
    const opened = await PeerLink.open({ ...this.#network, peer, fileId, ticket: this.#ticket, mayRelay })
    if (opened.ok) await this.#use(contact, opened.value)
    else onPeerRefused(contact, opened.refusal, this.#affected)
  }

  async #use(contact: Contact, first: PeerLink): Promise<void> {
    const { pieceCount } = this.#store.manifest
    const pieces = await first.openFile(pieceCount).catch((error: unknown) => {
      // Close it here: nothing else knows about the connection yet.
      first.close('it does not open the file')
      throw error
    })
    if (!pieces.ok || this.#stopped) {
      first.close('not needed')
      if (!pieces.ok) onPeerRefused(contact, pieces.refusal, this.#affected)
      return
    }
    const link = new PeerLanes(first)
    contact.link = link
    this.#notes.onAdmitted(link.peer)
    contact.share = this.#underWay.join(contact.user)
    contact.conduct.onConnected()
    this.#contacts.onLinked(contact)
    this.#picker.onPeer(contact.key, pieces.value)
    link.use({
      onHave: (index) => {
        if (index >= pieceCount) return
        this.#picker.onHave(contact.key, index)
        this.#fill(contact)
      },
      onChosen: (index) => this.#onChosen(contact, link, index),
      onClosed: (reason) => this.#onLinkClosed(contact, reason),
    })
    for (const { request, answer } of first.takeEarly()) {
      this.#picker.onBegun(contact.key, request.index, performance.now())
      this.#underWay.onBegun(contact.share)
      void this.#fetch(contact, link, request, answer)
    }
    this.#lanes.look(performance.now(), this.bytesPerSecond)
    this.#fill(contact)
  }

  #onLinkClosed(contact: Contact, reason: Failure): void {
    this.#arrivals.onUnlinked(contact, performance.now())
    this.#notes.onClosed(contact.key)
    if (contact.share !== undefined) this.#underWay.leave(contact.share)
    contact.share = undefined
    contact.link = undefined
    this.#contacts.onUnlinked(contact)
    this.#picker.onPeerGone(contact.key)
    if (reason.code === 'protocol') this.#contacts.ban(contact, 'broke the protocol for', reason.message)
    if (contact.retry === undefined) this.#contacts.retryLater(contact)
    if (this.linkCount === 0) this.#lookAgain()
    else this.#fillAll()
  }

  #fillAll(): void {
    for (const contact of this.#contacts.linked) this.#fill(contact)
  }

  #fill(contact: Contact): void {
    const { link, share, conduct } = contact
    const nowMs = performance.now()
    if (link === undefined || share === undefined || this.#stopped || nowMs < conduct.restUntilMs) return
    if (this.#giving.isKeptForLast(contact)) return
    if (!this.#underWay.mayAsk(share, link.owesLess(conduct.aheadMax))) return
    if (link.mayChoose && letsPeerChoose(link.msPerPiece, link.choosesItself) && this.#picker.hasChoice) {
      if (!link.choosesItself) link.letChoose(this.#picker.onOffer())
      const choices = Math.min(choicesAhead(link.msPerPiece), conduct.aheadMax)
      while (link.openCount < choices && this.#mayAskMore(contact, link, share)) {
        void this.#fetch(contact, link, { index: undefined })
      }
    }
    // While the peer may still choose, a pick made here could be the very piece that it chooses.
    if (link.openCount > 0 && link.mayChoose) {
      this.#askFor(contact, link, (key) => this.#picker.pickLeftOverFor(key, nowMs))
      return
    }
    if (link.openCount === 0) link.letChooseNoMore()
    this.#askFor(contact, link, (key) => this.#picker.pickFor(key, nowMs))
  }

  #mayAskMore(contact: Contact, link: PeerLanes, share: Share): boolean {
    return hasRoom(contact, link, this.linkCount === 1) && this.#underWay.mayAsk(share)
  }

  /** Requests specific pieces until enough are outstanding at this peer. */
  #askFor(contact: Contact, link: PeerLanes, pick: (key: string) => number | undefined): void {
    const { share, conduct } = contact
    if (share === undefined) return
    while (link.wantsMore(conduct.aheadMax) && this.#mayAskMore(contact, link, share)) {
      const index = pick(contact.key) ?? this.#lanes.pickAgain(contact, link, pick)
      if (index === undefined) return
      this.#contacts.tellTaken(this.#wishes?.has(index) ? undefined : link, index)
      this.#underWay.onBegun(share)
      const ranges = link.offersRecipes ? this.#parts?.partsToFetch(index) : undefined
      void this.#fetch(contact, link, { index, ranges })
    }
  }

  /** Counts the chosen piece as under way; cancels it if it is no longer on offer. */
  #onChosen(contact: Contact, link: PeerLanes, index: number): void {
    if (contact.share !== undefined) this.#underWay.onBegun(contact.share)
    if (this.#picker.isOnOffer(index)) {
      this.#picker.onBegun(contact.key, index, performance.now() + (link.msPerTransfer ?? 0))
      this.#contacts.tellTaken(link, index)
    } else {
      link.cancel(index)
    }
    this.#fill(contact)
  }

  /** `coming`: it was asked for already. */
  async #fetch(contact: Contact, link: PeerLanes, request: PieceRequest, coming?: Coming): Promise<void> {
    const { manifest } = this.#store
    const lengthOf = (index: number): number =>
      index < manifest.pieceCount ? lengthOfPiece(manifest, index) : 0
    // The share of this connection: a reconnected peer has a new one.
    const { share } = contact
    this.#underWay.onAsked()
    try {
      const answer = await (coming ?? link.piece(request, lengthOf, () => this.#store.takeBuffer()))
      if (!answer.ok) onPieceRefused({ contact, link, request }, answer.refusal, this.#affected)
      else if (request.index !== undefined)
        await this.#onPiece(contact, link, request.index, answer.value, request.ranges)
    } catch (error) {
      // The connection ended and the piece will not come, or the disk failed.
      if (!(error instanceof Failure)) throw error
      if (request.index !== undefined && request.isGivenUp !== true)
        this.#picker.onGivenUp(contact.key, request.index)
      if (error.code === 'file') this.#events.onFailure(error)
      else if (error.code === 'protocol') {
        this.#contacts.ban(contact, 'broke the protocol for', error.message)
        link.close(error.message)
      }
    } finally {
      if (request.index !== undefined && share !== undefined) this.#underWay.onEnded(share)
      // Also when it was late only with pieces that are no longer needed.
      if (share?.isLate === true && link.askedCount === 0) this.#onOnTime(contact, share)
      if (this.#underWay.isBehind) this.#fillAll()
      else this.#fill(contact)
    }
  }

  /** `parts`: what of the piece came; undefined for all of it. */
  async #onPiece(
    contact: Contact,
    link: PeerLanes,
    index: number,
    piece: PieceBuffer,
    parts?: PieceRequest['ranges'],
  ): Promise<void> {
    const { key, share, conduct } = contact
    this.#underWay.onArrived()
    conduct.onArrived()
    this.#giving.onPiece(contact)
    if (share?.isLate === true) this.#onOnTime(contact, share)
    // Request the next piece before verifying this one; otherwise the peer would be idle meanwhile.
    this.#fill(contact)
    link.flush()
    try {
      contact.failures = 0
      if (link.msPerPiece !== undefined) this.#picker.onPace(key, link.msPerPiece)
      if (this.#stopped) return
      if (this.#picker.isMissing(index)) {
        const isWhole = parts === undefined || (await this.#parts?.assemble(index, parts, piece.bytes))
        if (isWhole !== true || !(await this.#store.receive(index, piece))) {
          this.#picker.onGivenUp(key, index)
          // Whose fault a bad piece of several origins is cannot be told.
          if (parts === undefined) this.#contacts.ban(contact, `sent a bad piece ${index} of`)
          else if (isWhole === true) this.#parts?.onBad(index)
          return
        }
        conduct.onPiece()
      }
    } finally {
      conduct.onLookedAt()
      this.#underWay.onStored()
      piece.release()
    }
    // Another peer may have been faster, even during verification.
    if (this.#picker.isMissing(index)) {
      addPieces(this.piecesByPeer, link.name, { pieces: 1, way: link.route.way })
      this.onStoredHere(index)
    }
    this.#picker.onGivenUp(key, index)
  }

  get #affected(): Parameters<typeof onPieceRefused>[2] & Parameters<typeof judge>[2] {
    const onTicketRefused = (): void => this.#events.onTicketRefused()
    const [picker, contacts, notes] = [this.#picker, this.#contacts, this.#notes]
    return { picker, contacts, notes, onTicketRefused, underWay: this.#underWay, giving: this.#giving }
  }

  #onOnTime(contact: Contact, share: Share): void {
    // The connection may have closed, and the share ended with it.
    if (contact.share !== share) return
    this.#underWay.onOnTime(share)
    this.#picker.onOnTime(contact.key)
  }

  /** The piece is verified and written. */
  onStoredHere(index: number): void {
    for (const other of this.#picker.onVerified(index)) this.#contacts.find(other)?.link?.cancel(index)
    if (this.#picker.missingCount === 0 && !this.#stopped) this.#events.onComplete()
  }

  #onTick(): void {
    const nowMs = performance.now()
    const { linked } = this.#contacts
    this.#rank.onBytes(this.#arrivals.measure(linked, nowMs))
    for (const contact of [...linked]) {
      contact.link?.checkAlive(nowMs)
      judge(contact, nowMs, this.#affected)
    }
    this.#contacts.rotate(nowMs)
    if (this.#picker.wantsAnew()) this.#contacts.tellWanted(() => this.#picker.onOffer())
    this.#lanes.look(nowMs, this.bytesPerSecond)
    this.#lookAgain()
  }

  /** Checks whether more peers are needed, and whether connected ones can be asked for more. */
  #lookAgain(): void {
    const wasBehind = this.#underWay.isBehind
    this.#hasEnough = wasBehind && this.linkCount > 0
    this.#underWay.lookAgain()
    for (const contact of this.#contacts.linked) {
      this.#fill(contact)
      // It got no request, so it need not hear about every piece until it does.
      if (wasBehind && contact.link?.isIdle === true) contact.link.letChooseNoMore()
    }
    // Waiting peers take slots that have become free.
    this.#contacts.connectWaiting()
  }
}
