// Tracks how a peer of a download behaves and decides the consequences: how much it is asked for, how long
// requests to it pause, and when it is put aside. Pure: callers pass in byte counts and times.
//
// A peer that promises pieces but does not send them costs a request, never the download: others are asked
// for what is late, and after seconds of almost no data the peer is put aside, longer each time. This is
// never permanent, because a peer that is merely overloaded looks the same.

import { askAheadMax } from './asking.ts'

/** A peer that owes pieces but sends fewer bytes of them than this … */
const leastBytes = 8 * 1024
/**
 * … within this time is holding back. Even slow lines manage more; fast peers count as late sooner
 * (asking.ts).
 */
const patienceMs = 5000

/** Back-off after a refusal; doubles with each consecutive refusal. */
const firstRestMs = 250
const longestRestMs = 30_000
/** This many consecutive refusals put a peer aside. */
export const refusalsMax = 4
/**
 * A peer may lack this many announced pieces for each one that it gave: somebody may have written to its file.
 */
const lacksPerGiven = 3

/**
 * How many pieces of a peer that has not yet sent a good one may be under way or awaiting verification: each
 * of them may be bad.
 */
const unprovenMax = 3

const firstAsideMs = 30_000
const longestAsideMs = 10 * 60_000

/** The most time counted between two checks: a suspended program does not see what arrives. */
const longestLookMs = 1000

export class Conduct {
  /** No requests before this time, in milliseconds of `performance.now()`. */
  restUntilMs = 0
  /** Whether the user was told about this peer. */
  isNamed = false
  #refusals = 0
  #refusedAtMs = -Infinity
  #timesAside = 0
  #given = 0
  #lacked = 0
  #unverified = 0
  #aheadMax = askAheadMax
  #watchedMs = 0
  #watchedFromBytes: number | undefined
  #lookedAtMs = 0

  /** The most pieces it may owe: halved when it is late, one more with each good piece. */
  get aheadMax(): number {
    return this.#aheadMax
  }

  /**
   * The most pieces it may owe, given those awaiting verification; undefined (no limit) after its first good
   * piece.
   */
  get unprovenMax(): number | undefined {
    return this.#given > 0 ? undefined : unprovenMax - this.#unverified
  }

  /** Whether it has sent a good piece. */
  get hasGiven(): boolean {
    return this.#given > 0
  }

  /** A piece arrived and awaits verification. */
  onArrived(): void {
    this.#unverified++
  }

  /** A piece was verified, or is no longer needed. */
  onLookedAt(): void {
    this.#unverified--
  }

  /** A piece was good. */
  onPiece(): void {
    this.#given++
    this.#refusals = 0
    this.#timesAside = 0
    this.#aheadMax = Math.min(askAheadMax, this.#aheadMax + 1)
  }

  /** It is late with what it owes. */
  onLate(): void {
    this.#aheadMax = Math.max(1, this.#aheadMax >> 1)
  }

  /**
   * It lacks a piece that it had announced. Needs no rest, because the piece is not requested from it again.
   * Returns true when it has done so too often.
   */
  onLacked(): boolean {
    this.#lacked++
    return this.#lacked >= refusalsMax + lacksPerGiven * this.#given
  }

  /** It does not take the ticket, which is not its fault. */
  onTicketRefused(nowMs: number): void {
    this.restUntilMs = nowMs + firstRestMs
  }

  /**
   * It refused what it was asked for at `askedAtMs`, though it had offered it. Returns true when it has done so
   * too often. What was asked for before the last refusal does not count: one cause may refuse it all at once.
   */
  onRefused(nowMs: number, askedAtMs = nowMs): boolean {
    if (askedAtMs < this.#refusedAtMs) return false
    this.#refusedAtMs = nowMs
    this.restUntilMs = nowMs + Math.min(longestRestMs, firstRestMs * 2 ** this.#refusals)
    this.#refusals++
    return this.#refusals >= refusalsMax
  }

  /** A new connection ends the back-off, since the cause may be gone; the refusal count stays. */
  onConnected(): void {
    this.restUntilMs = 0
    this.lookAnew()
  }

  /** Forgets what was observed so far, e.g. while the peer has nothing to send. */
  lookAnew(): void {
    this.#watchedFromBytes = undefined
  }

  /**
   * Called periodically. `owes`: it was asked for something it has; `receivedBytes`: piece bytes received on
   * this connection so far. Returns true when it has held back for too long.
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

  /** Returns how long to put it aside, in milliseconds: longer each time, until it delivers. */
  putAside(): number {
    this.#refusals = 0
    this.#lacked = 0
    this.#watchedFromBytes = undefined
    return Math.min(longestAsideMs, firstAsideMs * 2 ** this.#timesAside++)
  }

  #watch(fromBytes: number): void {
    this.#watchedMs = 0
    this.#watchedFromBytes = fromBytes
  }
}
