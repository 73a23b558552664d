// Decides which peer is sent a piece next. Pure: knows peers and requests, but no sockets, files or rate limits. In
// each round, every owner (a user) whose peers can be sent something gets one turn: a whole piece for one of its
// peers. So many connections give a user no larger share. An owner that has asked for little lately gets two turns.

import { pieceBytes, pieceRequestsQueuedMax } from '../../common/limits.ts'
import { slowOfOwnerMax } from './limits.ts'

export interface Request<Load> {
  readonly id: number
  /** Chooses what to send, when its turn comes; undefined while there is nothing. */
  readonly take: () => Load | undefined
  /** What it chooses from: when one request of a peer finds nothing there, its others find nothing either. */
  readonly choosesFrom?: string
}

/** A peer and its pending requests. */
export interface Line<Peer, Load> {
  readonly peer: Peer
  readonly requests: Request<Load>[]
  /** Answers that are being read or sent. */
  busy: number
  /** Of these, the ones that are held back by a limit of their own: they take no turns from anybody. */
  paced: number
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
   * The last round in which it had a turn, or paid with one for bytes that it was sent outside its turns. Ends in a
   * half when it may have another turn in that round.
   */
  round: number
  /** Extra turns that it may have, besides one per round. */
  saved: number
  /** Pieces that its peers must take promptly before a new peer of it is no longer expected to be slow. */
  distrust: number
  /** Bytes that it was sent outside its turns and has not paid for with a turn. */
  besideBytes: number
}

export interface Turn<Peer, Load> {
  readonly line: Line<Peer, Load>
  readonly id: number
  readonly load: Load
}

/** How many answers may be under way. */
interface Bounds {
  /** To one peer. */
  readonly busyMax: number
  /** To the peers of an owner that are prompt. */
  readonly ownerMax: number
  /** To those that are slow … */
  readonly slowMax: number
  /** … of which so many of one peer count. */
  readonly slowOfLineMax: number
}

/**
 * Answers under way for one owner while no other owner wants anything: two on each connection to one that is far away, so
 * that none has nothing to send; half as many until they have shown that they read. Otherwise its peers together get no
 * more than one peer may have, because an owner with more answers under way would be sent more.
 */
const aloneMax = 2 * slowOfOwnerMax

/**
 * Extra turns that an owner starts with, or saves up while it asks for nothing. They let up to 32 MiB arrive sooner
 * next to a user who takes everything, and nobody waits more than twice as long as without them.
 */
const savedMax = 64
/** Waiting for a slow peer once more costs the others a quarter of a second, so trust has to be earned. */
const distrustAfterSlow = 64
/** Owners without peers that are remembered, so that coming back earns no extra turns. */
const rememberedMax = 1024

export class UploadOrder<Peer, Load> {
  readonly #random: () => number
  readonly #ownerOf: (peer: Peer) => unknown
  readonly #lines = new Map<Peer, Line<Peer, Load>>()
  /** Owners with peers, and those that had some; the last to lose its peers comes last. */
  readonly #owners = new Map<unknown, Owner<Peer, Load>>()
  /** Owners with peers as an array, so that a round can begin anywhere. */
  readonly #inOrder: Owner<Peer, Load>[] = []
  #round = 1

  /** `random` returns numbers in [0, 1). `ownerOf` names the owner of a peer; by default the peer itself. */
  constructor(random: () => number, ownerOf: (peer: Peer) => unknown = (peer) => peer) {
    this.#random = random
    this.#ownerOf = ownerOf
  }

  /** Owners that are connected and have asked for something. */
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

  /** Notes how the peer took a piece. */
  onPace(line: Line<Peer, Load>, pace: 'prompt' | 'slow'): void {
    line.pace = pace
    line.owner.distrust = pace === 'slow' ? distrustAfterSlow : Math.max(0, line.owner.distrust - 1)
  }

  /** Charges bytes that were sent outside turns: one turn for each piece's worth. */
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
    const line = { peer, owner, requests: [], busy: 0, paced: 0, round: 0, pace: undefined, isIdle: false }
    this.#lines.set(peer, line)
    owner.lines.push(line)
    return line
  }

  /** An owner that missed rounds continues in the current one. */
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
   * A peer of the owner that is furthest behind with its turns. Starts at a random owner: with a fixed order, uploaders
   * with the same pieces would all turn to the same downloader, learn that it is already served, and move on together.
   */
  #nextLine(busyMax: number, withSlow: boolean): Line<Peer, Load> | undefined {
    const isAlone = !this.#isContested()
    const ownerMax = isAlone ? Math.max(busyMax, aloneMax) : busyMax
    // Else those that were prompt, and have two, would leave none to the others, which could not become prompt then.
    const slowOfLineMax = isAlone ? 1 : busyMax
    const slowMaxOf = this.#slowMaxima(busyMax)
    const { length } = this.#inOrder
    const start = Math.floor(this.#random() * length)
    let next: Line<Peer, Load> | undefined
    for (let step = 0; step < length; step++) {
      const owner = this.#inOrder[(start + step) % length]
      if (owner === undefined) continue
      if (next !== undefined && this.#roundOf(owner) >= this.#roundOf(next.owner)) continue
      const bounds = { busyMax, ownerMax, slowMax: withSlow ? slowMaxOf(owner) : 0, slowOfLineMax }
      next = this.#openLine(owner, bounds) ?? next
    }
    return next
  }

  /**
   * How many answers to slow peers an owner may have under way. A line that several owners share is divided among
   * connections, so none has more of them in use than another one wants something on, or one peer may have.
   */
  #slowMaxima(busyMax: number): (owner: Owner<Peer, Load>) => number {
    let [most, second, mostOf]: [number, number, unknown] = [0, 0, undefined]
    for (const owner of this.#inOrder) {
      let count = 0
      for (const line of owner.lines) if (isSlow(line) && isWaiting(line)) count++
      if (count > most) [most, second, mostOf] = [count, most, owner]
      else second = Math.max(second, count)
    }
    return (owner) => {
      const others = owner === mostOf ? second : most
      return others === 0 ? slowOfOwnerMax : Math.min(slowOfOwnerMax, Math.max(busyMax, others))
    }
  }

  /** Whether more than one owner wants something or is being sent something. */
  #isContested(): boolean {
    let count = 0
    for (const { lines } of this.#inOrder) {
      if (lines.some((line) => line.busy > line.paced || isWaiting(line)) && ++count > 1) return true
    }
    return false
  }

  /** Of the owner's peers that can be sent something, the one whose last turn was longest ago. */
  #openLine({ lines }: Owner<Peer, Load>, bounds: Bounds): Line<Peer, Load> | undefined {
    const { busyMax, ownerMax, slowMax, slowOfLineMax } = bounds
    let [slow, prompt] = [0, 0]
    for (const line of lines) {
      const busy = line.busy - line.paced
      if (isSlow(line)) slow += Math.min(busy, slowOfLineMax)
      else prompt += busy
    }
    const start = lines.length === 1 ? 0 : Math.floor(this.#random() * lines.length)
    let open: Line<Peer, Load> | undefined
    for (let step = 0; step < lines.length; step++) {
      const line = lines[(start + step) % lines.length]
      if (line === undefined || !isWaiting(line)) continue
      // Else the first of several to ask would have two, and the last none for as long as these take on a long line.
      if (line.busy >= (lines.length > 1 && line.pace !== 'prompt' ? 1 : busyMax)) continue
      const othersMax = line.pace === 'prompt' ? ownerMax : Math.min(ownerMax, aloneMax / 2)
      if (isSlow(line) ? slow >= slowMax : prompt >= othersMax) continue
      if (open === undefined || line.round < open.round) open = line
    }
    return open
  }
}

/** A peer that has taken nothing yet is judged by its owner's others, so reconnecting does not clear the record. */
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
