// What was sent to one peer: of which files, how much, and how fast.

import { pieceBytes } from '../../common/limits.ts'
import { Pace } from '../transfer/pace.ts'

export interface SentFile {
  readonly fileId: string
  readonly sentBytes: number
  readonly bytesPerSecond: number
}

interface Sent {
  bytes: number
  readonly pace: Pace
  lastAtMs: number
}

/** A peer that was sent nothing of a file for this long fetches it no more. */
const recentMs = 10_000

export class SentFiles {
  /** By request: the file that a piece was asked of. */
  readonly #asked = new Map<number, string>()
  readonly #files = new Map<string, Sent>()
  #current: Sent | undefined

  onAsked(requestId: number, fileId: string): void {
    this.#asked.set(requestId, fileId)
  }

  onRefused(requestId: number): void {
    this.#asked.delete(requestId)
  }

  /** The answer to this request begins; what is sent from now on belongs to it. */
  onBegun(requestId: number, nowMs: number): void {
    const fileId = this.#asked.get(requestId)
    this.#asked.delete(requestId)
    this.#current = fileId === undefined ? undefined : this.#fileOf(fileId, nowMs)
  }

  onSent(bytes: number, nowMs: number): void {
    if (this.#current === undefined) return
    this.#current.bytes += bytes
    this.#current.lastAtMs = nowMs
    this.#current.pace.onBytes(bytes, nowMs)
  }

  /** Whole pieces of the file that were sent on this connection. */
  piecesOf(fileId: string): number {
    return Math.floor((this.#files.get(fileId)?.bytes ?? 0) / pieceBytes)
  }

  /** The files that were asked for or sent of late. */
  recent(nowMs: number): SentFile[] {
    const asked = new Set(this.#asked.values())
    return [...this.#files]
      .filter(([fileId, { lastAtMs }]) => asked.has(fileId) || nowMs - lastAtMs < recentMs)
      .map(([fileId, { bytes, pace }]) => ({
        fileId,
        sentBytes: bytes,
        bytesPerSecond: pace.bytesPerSecond(nowMs),
      }))
  }

  #fileOf(fileId: string, nowMs: number): Sent {
    let sent = this.#files.get(fileId)
    if (sent === undefined) {
      sent = { bytes: 0, pace: new Pace(), lastAtMs: nowMs }
      // From now, so that the first bytes count over the time that they take.
      sent.pace.onBytes(0, nowMs)
      this.#files.set(fileId, sent)
    }
    return sent
  }
}
