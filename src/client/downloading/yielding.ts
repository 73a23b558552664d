// How much downloads of one priority may ask for while a higher one receives. They always get one piece for each nine of
// the higher ones. Whether more would take something from those cannot be known (the line and the senders are shared with
// others), so it is tried: they get more, step by step, for as long as the higher ones receive what they did before. Pure:
// callers pass in times in milliseconds.

import { pieceBytes } from '../../common/limits.ts'

/** Pieces of the higher ones for each of these. */
const piecesAhead = 9
/** Turns that may be saved up, in those that a piece of the higher ones is worth, but at least in pieces. */
const savedMax = 2

/** A step is over after this much of the higher ones, so that single pieces do not decide, … */
const stepBytes = 8 * pieceBytes
/** … in no less than this, … */
const stepMinMs = 1000
/** … or after this. */
const stepMaxMs = 5000
/** The higher ones receive less than before when it is less than this part of the most. */
const unharmed = 0.85
/** The most counts for less with each step: a sender may have become slower by itself. */
const forgets = 0.98
/** How much more is tried with each step, … */
const growth = 1.5
/** … up to this many times as much as is always given. */
const shareMax = 2 ** 14
/** Steps without a try after one that took something from the higher ones; twice as many after each further one. */
const restMin = 2
const restMax = 64

/** Held back so long ago does not count. */
const heldBackMs = 2000

export class Yielding {
  /** Pieces that may be asked for. */
  #turns = 0
  /** How many times as much as is always given. */
  #share = 1
  #refusedAtMs = -Infinity
  /** Of the higher ones, in bytes a millisecond. */
  #most = 0
  #stepFromMs = -Infinity
  #stepBytes = 0
  #rests = 0
  #restNext = restMin

  get hasTurn(): boolean {
    return this.#turns >= 1
  }

  mayAsk(nowMs: number): boolean {
    if (this.hasTurn) return true
    this.#refusedAtMs = nowMs
    return false
  }

  /** Whether it could have asked for more of late. */
  isHeldBack(nowMs: number): boolean {
    return nowMs - this.#refusedAtMs < heldBackMs
  }

  onAsked(): void {
    this.#turns--
  }

  /** The higher ones have received a piece. */
  onPieceAhead(): void {
    const worth = this.#share / piecesAhead
    this.#turns = Math.min(savedMax * Math.max(1, worth), this.#turns + worth)
  }

  /** The higher ones have received so many bytes since the last time. */
  onBytesAhead(bytes: number, nowMs: number): void {
    // After a silence everything may be different.
    if (nowMs - this.#stepFromMs > 2 * stepMaxMs) {
      this.#beginAnew(nowMs)
      return
    }
    const passedMs = nowMs - this.#stepFromMs
    this.#stepBytes += bytes
    if (passedMs < stepMinMs || (this.#stepBytes < stepBytes && passedMs < stepMaxMs)) return
    this.#onStep(this.#stepBytes / passedMs, nowMs)
    this.#stepFromMs = nowMs
    this.#stepBytes = 0
  }

  #beginAnew(nowMs: number): void {
    this.#stepFromMs = nowMs
    this.#stepBytes = 0
    this.#most = 0
    this.#share = 1
    this.#rests = restMin
    this.#restNext = restMin
  }

  #onStep(bytesPerMs: number, nowMs: number): void {
    const isHarmed = bytesPerMs < unharmed * this.#most
    this.#most = Math.max(bytesPerMs, forgets * this.#most)
    if (isHarmed) {
      // With no more than is always given, it is not the fault of these.
      if (this.#share > 1) this.#restNext = Math.min(restMax, 2 * this.#restNext)
      this.#share = 1
      this.#rests = this.#restNext
    } else if (this.#rests > 0) this.#rests--
    // More is of no use to who has not asked for more.
    else if (this.isHeldBack(nowMs)) this.#share = Math.min(shareMax, growth * this.#share)
  }
}
