// How much to ask a peer for, and how, and when to doubt that it lives. Pure: speeds and times are handed in.

import { pieceRequestsQueuedMax } from '../../common/limits.ts'

/** What a peer is asked for at once: as many pieces as it delivers in this time, and bounded. */
const askAheadMs = 250
const askAheadMin = 2
export const askAheadMax = 16

/** Places in a peer's queue that are kept for pieces by their index. */
const roomForNamed = 4

/**
 * A peer that delivers a piece in less (60 MB/s to this client alone) is asked for certain pieces, any
 * other for one that it chooses when its turn has come. A choice that is carried out within milliseconds
 * is not made too early, and it needs no word to the other peers about each piece.
 */
const choosesHereMs = 8
/** One that chooses no more does so again only when it needs as long as this: a change costs a bitfield. */
const choosesAgainMs = 16

/** A peer is late with its first piece after this time … */
const firstPieceMs = 1000
/** … and with a later one after this many times as long as a piece takes, at least this long. */
const allowedPieces = 4
const shortestAllowanceMs = 500

/** How often peers are looked at. */
export const tickMs = 250
/** Without a byte for so long, though something is asked for, a peer is asked whether it lives … */
const silentMs = 1500
/** … and given up when it does not answer this question in time either. */
export const pingTimeoutMs = 2500

/** How many answers a peer may owe; `msPerPiece` is undefined before its first piece. */
export function askAhead(msPerPiece: number | undefined): number {
  if (msPerPiece === undefined) return askAheadMin
  return Math.min(askAheadMax, Math.max(askAheadMin, Math.ceil(askAheadMs / Math.max(1, msPerPiece)) + 1))
}

/** How many of them may leave the choice to the peer: there must be room to ask for what only comes if named. */
export function choicesAhead(msPerPiece: number | undefined): number {
  return Math.min(askAhead(msPerPiece), pieceRequestsQueuedMax - roomForNamed)
}

/** Whether the peer chooses what it sends; `doesNow`: it does so far. */
export function letsPeerChoose(msPerPiece: number | undefined, doesNow: boolean): boolean {
  return msPerPiece === undefined || msPerPiece >= (doesNow ? choosesHereMs : choosesAgainMs)
}

/** Whether to ask a peer, of which nothing was heard for so long, if it lives. */
export function isDoubtful(owedCount: number, silentForMs: number): boolean {
  return owedCount > 0 && silentForMs >= silentMs
}

/**
 * How long a peer may take for its next piece before others are asked for it, in milliseconds: several times
 * what a piece took of late, so that a peer that slows down a little costs no duplicates.
 */
export function allowanceMs(msPerPiece: number | undefined): number {
  return msPerPiece === undefined ? firstPieceMs : Math.max(shortestAllowanceMs, allowedPieces * msPerPiece)
}

/** How long a piece takes at present: an average that follows a peer that changes. */
export function averagePace(msPerPiece: number | undefined, tookMs: number): number {
  return msPerPiece === undefined ? tookMs : msPerPiece * 0.8 + tookMs * 0.2
}
