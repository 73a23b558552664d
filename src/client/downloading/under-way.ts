// How many pieces of a download are under way, and how many may be. Pure.
//
// As long as the peers are what limits, each is kept busy. Once this client is (its processor or its disk),
// pieces that have come wait here, and a further peer brings nothing and costs both ends. Then no more may be
// under way than keeps this client busy, and peers are to be asked in a fixed order: the first ones get it all.

/** Pieces asked for and not yet written, over all peers: 24 MiB. */
export const piecesUnderWayMax = 48
/** So many that have come and wait to be verified and written say that this client is what limits. */
const behindFrom = 12
/** Then so many may be under way: as many as one fast peer is asked for, and what waits behind it. */
const underWayBehindMax = 24

export class UnderWay {
  #count = 0
  #unstored = 0
  #isBehind = false

  /** Whether this client was what limits, at some time since `lookAgain`. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  get mayAsk(): boolean {
    return this.#count < (this.#isBehind ? underWayBehindMax : piecesUnderWayMax)
  }

  /** A piece was asked for, or chosen by its peer. */
  onBegun(): void {
    this.#count++
  }

  /** A piece has come, and is to be verified and written. */
  onArrived(): void {
    this.#unstored++
    if (this.#unstored >= behindFrom) this.#isBehind = true
  }

  /** A piece that had come is written, or will not be. */
  onStored(): void {
    this.#unstored--
  }

  /** A piece is not under way any more, whatever became of it. */
  onEnded(): void {
    this.#count--
  }

  /** Finds out anew what limits, with all peers: called every now and then, since peers change. */
  lookAgain(): void {
    this.#isBehind = this.#unstored >= behindFrom
  }
}
