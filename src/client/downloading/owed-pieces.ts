// What the peer at the other end of one connection owes: the requests for pieces that are not answered yet, in the order
// in which they went out. Moments are milliseconds of `performance.now()`.

import type { PieceRequest } from './piece-request.ts'

export interface Asked {
  readonly request: PieceRequest
  /** When it was requested, or when it began to arrive. */
  sinceMs: number
  /** When it was requested, or when the peer chose it. */
  promisedAtMs: number
  /** The size of the body that is arriving, in bytes. */
  arrivingBytes: number
}

export class OwedPieces {
  /** By request id. */
  readonly #asked = new Map<number, Asked>()
  #openCount = 0
  readonly #tellCancelled: (id: number) => void

  /** `tellCancelled`: tells the peer that this request is not to be answered. */
  constructor(tellCancelled: (id: number) => void) {
    this.#tellCancelled = tellCancelled
  }

  /** Outstanding requests for a known piece: requested by index, or chosen by the peer. */
  get askedCount(): number {
    return this.#asked.size - this.#openCount
  }

  /** Outstanding requests for which the peer has not chosen a piece yet. */
  get openCount(): number {
    return this.#openCount
  }

  get isEmpty(): boolean {
    return this.#asked.size === 0
  }

  /** Since when the oldest is owed; undefined for none. */
  get sinceMs(): number | undefined {
    for (const { promisedAtMs } of this.#asked.values()) return promisedAtMs
    return undefined
  }

  /** Since when the oldest of a known piece is owed; undefined for none. */
  get namedSinceMs(): number | undefined {
    for (const { request, promisedAtMs } of this.#asked.values())
      if (request.index !== undefined) return promisedAtMs
    return undefined
  }

  /** The size of the body that is arriving, in bytes; 0 for none. */
  get arrivingBytes(): number {
    for (const { arrivingBytes } of this.#asked.values()) if (arrivingBytes > 0) return arrivingBytes
    return 0
  }

  /** It is about to be sent; call `onSent` or `onEnded` then. */
  begin(request: PieceRequest, nowMs: number): Asked {
    if (request.index === undefined) this.#openCount++
    return { request, sinceMs: nowMs, promisedAtMs: nowMs, arrivingBytes: 0 }
  }

  onSent(id: number, asked: Asked): void {
    this.#asked.set(id, asked)
  }

  /** Answered, or given up. `id`: undefined when it was not sent. */
  onEnded(id: number | undefined, { request }: Asked): void {
    if (id !== undefined) this.#asked.delete(id)
    if (request.index === undefined) this.#openCount--
  }

  /** The request with this id, if it leaves the choice to the peer and that has not chosen. */
  open(id: number): Asked | undefined {
    const asked = this.#asked.get(id)
    return asked?.request.index === undefined ? asked : undefined
  }

  /** The peer has chosen this piece. */
  onChosen(asked: Asked, index: number, nowMs: number): void {
    asked.request.index = index
    asked.promisedAtMs = nowMs
    this.#openCount--
  }

  /** The piece is no longer needed. */
  cancel(index: number): void {
    for (const [id, { request }] of this.#asked) if (request.index === index) this.#cancel(id, request)
  }

  /** How many requests can be taken back, unless the peer has begun to answer them. */
  get queuedCount(): number {
    return this.#queued.length
  }

  /** Takes back the last so many of them, and returns these. */
  takeBack(count: number): PieceRequest[] {
    const queued = this.#queued
    const last = queued.slice(Math.max(0, queued.length - count))
    for (const [id, { request }] of last) this.#cancel(id, request)
    return last.map(([, { request }]) => request)
  }

  /** Takes back all that has not begun to arrive, also where the choice is left to the peer. */
  takeAllBack(): void {
    for (const [id, { request, arrivingBytes }] of this.#asked)
      if (request.isCancelled !== true && arrivingBytes === 0) this.#cancel(id, request)
  }

  /** Those for a known piece that has not begun to arrive, and that were not taken back. */
  get #queued(): [number, Asked][] {
    return [...this.#asked].filter(
      ([, { request, arrivingBytes }]) =>
        request.index !== undefined && request.isCancelled !== true && arrivingBytes === 0,
    )
  }

  #cancel(id: number, request: PieceRequest): void {
    request.isCancelled = true
    this.#tellCancelled(id)
  }
}
