// Decides whose turn it is to be sent a piece. Pure: knows peers and requests, no sockets, files or limits.
// In each round, every owner (a user) whose peers can be sent something gets one turn, a whole piece, for one of
// them. So a user with many connections has the share of one. Who asked for little of late gets two turns.

import { pieceBytes, pieceRequestsQueuedMax } from '../../common/limits.ts'
import { slowOfOwnerMax } from './limits.ts'

export interface Request<Load> {
  readonly id: number
  /** Chooses what to send, when its turn comes; undefined while there is nothing. */
  readonly take: () => Load | undefined
  /** What it chooses from: where there is nothing for one request of a peer, there is nothing for another. */
  readonly choosesFrom?: string
}

/** A peer and its pending requests. */
export interface Line<Peer, Load> {
  readonly peer: Peer
  readonly requests: Request<Load>[]
  /** Answers that are being read or sent. */
  busy: number
  /** The round of its last turn. */
  round: number
  /** How it took its last piece; undefined before the first. */
  pace: 'prompt' | 'slow' | undefined
  /** When it was last looked at, none of its requests could be answered. */
  isIdle: boolean
  readonly owner: Owner<Peer, Load>
}

/** Peers that share their turns. */
interface Owner<Peer, Load> {
  readonly name: unknown
  readonly lines: Line<Peer, Load>[]
  /**
   * The last round in which it had a turn, or has paid for one with what it was sent beside its turns. A half when it
   * may have another one.
   */
  round: number
  /** Turns that it may have beside its one a round. */
  saved: number
  /** Pieces that its peers have to take promptly until a new one is no longer expected to be slow. */
  distrust: number
  /** Bytes that it was sent beside its turns and has not paid for with a turn. */
  besideBytes: number
}

export interface Turn<Peer, Load> {
  readonly line: Line<Peer, Load>
  readonly id: number
  readonly load: Load
}

/**
 * Answers under way that one owner may have while no other owner wants anything. While one does, its peers together
 * have no more than one peer may have: of two that take what they get, the one with more under way is sent more.
 */
const aloneMax = 8

/**
 * Turns that an owner saves up while it asks for nothing, or starts with. So 32 MiB or less come sooner beside somebody
 * who takes all that there is, and nobody waits for more than twice as long as without it.
 */
const savedMax = 64
/** To be waited for once more costs the others a quarter of a second, so it has to be earned. */
const distrustAfterSlow = 64
/** Owners without a peer that are remembered: who comes back has saved no more than before. */
const rememberedMax = 1024

export class UploadOrder<Peer, Load> {
  readonly #random: () => number
  readonly #ownerOf: (peer: Peer) => unknown
  readonly #lines = new Map<Peer, Line<Peer, Load>>()
  /** Those who have peers, and those who had, the last of them last. */
  readonly #owners = new Map<unknown, Owner<Peer, Load>>()
  /** Those who have peers as an array, to begin a round anywhere. */
  readonly #inOrder: Owner<Peer, Load>[] = []
  #round = 1

  /** `random` returns numbers in [0, 1). `ownerOf` names whose share a peer takes; by default its own. */
  constructor(random: () => number, ownerOf: (peer: Peer) => unknown = (peer) => peer) {
    this.#random = random
    this.#ownerOf = ownerOf
  }

  /** Those who have asked for something and are there. */
  get ownerCount(): number {
    return this.#inOrder.length
  }

  /** False when too many requests of this peer are waiting already. */
  add(peer: Peer, request: Request<Load>): boolean {
    const line = this.#lines.get(peer) ?? this.#addLine(peer)
    if (line.requests.length >= pieceRequestsQueuedMax) return false
    line.requests.push(request)
    line.isIdle = false
    return true
  }

  /** Removes a waiting request; false when there is none with this id. */
  cancel(peer: Peer, id: number): boolean {
    const requests = this.#lines.get(peer)?.requests ?? []
    const at = requests.findIndex((request) => request.id === id)
    if (at !== -1) requests.splice(at, 1)
    return at !== -1
  }

  /** Requests of this peer, or of all, that could not be answered may be answered now. */
  lookAgain(peer?: Peer): void {
    const lines = peer === undefined ? this.#lines.values() : [this.#lines.get(peer)]
    for (const line of lines) if (line !== undefined) line.isIdle = false
  }

  /** How it took a piece. */
  onPace(line: Line<Peer, Load>, pace: 'prompt' | 'slow'): void {
    line.pace = pace
    line.owner.distrust = pace === 'slow' ? distrustAfterSlow : Math.max(0, line.owner.distrust - 1)
  }

  /** It was sent bytes beside its turns, and has a turn less for each piece of them. */
  onSentBeside({ owner }: Line<Peer, Load>, bytes: number): void {
    owner.besideBytes += bytes
    const turns = Math.floor(owner.besideBytes / pieceBytes)
    owner.besideBytes -= turns * pieceBytes
    owner.round = this.#roundOf(owner) + turns
  }

  onPeerGone(peer: Peer): void {
    const line = this.#lines.get(peer)
    if (line === undefined) return
    this.#lines.delete(peer)
    const { owner } = line
    owner.lines.splice(owner.lines.indexOf(line), 1)
    if (owner.lines.length > 0) return
    this.#inOrder.splice(this.#inOrder.indexOf(owner), 1)
    this.#owners.delete(owner.name)
    this.#owners.set(owner.name, owner)
    if (this.#owners.size - this.#inOrder.length <= rememberedMax) return
    for (const { name, lines } of this.#owners.values()) {
      if (lines.length > 0) continue
      this.#owners.delete(name)
      return
    }
  }

  /** The next peer and what to send it, among peers with fewer than `busyMax` answers under way. */
  next(busyMax: number, withSlow = true): Turn<Peer, Load> | undefined {
    for (;;) {
      const line = this.#nextLine(busyMax, withSlow)
      if (line === undefined) return undefined
      const turn = takeOf(line)
      line.isIdle = turn === undefined
      if (turn === undefined) continue
      const { owner } = line
      line.busy++
      line.round = this.#round
      this.#countTurn(owner)
      this.#round = Math.max(this.#round, owner.round)
      return turn
    }
  }

  /** Whether a peer that is not known to be slow waits for a turn. */
  isWaitedFor(busyMax: number): boolean {
    return this.#nextLine(busyMax, false) !== undefined
  }

  #addLine(peer: Peer): Line<Peer, Load> {
    const name = this.#ownerOf(peer)
    let owner = this.#owners.get(name)
    if (owner === undefined) {
      const round = this.#round - 1
      owner = { name, lines: [], round, saved: savedMax, distrust: 0, besideBytes: 0 }
      this.#owners.set(name, owner)
    }
    if (owner.lines.length === 0) this.#inOrder.push(owner)
    const line = { peer, owner, requests: [], busy: 0, round: 0, pace: undefined, isIdle: false }
    this.#lines.set(peer, line)
    owner.lines.push(line)
    return line
  }

  /** Whoever has missed rounds goes on in this one. */
  #roundOf(owner: Owner<Peer, Load>): number {
    return Math.max(owner.round, this.#round - 1)
  }

  #countTurn(owner: Owner<Peer, Load>): void {
    const round = this.#roundOf(owner)
    owner.saved = Math.min(savedMax, owner.saved + round - owner.round)
    const isSaved = owner.saved >= 1
    if (isSaved) owner.saved--
    owner.round = round + (isSaved ? 0.5 : 1)
  }

  /**
   * Of the owners that can be sent something, one that is behind with its turns. Starts at a random one: with a
   * fixed order, uploaders with the same pieces would all turn to the same downloader, learn that it is already
   * served, and move on to the next together.
   */
  #nextLine(busyMax: number, withSlow: boolean): Line<Peer, Load> | undefined {
    const ownerMax = this.#isContested() ? busyMax : Math.max(busyMax, aloneMax)
    const { length } = this.#inOrder
    const start = Math.floor(this.#random() * length)
    let next: Line<Peer, Load> | undefined
    for (let step = 0; step < length; step++) {
      const owner = this.#inOrder[(start + step) % length]
      if (owner === undefined) continue
      if (next !== undefined && this.#roundOf(owner) >= this.#roundOf(next.owner)) continue
      next = this.#openLine(owner, busyMax, ownerMax, withSlow) ?? next
    }
    return next
  }

  /** Whether more than one owner wants or is sent something. */
  #isContested(): boolean {
    let count = 0
    for (const { lines } of this.#inOrder) {
      if (lines.some((line) => line.busy > 0 || isWaiting(line)) && ++count > 1) return true
    }
    return false
  }

  /** The owner's peer that had its last turn longest ago, of those that can be sent something. */
  #openLine(
    { lines }: Owner<Peer, Load>,
    busyMax: number,
    ownerMax: number,
    withSlow: boolean,
  ): Line<Peer, Load> | undefined {
    let [slow, prompt] = [0, 0]
    for (const line of lines) {
      if (isSlow(line)) slow += line.busy
      else prompt += line.busy
    }
    const start = lines.length === 1 ? 0 : Math.floor(this.#random() * lines.length)
    let open: Line<Peer, Load> | undefined
    for (let step = 0; step < lines.length; step++) {
      const line = lines[(start + step) % lines.length]
      if (line === undefined || !isWaiting(line) || line.busy >= busyMax) continue
      if (isSlow(line) ? !withSlow || slow >= slowOfOwnerMax : prompt >= ownerMax) continue
      if (open === undefined || line.round < open.round) open = line
    }
    return open
  }
}

/** A peer that has taken nothing yet is as its owner's others: who comes back from one that hung is not tried anew. */
export function isSlow<Peer, Load>({ pace, owner }: Line<Peer, Load>): boolean {
  return pace === 'slow' || (pace === undefined && owner.distrust > 0)
}

function isWaiting<Peer, Load>({ requests, isIdle }: Line<Peer, Load>): boolean {
  return requests.length > 0 && !isIdle
}

/** The first of its requests that can be answered. */
function takeOf<Peer, Load>(line: Line<Peer, Load>): Turn<Peer, Load> | undefined {
  const empty = new Set<string>()
  for (const [at, { id, take, choosesFrom }] of line.requests.entries()) {
    if (choosesFrom !== undefined && empty.has(choosesFrom)) continue
    const load = take()
    if (load !== undefined) {
      line.requests.splice(at, 1)
      return { line, id, load }
    }
    if (choosesFrom !== undefined) empty.add(choosesFrom)
  }
  return undefined
}
