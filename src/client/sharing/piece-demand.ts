// Tracks which pieces of a served file its downloaders still want, and picks what to send next to whom.
// Passive and pure, like the picker at the other end: it is told facts and asked one question (pickFor).
//
// A piece that many want is one that few have, so most wanted first is rarest first. A seeder thus sends every
// piece once before any piece twice, without being told what others have.

import { Bitfield } from '../../common/bitfield.ts'

interface Wants {
  /** Pieces that the peer neither has nor is being sent by anyone. */
  readonly pieces: Bitfield
  /** How many of them this client has. */
  here: number
}

/** How many pieces to examine in search of the most wanted one. After that, any that the peer wants will do. */
const looksMax = 256

export class PieceDemand<Peer> {
  readonly #have: Bitfield
  readonly #random: () => number
  readonly #wants = new Map<Peer, Wants>()
  /** By piece: how many peers want it. */
  readonly #wantedBy: Uint16Array
  /** The pieces this client has, in rows: first those that no peer wants, then those that one wants, and so on. */
  readonly #inRows: Int32Array
  /** By number of peers: where the row of pieces wanted by this many begins. It ends where the next one begins. */
  readonly #rowStarts = [0]
  /** By piece: its position in the rows, or -1 when this client lacks it. */
  readonly #place: Int32Array

  /** Copies `have`. `random` returns numbers in [0, 1). */
  constructor(have: Bitfield, random: () => number) {
    this.#have = new Bitfield(have.length)
    this.#random = random
    this.#wantedBy = new Uint16Array(have.length)
    this.#inRows = new Int32Array(have.length)
    this.#place = new Int32Array(have.length).fill(-1)
    for (let index = 0; index < have.length; index++) if (have.has(index)) this.onHave(index)
  }

  /** Whether no peer has said what it wants. */
  get isEmpty(): boolean {
    return this.#wants.size === 0
  }

  /** How many pieces the peer said it wants and has not been given; undefined when it said nothing. */
  wantedCount(peer: Peer): number | undefined {
    return this.#wants.get(peer)?.pieces.count
  }

  /** This client has one more piece. */
  onHave(index: number): void {
    if (this.#have.has(index)) return
    this.#have.set(index)
    this.#enter(index)
    for (const wants of this.#wants.values()) if (wants.pieces.has(index)) wants.here++
  }

  /** Replaces what the peer wants. Takes ownership of the bitfield. */
  onWants(peer: Peer, pieces: Bitfield): void {
    this.onPeerGone(peer)
    const wants = { pieces, here: 0 }
    this.#wants.set(peer, wants)
    for (let index = 0; index < pieces.length; index++) {
      if (!pieces.has(index)) continue
      this.#count(index, 1)
      if (this.#have.has(index)) wants.here++
    }
  }

  /** The peer has the piece or is being sent it. */
  onTaken(peer: Peer, index: number): void {
    const wants = this.#wants.get(peer)
    if (wants?.pieces.has(index) !== true) return
    wants.pieces.clear(index)
    this.#count(index, -1)
    if (this.#have.has(index)) wants.here--
  }

  onPeerGone(peer: Peer): void {
    const wants = this.#wants.get(peer)
    if (wants === undefined) return
    this.#wants.delete(peer)
    for (let index = 0; index < wants.pieces.length; index++) {
      if (wants.pieces.has(index)) this.#count(index, -1)
    }
  }

  /** False when the peer has said what it wants and the piece is not among that. */
  mayWant(peer: Peer, index: number): boolean {
    return this.#wants.get(peer)?.pieces.has(index) !== false
  }

  /** Picks the piece to send to this peer now and counts it as taken. Undefined when nothing here is wanted. */
  pickFor(peer: Peer): number | undefined {
    const wants = this.#wants.get(peer)
    if (wants === undefined || wants.here === 0) return undefined
    const index = this.#mostWanted(wants) ?? this.#anyWanted(wants)
    if (index !== undefined) this.onTaken(peer, index)
    return index
  }

  #mostWanted(wants: Wants): number | undefined {
    let looks = 0
    for (let count = this.#rowStarts.length - 1; count > 0; count--) {
      const [from, to] = [this.#startOf(count), this.#startOf(count + 1)]
      if (from === to) continue
      const start = Math.floor(this.#random() * (to - from))
      for (let step = 0; step < to - from; step++) {
        if (looks++ === looksMax) return undefined
        const index = this.#inRows[from + ((start + step) % (to - from))]
        if (index !== undefined && wants.pieces.has(index)) return index
      }
    }
    return undefined
  }

  #anyWanted(wants: Wants): number | undefined {
    const { length } = this.#have
    const start = Math.floor(this.#random() * length)
    for (let step = 0; step < length; step++) {
      const index = (start + step) % length
      if (wants.pieces.has(index) && this.#have.has(index)) return index
    }
    return undefined
  }

  /** The row of a piece begins or ends where it moves to the next one, so only that border moves. */
  #count(index: number, change: 1 | -1): void {
    const count = this.#wantedBy[index] ?? 0
    this.#wantedBy[index] = count + change
    const place = this.#place[index] ?? -1
    if (place === -1) return
    if (change === 1) {
      const last = this.#startOf(count + 1) - 1
      this.#swap(place, last)
      this.#rowStarts[count + 1] = last
    } else {
      const first = this.#startOf(count)
      this.#swap(place, first)
      this.#rowStarts[count] = first + 1
    }
  }

  /** Puts a piece behind all rows and moves it down to its own, past one border after the other. */
  #enter(index: number): void {
    const count = this.#wantedBy[index] ?? 0
    for (let row = this.#rowStarts.length; row <= count; row++) this.#rowStarts.push(this.#have.count - 1)
    let place = this.#have.count - 1
    this.#inRows[place] = index
    this.#place[index] = place
    for (let row = this.#rowStarts.length - 1; row > count; row--) {
      const first = this.#startOf(row)
      this.#swap(place, first)
      this.#rowStarts[row] = first + 1
      place = first
    }
  }

  #startOf(row: number): number {
    return this.#rowStarts[row] ?? this.#have.count
  }

  #swap(one: number, other: number): void {
    const [a = 0, b = 0] = [this.#inRows[one], this.#inRows[other]]
    this.#inRows[one] = b
    this.#inRows[other] = a
    this.#place[a] = other
    this.#place[b] = one
  }
}
