// How fast one peer answers, from its last few answers. Moments are milliseconds of `performance.now()`.

import { averagePace } from './asking.ts'

export class LinkPace {
  /** When the last answer was complete; 0 before the first. */
  lastAtMs = 0
  /** Per whole piece; undefined before the first. */
  msPerPiece: number | undefined
  /** From the first byte of a whole piece to its last. */
  msPerTransfer: number | undefined
  /** Likewise of the last one alone, which follows a connection that becomes faster. */
  lastTransferMs: number | undefined
  /** Per answer, of which many may have but parts of a piece. */
  msPerAnswer: number | undefined
  /** There and back, at its shortest: of the dial, and of answers that waited for nothing else. Infinity before the first. */
  roundTripMs = Infinity

  /** An answer came to what was asked then. */
  onRoundTrip(askedAtMs: number): void {
    this.roundTripMs = Math.min(this.roundTripMs, performance.now() - askedAtMs)
  }

  /** An answer is complete: its time counts from the one before or from its request, whichever came later. */
  onAnswer(askedAtMs: number, arrivingSinceMs: number, isWhole: boolean): void {
    const nowMs = performance.now()
    const tookMs = nowMs - Math.max(this.lastAtMs, askedAtMs)
    this.msPerAnswer = averagePace(this.msPerAnswer, tookMs)
    this.lastAtMs = nowMs
    // Parts say little about how long whole pieces take.
    if (!isWhole) return
    this.msPerPiece = averagePace(this.msPerPiece, tookMs)
    this.lastTransferMs = nowMs - arrivingSinceMs
    this.msPerTransfer = averagePace(this.msPerTransfer, this.lastTransferMs)
  }
}
