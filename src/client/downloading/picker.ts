// Decides which piece to request from which peer. Passive and pure: it is told facts (onHave, onPeerGone …)
// and asked for a pick. It knows nothing of sockets, files or clocks; callers pass in times.
//
// Policy, in this order: a piece that somebody waits for; one that tells what is in a folder; the rarest piece not
// requested from anyone, ties at random; then a piece that is overdue at every peer it was requested from; then endgame:
// a piece that another peer would deliver later than this one. A peer that chooses what it sends (onBegun) is asked only
// for pieces that it would not send by itself, or that somebody waits for.

import { Bitfield } from '../../common/bitfield.ts'
import { overdueMs } from './asking.ts'
import { Offered, type PiecesOfPeer } from './offered.ts'
import { FirstPieces, noWishes, type SpecialPieces } from './special-pieces.ts'

/** How a picker identifies a peer. */
export type PeerId = string

export type MissingStanding = 'under-way' | 'available' | 'nowhere'

/** Assumed time per piece for a peer that has not delivered one. */
const unknownPaceMs = 2000

/** In endgame, a duplicate request must promise to be this many times faster; otherwise it is waste. */
const endgameGain = 2

interface PeerFacts extends PiecesOfPeer {
  /** Pieces requested from this peer, in order, and when each is expected. */
  readonly asked: Map<number, number>
  msPerPiece: number | undefined
  /** The pieces requested from it may never come. */
  isLate: boolean
}

export class Picker {
  readonly #missing: Set<number>
  readonly #peers = new Map<PeerId, PeerFacts>()
  readonly #offered: Offered
  /** By piece: how many on-time peers have an outstanding request for it. */
  readonly #askers: Uint16Array
  /** The same for late peers. */
  readonly #lateAskers: Uint16Array
  /** Pieces requested from late peers only. */
  readonly #overdue = new Set<number>()
  /** Pieces on offer that peers which choose consider taken: again after a request, or never offered to them. */
  readonly #returned = new Set<number>()
  /** Pieces that are requested by index only: parts of them are here. */
  readonly #named: ReadonlySet<number>
  /** Missing pieces that come of what is here: nobody is asked for them. */
  readonly #fromHere: Set<number>
  readonly #wishes: NonNullable<SpecialPieces['wishes']>
  readonly #first: FirstPieces
  readonly #random: () => number

  /** `random` returns numbers from 0 (inclusive) to 1 (exclusive). */
  constructor(have: Bitfield, random: () => number, special: SpecialPieces = {}) {
    const { wanted, named = new Set(), fromHere = [], first = 0, wishes = noWishes } = special
    this.#random = random
    this.#wishes = wishes
    this.#first = new FirstPieces(first)
    this.#named = named
    this.#fromHere = new Set(fromHere)
    this.#offered = new Offered(have.length, named)
    this.#askers = new Uint16Array(have.length)
    this.#lateAskers = new Uint16Array(have.length)
    this.#missing = new Set()
    for (let index = 0; index < have.length; index++) {
      if (have.has(index) || wanted?.has(index) === false) continue
      this.#missing.add(index)
      if (this.#fromHere.has(index)) continue
      this.#offered.add(index)
      if (named.has(index)) this.#returned.add(index)
    }
  }

  get missingCount(): number {
    return this.#missing.size
  }

  /** A peer joined with these pieces. The picker takes ownership of the bitfield. */
  onPeer(peer: PeerId, has: Bitfield): void {
    this.onPeerGone(peer)
    const facts = { has, isCountedAsAll: has.isFull, asked: new Map(), msPerPiece: undefined, isLate: false }
    this.#peers.set(peer, facts)
    this.#offered.onPeer(facts)
  }

  onHave(peer: PeerId, index: number): void {
    const facts = this.#peers.get(peer)
    if (facts !== undefined) this.#offered.onHave(facts, index)
  }

  /** The peer turned out not to have the piece, although it announced it. */
  onLacks(peer: PeerId, index: number): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return
    this.onGivenUp(peer, index)
    this.#offered.onLacks(facts, index)
  }

  /** Removes the peer, so that the pieces requested from it can be requested elsewhere. */
  onPeerGone(peer: PeerId): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return
    for (const index of facts.asked.keys()) this.onGivenUp(peer, index)
    this.#peers.delete(peer)
    this.#offered.onPeerGone(facts)
  }

  /** Sets the peer's current time per piece. */
  onPace(peer: PeerId, msPerPiece: number): void {
    const facts = this.#peers.get(peer)
    if (facts !== undefined) facts.msPerPiece = msPerPiece
  }

  /** The piece will not come from this peer: refused, cancelled, or bad. */
  onGivenUp(peer: PeerId, index: number): void {
    const facts = this.#peers.get(peer)
    if (facts?.asked.delete(index) !== true) return
    this.#count(facts, index, -1)
    this.#settle(index)
  }

  /**
   * The pieces requested from the peer may never come: they are requested elsewhere, after all unrequested
   * ones.
   */
  onLate(peer: PeerId): void {
    this.#setLate(peer, true)
  }

  /** A late peer delivers again. */
  onOnTime(peer: PeerId): void {
    this.#setLate(peer, false)
  }

  /** The peer has begun to send a piece that it chose, expected to finish at this time. */
  onBegun(peer: PeerId, index: number, deliveryMs: number): void {
    const facts = this.#peers.get(peer)
    if (facts !== undefined && !facts.asked.has(index)) this.#ask(facts, index, deliveryMs)
  }

  /** The piece was found here; false when it is under way, or here, already. */
  takeHere(index: number): boolean {
    if (!this.isOnOffer(index)) return false
    this.#offered.remove(index)
    this.#returned.delete(index)
    this.#fromHere.add(index)
    return true
  }

  /** The piece does not come of what is here after all, so peers are asked for it. */
  onNotHere(index: number): void {
    if (this.#fromHere.delete(index)) this.#settle(index)
  }

  /** The piece is verified and written. Returns the peers whose request for it is now useless. */
  onVerified(index: number): PeerId[] {
    this.#missing.delete(index)
    this.#fromHere.delete(index)
    this.#returned.delete(index)
    this.#overdue.delete(index)
    this.#offered.remove(index)
    const inVain: PeerId[] = []
    for (const [peer, facts] of this.#peers) if (facts.asked.has(index)) inVain.push(peer)
    return inVain
  }

  /** How many pieces the peer has; 0 for one that is not there. */
  piecesOf(peer: PeerId): number {
    return this.#peers.get(peer)?.has.count ?? 0
  }

  /** How a piece stands that is not here: on its way, to be had from a peer, or from none. */
  standingOf(index: number): MissingStanding {
    if (this.#fromHere.has(index)) return 'under-way'
    if ((this.#askers[index] ?? 0) + (this.#lateAskers[index] ?? 0) > 0) return 'under-way'
    return this.#offered.isToBeHad(index) ? 'available' : 'nowhere'
  }

  isMissing(index: number): boolean {
    return this.#missing.has(index)
  }

  /**
   * What to request from this peer next; the piece then counts as requested. Undefined: nothing at present.
   */
  pickFor(peer: PeerId, nowMs: number): number | undefined {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return undefined
    const index =
      this.#pickWished(facts, nowMs) ??
      this.#pickFirst(facts) ??
      this.#pickRarest(facts) ??
      this.#pickOverdue(facts) ??
      this.#pickEndgame(facts, nowMs)
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** The same for a peer that chooses: only pieces that it was told to skip, or would send too late. */
  pickLeftOverFor(peer: PeerId, nowMs: number): number | undefined {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return undefined
    let index = this.#pickWished(facts, nowMs) ?? this.#pickReturned(facts)
    if (this.#offered.isEmpty) index ??= this.#pickOverdue(facts) ?? this.#pickEndgame(facts, nowMs)
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** Whether the piece is missing and not requested from anyone. */
  isOnOffer(index: number): boolean {
    return this.#missing.has(index) && this.#offered.has(index)
  }

  /** Whether the peer has a piece on offer. */
  hasOnOffer(peer: PeerId): boolean {
    const facts = this.#peers.get(peer)
    return facts !== undefined && this.#pickRarest(facts) !== undefined
  }

  /** Whether a peer may choose any piece on offer. */
  get hasChoice(): boolean {
    return this.#offered.hasChoice
  }

  /** The pieces on offer among which a peer may choose. */
  onOffer(): Bitfield {
    const field = new Bitfield(this.#askers.length)
    for (const index of this.#missing)
      if (this.#offered.has(index) && !this.#named.has(index)) field.set(index)
    return field
  }

  /**
   * Whether a piece has to be wanted anew: peers that choose consider it taken, so they do not say when they get it, and
   * nobody is known to have it. From then on all on offer counts as told.
   */
  wantsAnew(): boolean {
    const told = [...this.#returned].filter((index) => !this.#named.has(index))
    if (told.every((index) => this.#offered.isToBeHad(index))) return false
    for (const index of told) this.#returned.delete(index)
    return true
  }

  #ask(facts: PeerFacts, index: number, deliveryMs: number): void {
    this.#count(facts, index, 1)
    this.#settle(index)
    facts.asked.set(index, deliveryMs)
  }

  #setLate(peer: PeerId, isLate: boolean): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined || facts.isLate === isLate) return
    for (const index of facts.asked.keys()) this.#count(facts, index, -1)
    facts.isLate = isLate
    for (const index of facts.asked.keys()) {
      this.#count(facts, index, 1)
      this.#settle(index)
    }
  }

  #count(facts: PeerFacts, index: number, change: 1 | -1): void {
    const askers = facts.isLate ? this.#lateAskers : this.#askers
    askers[index] = (askers[index] ?? 0) + change
  }

  /** Files a missing piece by its outstanding requests: on offer, overdue or under way. */
  #settle(index: number): void {
    if (!this.#missing.has(index)) return
    const isUnderWay = this.#askers[index] !== 0
    const isOverdue = !isUnderWay && this.#lateAskers[index] !== 0
    if (isOverdue) this.#overdue.add(index)
    else this.#overdue.delete(index)
    if (isUnderWay || isOverdue) {
      this.#offered.remove(index)
      this.#returned.delete(index)
    } else {
      this.#offered.add(index)
      this.#returned.add(index)
    }
  }

  /** When the peer would deliver one more piece if asked now, after all those already requested from it. */
  #deliveryMs(facts: PeerFacts, nowMs: number): number {
    let lastMs = nowMs
    for (const deliveryMs of facts.asked.values()) lastMs = Math.max(lastMs, deliveryMs)
    return lastMs + (facts.msPerPiece ?? unknownPaceMs)
  }

  /** One that somebody waits for, also if it would come later from another peer. */
  #pickWished(facts: PeerFacts, nowMs: number): number | undefined {
    const { pieces } = this.#wishes
    if (pieces.length === 0) return undefined
    for (const index of pieces) {
      if (!facts.has.has(index) || facts.asked.has(index)) continue
      if (this.isOnOffer(index) || this.#overdue.has(index)) return index
    }
    return this.#pickEndgame(facts, nowMs, (index) => this.#wishes.has(index))
  }

  #pickFirst({ has }: PeerFacts): number | undefined {
    const isMissing = (index: number): boolean => this.#missing.has(index)
    return this.#first.pick(isMissing, (index) => this.isOnOffer(index) && has.has(index))
  }

  #pickRarest({ has }: PeerFacts): number | undefined {
    return this.#offered.rarest(has, this.#random)
  }

  #pickReturned(facts: PeerFacts): number | undefined {
    for (const index of this.#returned) if (facts.has.has(index)) return index
    return undefined
  }

  #pickOverdue(facts: PeerFacts): number | undefined {
    for (const index of this.#overdue) if (facts.has.has(index) && !facts.asked.has(index)) return index
    return undefined
  }

  /**
   * Of the pieces under way elsewhere, the one expected last, if this peer would be sooner. A peer of unknown
   * pace gets a single piece as a test.
   */
  #pickEndgame(
    facts: PeerFacts,
    nowMs: number,
    isMeant: (index: number) => boolean = () => true,
  ): number | undefined {
    if (facts.msPerPiece === undefined && facts.asked.size > 0) return undefined
    const ownMs = this.#deliveryMs(facts, nowMs) - nowMs
    let latest: number | undefined
    let latestMs = nowMs + ownMs * endgameGain
    for (const other of this.#peers.values()) {
      if (other === facts || other.isLate) continue
      for (const [index, deliveryMs] of other.asked) {
        if (!facts.has.has(index) || this.#askers[index] !== 1 || !this.#missing.has(index)) continue
        if (facts.asked.has(index) || !isMeant(index)) continue
        const expectedMs = overdueMs(deliveryMs, other.msPerPiece ?? unknownPaceMs, nowMs)
        if (expectedMs <= latestMs) continue
        latestMs = expectedMs
        latest = index
      }
    }
    return latest
  }
}
