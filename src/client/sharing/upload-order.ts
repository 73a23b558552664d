// Decides whose turn it is to be sent a piece. Pure: knows peers and requests, no sockets, files or limits.
// In each round, every peer that can be sent something gets one turn, a whole piece.

import { pieceRequestsQueuedMax } from '../../common/limits.ts'

export interface Request<Load> {
  readonly id: number
  /** Chooses what to send, when its turn comes; undefined while there is nothing. */
  readonly take: () => Load | undefined
}

/** A peer and its pending requests. */
export interface Line<Peer, Load> {
  readonly peer: Peer
  readonly requests: Request<Load>[]
  /** Answers that are being read or sent. */
  busy: number
  /** The last round in which it had a turn. */
  round: number
  /** Whether it was slow to take its last piece. */
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
  /** The same lines as an array, to begin a round anywhere. */
  readonly #inOrder: Line<Peer, Load>[] = []
  #round = 1

  /** `random` returns numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random
  }

  get peerCount(): number {
    return this.#lines.size
  }

  /** False when too many requests of this peer are waiting already. */
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

  /** Removes a waiting request; false when there is none with this id. */
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

  /** The next peer and what to send it, among peers with fewer than `busyMax` answers under way. */
  next(busyMax: number, withSlow = true): Turn<Peer, Load> | undefined {
    const turn = this.#nextOfRound(busyMax, withSlow)
    if (turn !== undefined) return turn
    this.#round++
    return this.#nextOfRound(busyMax, withSlow)
  }

  /**
   * Starts at a random peer. With a fixed order, uploaders with the same pieces would all turn to the same
   * downloader, learn that it is already served, and move on to the next together.
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
