// Which piece to ask which peer for. Passive and pure: it is told facts (onHave, onPeerGone …) and
// asked for a pick. It knows no sockets, files or clocks; times are handed in.
//
// Policy, in this order: the rarest piece that nobody was asked for, ties at random; then a piece that is
// overdue everywhere it was asked for; then end game: a piece that another peer will deliver later than this
// one could. A peer that chooses itself what it sends (onBegun) is asked for certain pieces only where it
// would not send them by itself.

import { Bitfield } from '../../common/bitfield.ts'

/** How a picker names a peer. */
export type PeerId = string

/** How long a peer is thought to need for a piece before it has delivered one. */
const unknownPaceMs = 2000

/** In end game a duplicate must promise to be this much faster, or it is only waste. */
const endgameGain = 2

interface PeerFacts {
  readonly has: Bitfield
  /** Pieces that this peer was asked for, in order, and when it could begin with each. */
  readonly asked: Map<number, number>
  msPerPiece: number | undefined
  /** What it was asked for may never come. */
  isLate: boolean
}

export class Picker {
  readonly #missing: Set<number>
  readonly #peers = new Map<PeerId, PeerFacts>()
  /** By piece: how many peers have it. */
  readonly #availability: Uint32Array
  /** By availability: the pieces that are missing and that nobody was asked for, in no order. */
  readonly #offered: number[][] = []
  #offeredCount = 0
  /** By piece: its place in its row of `#offered`, or -1. */
  readonly #place: Int32Array
  /** By piece: how many peers were asked for it, have not answered, and are on time. */
  readonly #askers: Uint16Array
  /** The same of peers that are late. */
  readonly #lateAskers: Uint16Array
  /** Pieces that late peers were asked for, and nobody else. */
  readonly #overdue = new Set<number>()
  /** Pieces on offer again after they were asked for once: peers that choose take them for settled. */
  readonly #returned = new Set<number>()
  readonly #random: () => number

  /** `random` gives numbers from 0 to 1, 1 excluded. */
  constructor(have: Bitfield, random: () => number) {
    this.#random = random
    this.#availability = new Uint32Array(have.length)
    this.#askers = new Uint16Array(have.length)
    this.#lateAskers = new Uint16Array(have.length)
    this.#place = new Int32Array(have.length).fill(-1)
    this.#missing = new Set()
    for (let index = 0; index < have.length; index++) {
      if (have.has(index)) continue
      this.#missing.add(index)
      this.#offer(index)
    }
  }

  get missingCount(): number {
    return this.#missing.size
  }

  /** A peer is there, with these pieces. The bitfield belongs to the picker from now on. */
  onPeer(peer: PeerId, has: Bitfield): void {
    this.onPeerGone(peer)
    this.#peers.set(peer, { has, asked: new Map(), msPerPiece: undefined, isLate: false })
    for (let index = 0; index < has.length; index++) if (has.has(index)) this.#changeAvailability(index, 1)
  }

  onHave(peer: PeerId, index: number): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined || facts.has.has(index)) return
    facts.has.set(index)
    this.#changeAvailability(index, 1)
  }

  /** The peer turned out not to have the piece, whatever it said. */
  onLacks(peer: PeerId, index: number): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return
    this.onGivenUp(peer, index)
    if (!facts.has.has(index)) return
    facts.has.clear(index)
    this.#changeAvailability(index, -1)
  }

  /** Everything the peer was asked for is on offer again. */
  onPeerGone(peer: PeerId): void {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return
    for (const index of facts.asked.keys()) this.onGivenUp(peer, index)
    this.#peers.delete(peer)
    for (let index = 0; index < facts.has.length; index++) {
      if (facts.has.has(index)) this.#changeAvailability(index, -1)
    }
  }

  /** How long the peer needs for a piece at present. */
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

  /** What the peer was asked for may never come: it is to be asked elsewhere, after all that nobody was asked for. */
  onLate(peer: PeerId): void {
    this.#setLate(peer, true)
  }

  /** A peer that was late delivers again. */
  onOnTime(peer: PeerId): void {
    this.#setLate(peer, false)
  }

  /** The peer has begun to send a piece that it chose itself, and should be done at this time. */
  onBegun(peer: PeerId, index: number, deliveryMs: number): void {
    const facts = this.#peers.get(peer)
    if (facts !== undefined && !facts.asked.has(index)) this.#ask(facts, index, deliveryMs)
  }

  /** The piece is verified and written. Answers which peers are still asked for it in vain. */
  onVerified(index: number): PeerId[] {
    this.#missing.delete(index)
    this.#returned.delete(index)
    this.#overdue.delete(index)
    this.#withdraw(index)
    const inVain: PeerId[] = []
    for (const [peer, facts] of this.#peers) if (facts.asked.has(index)) inVain.push(peer)
    return inVain
  }

  isMissing(index: number): boolean {
    return this.#missing.has(index)
  }

  /** What to ask this peer for next; the piece counts as asked. Undefined: nothing at present. */
  pickFor(peer: PeerId, nowMs: number): number | undefined {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return undefined
    const index = this.#pickRarest(facts) ?? this.#pickOverdue(facts) ?? this.#pickEndgame(facts, nowMs)
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** The same for a peer that chooses itself: only what it was told not to send, or would send too late. */
  pickLeftOverFor(peer: PeerId, nowMs: number): number | undefined {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return undefined
    let index = this.#pickReturned(facts)
    if (this.#offeredCount === 0) index ??= this.#pickOverdue(facts) ?? this.#pickEndgame(facts, nowMs)
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** Missing, and nobody was asked for it. */
  isOnOffer(index: number): boolean {
    return this.#missing.has(index) && this.#place[index] !== -1
  }

  /** Whether the peer has a piece that nobody was asked for. */
  hasOnOffer(peer: PeerId): boolean {
    const facts = this.#peers.get(peer)
    return facts !== undefined && this.#pickRarest(facts) !== undefined
  }

  /** What nobody was asked for: the pieces among which a peer may choose. */
  onOffer(): Bitfield {
    const field = new Bitfield(this.#place.length)
    for (const index of this.#missing) if (this.#place[index] !== -1) field.set(index)
    return field
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

  /** Puts a piece where it belongs, by who was asked for it: on offer, overdue, or under way. */
  #settle(index: number): void {
    if (!this.#missing.has(index)) return
    const isUnderWay = this.#askers[index] !== 0
    const isOverdue = !isUnderWay && this.#lateAskers[index] !== 0
    if (isOverdue) this.#overdue.add(index)
    else this.#overdue.delete(index)
    if (isUnderWay || isOverdue) {
      this.#withdraw(index)
      this.#returned.delete(index)
    } else {
      this.#offer(index)
      this.#returned.add(index)
    }
  }

  /** When the peer would deliver one more piece, if asked now: after all that it was asked for. */
  #deliveryMs(facts: PeerFacts, nowMs: number): number {
    let lastMs = nowMs
    for (const deliveryMs of facts.asked.values()) lastMs = Math.max(lastMs, deliveryMs)
    return lastMs + (facts.msPerPiece ?? unknownPaceMs)
  }

  #pickRarest(facts: PeerFacts): number | undefined {
    for (const row of this.#offered) {
      if (row === undefined || row.length === 0) continue
      const start = Math.floor(this.#random() * row.length)
      for (let step = 0; step < row.length; step++) {
        const index = row[(start + step) % row.length]
        if (index !== undefined && facts.has.has(index)) return index
      }
    }
    return undefined
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
   * Of the pieces under way elsewhere, the one that is expected last, if this peer would be sooner. A peer whose
   * pace is not known is tried with one.
   */
  #pickEndgame(facts: PeerFacts, nowMs: number): number | undefined {
    if (facts.msPerPiece === undefined && facts.asked.size > 0) return undefined
    const ownMs = this.#deliveryMs(facts, nowMs) - nowMs
    let latest: number | undefined
    let latestMs = nowMs + ownMs * endgameGain
    for (const other of this.#peers.values()) {
      if (other === facts || other.isLate) continue
      for (const [index, deliveryMs] of other.asked) {
        if (!facts.has.has(index) || this.#askers[index] !== 1 || !this.#missing.has(index)) continue
        if (facts.asked.has(index)) continue
        const expectedMs = overdue(deliveryMs, other.msPerPiece ?? unknownPaceMs, nowMs)
        if (expectedMs <= latestMs) continue
        latestMs = expectedMs
        latest = index
      }
    }
    return latest
  }

  #changeAvailability(index: number, change: 1 | -1): void {
    const offered = (this.#place[index] ?? -1) !== -1
    if (offered) this.#withdraw(index)
    this.#availability[index] = (this.#availability[index] ?? 0) + change
    if (offered) this.#offer(index)
  }

  #offer(index: number): void {
    if (this.#place[index] !== -1) return
    const availability = this.#availability[index] ?? 0
    const row = (this.#offered[availability] ??= [])
    this.#place[index] = row.length
    this.#offeredCount++
    row.push(index)
  }

  #withdraw(index: number): void {
    const place = this.#place[index] ?? -1
    if (place === -1) return
    const row = this.#offered[this.#availability[index] ?? 0]
    const last = row?.pop()
    if (row === undefined || last === undefined) throw new Error('a piece on offer is in its row')
    if (last !== index) {
      row[place] = last
      this.#place[last] = place
    }
    this.#place[index] = -1
    this.#offeredCount--
  }
}

/** When to expect a piece. An estimate that has passed is worth nothing: as late again, and a piece more. */
function overdue(deliveryMs: number, msPerPiece: number, nowMs: number): number {
  return deliveryMs >= nowMs ? deliveryMs : nowMs + (nowMs - deliveryMs) + msPerPiece
}
