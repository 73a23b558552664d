// How many pieces of a download are under way, and whose turn it is to have more. Pure.
//
// While the peers are the limit, each is kept busy. Once this client is the limit (its processor or its disk),
// received pieces wait here, and a further peer brings nothing and costs both ends. Then only as many may be under
// way as keep this client busy, and peers are asked in a fixed order: the first ones get everything.
//
// A peer that is late with what it was asked for may never send it. Its pieces do not count, so that no number of
// such peers can use up what may be under way; and every other peer may always be asked for one piece.

/** Pieces requested and not yet written, over all peers that are on time: 24 MiB. */
export const piecesUnderWayMax = 48
/** The most of them from the peers of one user, when other users have peers too. */
export const piecesOfUserMax = 24
/** This many received pieces that wait to be verified and written mean that this client is the limit. */
const behindFrom = 12
/** Then this many may be under way: as many as one fast peer is asked for, and what waits behind it. */
const underWayBehindMax = 24

/** What one peer has under way. */
export interface Share {
  readonly user: string
  count: number
  /** It is late, and what it has does not count. */
  isLate: boolean
}

export class UnderWay {
  #count = 0
  /** By user: the peers that take part, and the pieces of those that are on time. */
  readonly #users = new Map<string, { peers: number; pieces: number }>()
  #unstored = 0
  #isBehind = false

  /** Whether this client was the limit at any time since `lookAgain`. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** A peer of this user takes part, until `leave`. */
  join(user: string): Share {
    const of = this.#users.get(user) ?? { peers: 0, pieces: 0 }
    of.peers++
    this.#users.set(user, of)
    return { user, count: 0, isLate: false }
  }

  /** What the peer had under way does not count any more; its requests may still end later. */
  leave(share: Share): void {
    this.onLate(share)
    const of = this.#users.get(share.user)
    if (of !== undefined && --of.peers === 0) this.#users.delete(share.user)
  }

  mayAsk(share: Share): boolean {
    if (share.isLate) return false
    const max = this.#isBehind ? underWayBehindMax : piecesUnderWayMax
    const ofUser = this.#users.size === 1 ? 0 : (this.#users.get(share.user)?.pieces ?? 0)
    if (this.#count < max && ofUser < piecesOfUserMax) return true
    return share.count === 0 && !this.#isBehind
  }

  /** A piece was requested, or chosen by its peer. */
  onBegun(share: Share): void {
    share.count++
    if (!share.isLate) this.#add(share, 1)
  }

  /** A piece has arrived, and is to be verified and written. */
  onArrived(): void {
    this.#unstored++
    if (this.#unstored >= behindFrom) this.#isBehind = true
  }

  /** A piece that had arrived is written, or will not be. */
  onStored(): void {
    this.#unstored--
  }

  /** A piece is not under way any more, whatever became of it. */
  onEnded(share: Share): void {
    share.count--
    if (!share.isLate) this.#add(share, -1)
  }

  /** What the peer has under way may never come. */
  onLate(share: Share): void {
    if (share.isLate) return
    this.#add(share, -share.count)
    share.isLate = true
  }

  /** The peer delivered after all. */
  onOnTime(share: Share): void {
    if (!share.isLate) return
    share.isLate = false
    this.#add(share, share.count)
  }

  /** Finds out anew who is the limit: called every now and then, since peers change. */
  lookAgain(): void {
    this.#isBehind = this.#unstored >= behindFrom
  }

  #add(share: Share, pieces: number): void {
    this.#count += pieces
    const of = this.#users.get(share.user)
    if (of !== undefined) of.pieces += pieces
  }
}
