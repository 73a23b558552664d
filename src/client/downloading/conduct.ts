// How one peer of a download behaves, and what that costs it: how much it is asked for, how long it rests, and
// when it is put aside. Pure: what it sent and how much time passed are handed in.
//
// A peer that promises and does not send costs a request, never the download: what it is late with is asked of
// others, and after seconds without a byte it is put aside, for longer each time. It is never put aside for ever
// for this: a peer that is merely overloaded looks the same.

import { askAheadMax } from './asking.ts'

/** A peer that owes pieces sends at least so many bytes of them … */
const leastBytes = 8 * 1024
/** … in this time, or it holds back. Sooner where it was fast before, and slower lines need no more than this. */
const patienceMs = 5000

/** Rest after a refusal; doubles with every further refusal in a row. */
const firstRestMs = 250
const longestRestMs = 30_000
/** After so many refusals in a row a peer is put aside. */
export const refusalsMax = 4

/**
 * So many pieces of a peer that has not sent a good one yet may be under way or wait to be verified: each that is
 * asked for may be a lie.
 */
const unprovenMax = 3

const firstAsideMs = 30_000
const longestAsideMs = 10 * 60_000

/** How much a peer is asked for is judged over looks that are at most this far apart: a stopped program sees nothing. */
const longestLookMs = 1000

export class Conduct {
  /** Nothing is asked of it before this time, in milliseconds of `performance.now()`. */
  restUntilMs = 0
  /** The user was told of it. */
  isNamed = false
  #refusals = 0
  #timesAside = 0
  #isProven = false
  #unverified = 0
  #aheadMax = askAheadMax
  #watchedMs = 0
  #watchedFromBytes: number | undefined
  #lookedAtMs = 0

  /** The most pieces it may owe: fewer after it was late, one more with each piece that comes. */
  get aheadMax(): number {
    return this.#aheadMax
  }

  /** The most pieces that it may owe or have waiting to be verified; undefined when that does not matter any more. */
  get unprovenMax(): number | undefined {
    return this.#isProven ? undefined : unprovenMax - this.#unverified
  }

  /** A piece came, and is to be verified. */
  onArrived(): void {
    this.#unverified++
  }

  /** What came is verified, or not needed any more. */
  onLookedAt(): void {
    this.#unverified--
  }

  /** What came was good. */
  onPiece(): void {
    this.#isProven = true
    this.#refusals = 0
    this.#timesAside = 0
    this.#aheadMax = Math.min(askAheadMax, this.#aheadMax + 1)
  }

  /** It is late with what it owes. */
  onLate(): void {
    this.#aheadMax = Math.max(1, this.#aheadMax >> 1)
  }

  /** It refused what it had offered. True: once too often. */
  onRefused(nowMs: number): boolean {
    this.restUntilMs = nowMs + Math.min(longestRestMs, firstRestMs * 2 ** this.#refusals)
    this.#refusals++
    return this.#refusals >= refusalsMax
  }

  /** It has a new connection: a refusal on it may be long mended, but the next one weighs as much as before. */
  onConnected(): void {
    this.restUntilMs = 0
    this.lookAnew()
  }

  /** What was so far is not held against it: it has nothing that it could send, say. */
  lookAnew(): void {
    this.#watchedFromBytes = undefined
  }

  /**
   * Called every now and then. `owes`: it has been asked for something that it has; `receivedBytes`: bytes of
   * pieces on this connection so far. True: it has held back for too long.
   */
  holdsBack(nowMs: number, owes: boolean, receivedBytes: number): boolean {
    const passedMs = Math.min(longestLookMs, nowMs - this.#lookedAtMs)
    this.#lookedAtMs = nowMs
    if (!owes || this.#watchedFromBytes === undefined) {
      this.#watch(receivedBytes)
      return false
    }
    this.#watchedMs += passedMs
    if (receivedBytes - this.#watchedFromBytes >= leastBytes) this.#watch(receivedBytes)
    return this.#watchedMs >= patienceMs
  }

  /** How long to put it aside, in milliseconds: longer each time, until it delivers. */
  putAside(): number {
    this.#refusals = 0
    this.#watchedFromBytes = undefined
    return Math.min(longestAsideMs, firstAsideMs * 2 ** this.#timesAside++)
  }

  #watch(fromBytes: number): void {
    this.#watchedMs = 0
    this.#watchedFromBytes = fromBytes
  }
}
