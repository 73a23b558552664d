// How fast users get on with a file, by what is seen of them over the last half minute. Pure.

interface Point {
  readonly atMs: number
  readonly pieces: number
}

/** Measured over one to two of these. */
const windowMs = 15_000
/** Over less time a single piece would decide. */
const shortestMs = 2000

export class Progress {
  /** By user: where the last window began, and this one. */
  readonly #seen = new Map<string, { from: Point; mid: Point }>()

  /** When the user will have all pieces at this rate, in seconds; undefined for who is not seen to get on. */
  secondsLeft(
    user: string,
    pieces: number | undefined,
    pieceCount: number,
    nowMs: number,
  ): number | undefined {
    if (pieces === undefined) return undefined
    const now = { atMs: nowMs, pieces }
    const seen = this.#seen.get(user)
    // One that has fewer than before began anew.
    if (seen === undefined || pieces < seen.from.pieces) {
      this.#seen.set(user, { from: now, mid: now })
      return undefined
    }
    const { from, mid } = seen
    if (nowMs - mid.atMs > windowMs) this.#seen.set(user, { from: mid, mid: now })
    const gained = pieces - from.pieces
    const passedMs = nowMs - from.atMs
    if (gained <= 0 || passedMs < shortestMs) return undefined
    return ((pieceCount - pieces) * passedMs) / gained / 1000
  }
}
