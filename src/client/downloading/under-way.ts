// Counts the pieces of a download under way and decides which peer may have more. Pure.
//
// While the peers are the bottleneck, each is kept busy. Once this client is the bottleneck (its CPU or its
// disk), received pieces queue up here, and another peer gains nothing and costs both ends. Then only as many
// pieces may be under way as keep this client busy, and peers are asked in a fixed order: the first ones get
// everything.
//
// A late peer may never send what it was asked for. Its pieces do not count, so that late peers cannot
// exhaust the limit, however many there are. Unless this client is the bottleneck, every other peer may
// always have one.
//
// All this within the rank of the download among others: see precedence.ts.

import type { Rank } from './precedence.ts'

/** The most pieces requested and not yet written, over all peers that are on time: 24 MiB. */
export const piecesUnderWayMax = 48
/** Besides these, while they are on long lines: as much again. */
export const piecesOnTheWayMax = 48
/** And for each further connection to one peer: they become faster and slower in turns, and none is to have nothing to send. */
const piecesOfLane = 8
export const piecesOfLanesMax = 96
/** The most of these from the peers of one user while other users have peers too. */
export const piecesOfUserMax = 24
/**
 * This many received pieces awaiting verification and writing mean that this client is the bottleneck; on many connections
 * more of them.
 */
const behindFrom = 12
/** The limit in that case: as many as one fast peer is asked for, plus those queued behind it. */
const underWayBehindMax = 24

/** The pieces one peer has under way. */
export interface Share {
  readonly user: string
  count: number
  /** The peer is late, and its pieces do not count. */
  isLate: boolean
}

export class UnderWay {
  readonly #rank: Pick<Rank, 'mayAsk' | 'onAsked' | 'onPiece'>
  #count = 0
  /** By user: the number of its peers, and the pieces of those that are on time. */
  readonly #users = new Map<string, { peers: number; pieces: number }>()
  #unstored = 0
  #onTheWay = 0
  #ofLanes = 0
  #isBehind = false

  /** `rank`: of the download among all that run. */
  constructor(rank: Pick<Rank, 'mayAsk' | 'onAsked' | 'onPiece'>) {
    this.#rank = rank
  }

  /** Whether this client was the bottleneck at any time since `lookAgain`. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** Adds a peer of this user, until `leave`. */
  join(user: string): Share {
    const of = this.#users.get(user) ?? { peers: 0, pieces: 0 }
    of.peers++
    this.#users.set(user, of)
    return { user, count: 0, isLate: false }
  }

  /** Stops counting the peer's pieces; its requests may still end later. */
  leave(share: Share): void {
    this.onLate(share)
    const of = this.#users.get(share.user)
    if (of !== undefined && --of.peers === 0) this.#users.delete(share.user)
  }

  /** `wantsMore`: the peer would be asked for a piece. */
  mayAsk(share: Share, wantsMore = true): boolean {
    return this.#hasRoom(share) && this.#rank.mayAsk(wantsMore)
  }

  #hasRoom(share: Share): boolean {
    if (share.isLate) return false
    const near = this.#isBehind ? underWayBehindMax : piecesUnderWayMax
    const max = near + this.#onTheWay + this.#ofLanes
    const ofUser = this.#users.size === 1 ? 0 : (this.#users.get(share.user)?.pieces ?? 0)
    if (this.#count < max && ofUser < piecesOfUserMax) return true
    return share.count === 0 && !this.#isBehind
  }

  /** A piece was asked for, perhaps one that the peer chooses. */
  onAsked(): void {
    this.#rank.onAsked()
  }

  /** A certain piece was requested, or the peer chose one. */
  onBegun(share: Share): void {
    share.count++
    if (!share.isLate) this.#add(share, 1)
  }

  /** A piece has arrived and awaits verification and writing. */
  onArrived(): void {
    this.#unstored++
    this.#rank.onPiece()
    if (this.#unstored >= this.#behindFrom) this.#isBehind = true
  }

  /** On many connections pieces come in bursts: behind a lost segment waits what follows it. */
  get #behindFrom(): number {
    return behindFrom + Math.floor(this.#ofLanes / 2)
  }

  /** An arrived piece was written, or will not be. */
  onStored(): void {
    this.#unstored--
  }

  /** A piece is no longer under way, whatever the outcome. */
  onEnded(share: Share): void {
    share.count--
    if (!share.isLate) this.#add(share, -1)
  }

  /** The peer's pieces may never come, so they stop counting. */
  onLate(share: Share): void {
    if (share.isLate) return
    this.#add(share, -share.count)
    share.isLate = true
  }

  /** The peer delivered after all, so its pieces count again. */
  onOnTime(share: Share): void {
    if (!share.isLate) return
    share.isLate = false
    this.#add(share, share.count)
  }

  /** Called periodically: checks again whether this client is the bottleneck, since peers change. */
  lookAgain(): void {
    this.#isBehind = this.#unstored >= this.#behindFrom
  }

  /**
   * About so many pieces are on long lines at each moment: they keep this client busy only a round trip later.
   * `furtherLanes`: connections beside the first one to each peer.
   */
  onFar(pieces: number, furtherLanes: number): void {
    this.#onTheWay = Math.min(piecesOnTheWayMax, pieces)
    this.#ofLanes = Math.min(piecesOfLanesMax, furtherLanes * piecesOfLane)
  }

  #add(share: Share, pieces: number): void {
    this.#count += pieces
    const of = this.#users.get(share.user)
    if (of !== undefined) of.pieces += pieces
  }
}
