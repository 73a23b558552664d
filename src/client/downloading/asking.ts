// Decides how much to request from a peer, who picks the pieces, and when to suspect that the peer is dead.
// Pure: callers pass in speeds and times.

import { pieceRequestsQueuedMax } from '../../common/limits.ts'

/** Outstanding requests per peer: as many pieces as it delivers in this time, within the bounds below. */
const askAheadMs = 250
const askAheadMin = 2
export const askAheadMax = 16

/** Slots in a peer's request queue that are reserved for pieces requested by index. */
const roomForNamed = 4

/**
 * A peer that needs less than this per piece (60 MB/s to this client alone) is asked for specific pieces; any
 * other peer chooses a piece when it is ready to send one. For a fast peer, a pick made here is still current
 * when it is sent, and a peer that does not choose needs no message about every piece.
 */
const choosesHereMs = 8
/** A peer that stopped choosing resumes only at this time per piece or more: each switch costs a bitfield. */
const choosesAgainMs = 16

/** A peer is late with its first piece after this time … */
const firstPieceMs = 1000
/** … and with a later one after this multiple of its time per piece, at least `shortestAllowanceMs`. */
const allowedPieces = 4
const shortestAllowanceMs = 500

/** How often peers are checked. */
export const tickMs = 250
/** A peer that owes pieces and sends nothing for this long is pinged … */
const silentMs = 1000
/** … and dropped if it does not answer the ping within this time. */
export const pingTimeoutMs = 2000

/**
 * How many requests to keep outstanding; `msPerPiece` is undefined before the peer's first piece. What is under way for
 * two round trips covers the queue in front of a slow line too.
 */
export function askAhead(msPerPiece: number | undefined, roundTripMs = 0): number {
  if (msPerPiece === undefined) return askAheadMin
  const aheadMs = Number.isFinite(roundTripMs) ? Math.max(askAheadMs, 2 * roundTripMs) : askAheadMs
  return Math.min(askAheadMax, Math.max(askAheadMin, Math.ceil(aheadMs / Math.max(1, msPerPiece)) + 1))
}

/** How many of those may let the peer choose; leaves room for pieces that must be requested by index. */
export function choicesAhead(msPerPiece: number | undefined): number {
  return Math.min(askAhead(msPerPiece), pieceRequestsQueuedMax - roomForNamed)
}

/** Whether the peer should choose what it sends; `doesNow`: whether it currently does. */
export function letsPeerChoose(msPerPiece: number | undefined, doesNow: boolean): boolean {
  return msPerPiece === undefined || msPerPiece >= (doesNow ? choosesHereMs : choosesAgainMs)
}

/** Whether to ping a peer that has been silent for this long. */
export function isDoubtful(owedCount: number, silentForMs: number): boolean {
  return owedCount > 0 && silentForMs >= silentMs
}

/**
 * How long a peer may take for its next piece before other peers are asked for it, in milliseconds. Several
 * times its recent pace, so that a slight slowdown causes no duplicate requests.
 */
export function allowanceMs(msPerPiece: number | undefined): number {
  return msPerPiece === undefined ? firstPieceMs : Math.max(shortestAllowanceMs, allowedPieces * msPerPiece)
}

/** The current time per piece: a moving average that follows changes in the peer's speed. */
export function averagePace(msPerPiece: number | undefined, tookMs: number): number {
  return msPerPiece === undefined ? tookMs : msPerPiece * 0.8 + tookMs * 0.2
}

/**
 * When to expect a piece. A missed estimate is replaced: now, plus the delay so far, plus the time of a
 * piece.
 */
export function overdueMs(deliveryMs: number, msPerPiece: number, nowMs: number): number {
  return deliveryMs >= nowMs ? deliveryMs : nowMs + (nowMs - deliveryMs) + msPerPiece
}
