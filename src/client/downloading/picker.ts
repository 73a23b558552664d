// Which piece to ask which peer for. Passive and pure: it is told facts (onHave, onPeerGone …) and
// asked for a pick. It knows no sockets, files or clocks; times are handed in.
//
// Policy, in this order: the rarest piece that nobody was asked for, ties at random; when there is
// none, end game: a piece that another peer will deliver later than this one could. A peer that chooses
// itself what it sends (onBegun) is asked for certain pieces only where it would not send them by itself.

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
  /** By piece: how many peers were asked for it and have not answered. */
  readonly #askers: Uint16Array
  /** Pieces on offer again after they were asked for once: peers that choose take them for settled. */
  readonly #returned = new Set<number>()
  readonly #random: () => number

  /** `random` gives numbers from 0 to 1, 1 excluded. */
  constructor(have: Bitfield, random: () => number) {
    this.#random = random
    this.#availability = new Uint32Array(have.length)
    this.#askers = new Uint16Array(have.length)
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
    this.#peers.set(peer, { has, asked: new Map(), msPerPiece: undefined })
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
    if (this.#peers.get(peer)?.asked.delete(index) !== true) return
    const askers = (this.#askers[index] ?? 0) - 1
    this.#askers[index] = askers
    if (askers > 0 || !this.#missing.has(index)) return
    this.#offer(index)
    this.#returned.add(index)
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
    const index = this.#pickRarest(facts) ?? this.#pickEndgame(facts, nowMs)
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** The same for a peer that chooses itself: only what it was told not to send, or would send too late. */
  pickLeftOverFor(peer: PeerId, nowMs: number): number | undefined {
    const facts = this.#peers.get(peer)
    if (facts === undefined) return undefined
    const index =
      this.#pickReturned(facts) ?? (this.#offeredCount > 0 ? undefined : this.#pickEndgame(facts, nowMs))
    if (index !== undefined) this.#ask(facts, index, this.#deliveryMs(facts, nowMs))
    return index
  }

  /** Missing, and nobody was asked for it. */
  isOnOffer(index: number): boolean {
    return this.#missing.has(index) && this.#place[index] !== -1
  }

  /** What nobody was asked for: the pieces among which a peer may choose. */
  onOffer(): Bitfield {
    const field = new Bitfield(this.#place.length)
    for (const index of this.#missing) if (this.#place[index] !== -1) field.set(index)
    return field
  }

  #ask(facts: PeerFacts, index: number, deliveryMs: number): void {
    this.#withdraw(index)
    this.#returned.delete(index)
    this.#askers[index] = (this.#askers[index] ?? 0) + 1
    facts.asked.set(index, deliveryMs)
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

  /** Of the pieces under way elsewhere, the one that is expected last, if this peer would be sooner. */
  #pickEndgame(facts: PeerFacts, nowMs: number): number | undefined {
    if (facts.msPerPiece === undefined) return undefined
    const ownMs = this.#deliveryMs(facts, nowMs) - nowMs
    let latest: number | undefined
    let latestMs = nowMs + ownMs * endgameGain
    for (const other of this.#peers.values()) {
      if (other === facts) continue
      for (const [index, deliveryMs] of other.asked) {
        if (!facts.has.has(index) || this.#askers[index] !== 1 || !this.#missing.has(index)) continue
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
