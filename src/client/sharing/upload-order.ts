// Whose turn it is to be sent something. Pure: knows peers and requests, no sockets, files or limits.
// In each round every peer that can be sent something now has one turn, a whole piece.

import { pieceRequestsQueuedMax } from '../../common/limits.ts'

export interface Request<Load> {
  readonly id: number
  /** What to answer with, chosen at the moment of sending; undefined while there is nothing. */
  readonly take: () => Load | undefined
}

/** A peer and what it asked for. */
export interface Line<Peer, Load> {
  readonly peer: Peer
  readonly requests: Request<Load>[]
  /** Answers that are being read or sent. */
  busy: number
  /** The last round in which it had its turn. */
  round: number
  /** It did not take its last piece promptly. */
  isSlow: boolean
}

export interface Turn<Peer, Load> {
  readonly line: Line<Peer, Load>
  readonly id: number
  readonly load: Load
}

export class UploadOrder<Peer, Load> {
  readonly #random: () => number
  readonly #lines = new Map<Peer, Line<Peer, Load>>()
  /** The same lines, to begin at any of them. */
  readonly #inOrder: Line<Peer, Load>[] = []
  #round = 1

  /** `random` gives numbers from 0 to 1, 1 excluded. */
  constructor(random: () => number) {
    this.#random = random
  }

  get peerCount(): number {
    return this.#lines.size
  }

  /** False when so many requests of this peer wait already that it is to ask later. */
  add(peer: Peer, request: Request<Load>): boolean {
    let line = this.#lines.get(peer)
    if (line === undefined) {
      line = { peer, requests: [], busy: 0, round: this.#round - 1, isSlow: false }
      this.#lines.set(peer, line)
      this.#inOrder.push(line)
    }
    if (line.requests.length >= pieceRequestsQueuedMax) return false
    line.requests.push(request)
    return true
  }

  /** False when the request is not waiting (any more). */
  cancel(peer: Peer, id: number): boolean {
    const requests = this.#lines.get(peer)?.requests ?? []
    const at = requests.findIndex((request) => request.id === id)
    if (at !== -1) requests.splice(at, 1)
    return at !== -1
  }

  onPeerGone(peer: Peer): void {
    const line = this.#lines.get(peer)
    if (line === undefined) return
    this.#lines.delete(peer)
    this.#inOrder.splice(this.#inOrder.indexOf(line), 1)
  }

  /** Who is sent something now, if fewer than `busyMax` answers are under way to it, and what. */
  next(busyMax: number, withSlow = true): Turn<Peer, Load> | undefined {
    const turn = this.#nextOfRound(busyMax, withSlow)
    if (turn !== undefined) return turn
    this.#round++
    return this.#nextOfRound(busyMax, withSlow)
  }

  /**
   * Within a round in any order: uploaders that have the same pieces and the same downloaders would
   * otherwise all turn to the same one, be told in turn that it is served already, and go on together.
   */
  #nextOfRound(busyMax: number, withSlow: boolean): Turn<Peer, Load> | undefined {
    const { length } = this.#inOrder
    const start = Math.floor(this.#random() * length)
    for (let step = 0; step < length; step++) {
      const line = this.#inOrder[(start + step) % length]
      if (line === undefined || line.round === this.#round || line.busy >= busyMax) continue
      if (line.isSlow && !withSlow) continue
      for (const [at, request] of line.requests.entries()) {
        const load = request.take()
        if (load === undefined) continue
        line.requests.splice(at, 1)
        line.busy++
        line.round = this.#round
        return { line, id: request.id, load }
      }
    }
    return undefined
  }
}
