// The connections to one peer for one file, as if they were one: one at first, and more where that brings more (see
// lanes.ts). What the peer owes on all of them counts together; the next piece is requested on the one that would
// deliver it soonest. A connection by a better way takes the place of those that there are: these give what they have begun
// to send, and end.

import type { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { pieceRequestsQueuedMax } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import type { RouteTaken } from '../reach/ladder.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { askAhead } from './asking.ts'
import { Flow } from './flow.ts'
import { aheadOnNew } from './lane-plan.ts'
import { nameOf } from './peer-greeting.ts'
import type { PeerLink } from './peer-link.ts'
import type { PeerLinkEvents } from './peer-link-events.ts'
import type { PieceRequest } from './piece-request.ts'

interface Lane {
  readonly link: PeerLink
  readonly onClosed: () => void
  /** This client has closed it. */
  isDropped: boolean
}

/** A connection may become twice as fast in each round trip, and what is requested now is sent one later. */
const growth = 4
/** What comes so many times as soon elsewhere is asked for there. */
const takeBackGain = 2

export class PeerLanes {
  readonly flow = new Flow(performance.now())
  /** When the first connection was opened, in milliseconds since 1970. */
  readonly openedAtMs: number
  /** Whether it can be asked for recipes and for parts of pieces. */
  readonly offersRecipes: boolean
  /** Those that are open, the oldest first. */
  #lanes: Lane[]
  /** Those that another way has taken the place of, until they owe nothing. */
  #left: Lane[] = []
  #first: Pick<PeerLink, 'peer' | 'route'>
  /** The first so many are asked, the others wait. */
  #askedLanes = 1
  /** How many more are being opened. */
  opening = 0
  #events: PeerLinkEvents | undefined
  /** The first reason that says what the peer did wrong. */
  #brokenBecause: Failure | undefined
  #bytesOfClosed = 0
  #lostCount = 0
  #isClosing = false
  /** The last one has ended. */
  #isOver = false

  constructor(first: PeerLink) {
    this.#first = first
    this.openedAtMs = first.openedAtMs
    this.offersRecipes = first.offersRecipes
    this.#lanes = [{ link: first, onClosed: () => undefined, isDropped: false }]
  }

  get peer(): Peer {
    return this.#first.peer
  }

  /** By which way the first one is connected. */
  get route(): RouteTaken {
    return this.#first.route
  }

  /** Sets the event handlers; also reports earlier events to them. */
  use(events: PeerLinkEvents): void {
    this.#events = events
    for (const lane of [...this.#lanes]) this.#listen(lane)
  }

  /** Uses one more connection on which the file is open. `onClosed` is called once. */
  add(link: PeerLink, onClosed: () => void): void {
    for (const { link: other } of this.#lanes) other.showLife()
    const lane = { link, onClosed, isDropped: false }
    this.#lanes.push(lane)
    this.#listen(lane)
    if (this.#isClosing) link.close('not needed')
  }

  /**
   * This connection, on which the file is open, takes the place of all others. Of what they owe they give what they have begun
   * to send; the rest is asked for here, once it is known what that is.
   */
  moveTo(link: PeerLink): void {
    for (const lane of this.#lanes) {
      lane.isDropped = true
      lane.link.takeAllBack()
      this.#left.push(lane)
    }
    this.#lanes = []
    this.#first = link
    this.#askedLanes = 1
    this.add(link, () => undefined)
  }

  /** Call it several times a second: closes those whose place is taken and that owe nothing, or are overdue. */
  closeLeft(nowMs: number): void {
    for (const { link } of [...this.#left])
      if (link.isIdle || link.isLate(nowMs)) link.close('there is a better way')
  }

  /** Those that are being opened beside the first one; each is handed over once. */
  takeBeside(): ReturnType<PeerLink['takeBeside']> {
    return this.#lanes[0]?.link.takeBeside() ?? []
  }

  /** Only so many are asked from now on; what the others owe is asked of these, unless it is on its way. */
  askOn(count: number): void {
    const isFewer = count < this.#askedLanes
    this.#askedLanes = count
    if (isFewer) for (const { link } of this.#lanes.slice(count)) link.takeBack(link.queuedCount)
  }

  /** With nothing else to ask for: takes back half of what waits longest, when a connection that owes nothing is much sooner. */
  takeBackLast(): readonly PieceRequest[] {
    const idle = this.#asked.find(({ link }) => link.isIdle)?.link
    const last = this.#asked.map(({ link }) => link).toSorted((one, other) => overMs(other) - overMs(one))[0]
    if (idle === undefined || last === undefined || last === idle) return []
    const soonerMs = 2 * this.roundTripMs + (idle.pace.msPerPiece ?? 0)
    return overMs(last) > takeBackGain * soonerMs ? last.takeBack(Math.ceil(last.queuedCount / 2)) : []
  }

  /** Closes those beyond this count; what they owed is requested again. */
  keep(count: number): void {
    for (const lane of this.#lanes.slice(count)) {
      lane.isDropped = true
      lane.link.close('one connection fewer is enough')
    }
  }

  /** How many are open. */
  get count(): number {
    return this.#lanes.length
  }

  /** How many ended without this client's doing. */
  get lostCount(): number {
    return this.#lostCount
  }

  /** Whether one that is not asked any more still owes something. */
  get awaitsUnasked(): boolean {
    return this.#lanes.slice(this.#askedLanes).some(({ link }) => !link.isIdle)
  }

  /** `user@ip:port`, as shown to people. */
  get name(): string {
    return nameOf(this.peer)
  }

  /** There and back, in milliseconds, at its shortest: while nothing else was on its way. */
  get roundTripMs(): number {
    return Math.min(...this.#lanes.map(({ link }) => link.pace.roundTripMs))
  }

  /** Outstanding requests for a known piece: requested by index, or chosen by the peer. */
  get askedCount(): number {
    return sum(this.#all, ({ link }) => link.askedCount)
  }

  /** Outstanding requests for which the peer has not chosen a piece yet. */
  get openCount(): number {
    return sum(this.#all, ({ link }) => link.openCount)
  }

  /** Whether it owes nothing. */
  get isIdle(): boolean {
    return this.#all.every(({ link }) => link.isIdle)
  }

  /** The peer was told which pieces are wanted, and must be told which no longer are. */
  get choosesItself(): boolean {
    return this.#all.some(({ link }) => link.choosesItself)
  }

  /** Whether the choice may be left to it: on two connections it would choose the same piece twice. */
  get mayChoose(): boolean {
    return this.#isOnly
  }

  /** There is one, and will be no other for now. */
  get #isOnly(): boolean {
    return this.#all.length === 1 && this.opening === 0
  }

  /** See `PeerLink.isLimited`. */
  get isLimited(): boolean {
    return this.#lanes.some(({ link }) => link.isLimited)
  }

  /** Since when it owes the oldest piece, in milliseconds of `performance.now()`; undefined when it owes none. */
  get owesSinceMs(): number | undefined {
    let oldestMs: number | undefined
    for (const { link } of this.#all) {
      const { owesSinceMs } = link
      if (owesSinceMs !== undefined) oldestMs = Math.min(oldestMs ?? Infinity, owesSinceMs)
    }
    return oldestMs
  }

  /** Average time from the first byte of a piece to its last, in milliseconds. */
  get msPerTransfer(): number | undefined {
    return this.#lanes[0]?.link.pace.msPerTransfer
  }

  /** Current time per piece over all connections, in milliseconds; undefined before the first piece. */
  get msPerPiece(): number | undefined {
    const [first] = this.#lanes
    if (this.#lanes.length === 1) return first?.link.pace.msPerPiece
    let perMs = 0
    for (const { link } of this.#asked) perMs += 1 / (link.pace.msPerPiece ?? Infinity)
    return perMs === 0 ? undefined : 1 / perMs
  }

  /** Piece bytes received so far, including those of pieces that are still arriving. */
  get receivedBytes(): number {
    return this.#bytesOfClosed + sum(this.#all, ({ link }) => link.receivedBytes)
  }

  /** Reading is paused for the download limit: missing data is not the peer's fault. */
  get isPaused(): boolean {
    return this.#all.some(({ link }) => link.isPaused)
  }

  /** Whether what it owes is overdue everywhere, judged by its recent pace. */
  isLate(nowMs: number): boolean {
    const owing = this.#all.filter(({ link }) => link.askedCount > 0)
    return owing.length > 0 && owing.every(({ link }) => link.isLate(nowMs))
  }

  /** Whether any connection owes fewer pieces than its pace needs, and than `ofEachMax`. */
  owesLess(ofEachMax: number): boolean {
    const aheadOf = this.#isOnly ? aheadOn : aheadOnOne
    return this.#asked.some(({ link }) => link.askedCount + link.openCount < aheadOf(link, ofEachMax))
  }

  /** Whether to request one more piece by its index. On the only connection, those come beside what it chooses. */
  wantsMore(ofEachMax: number): boolean {
    const [first] = this.#lanes
    // What the peer may be about to choose on another way is not to be asked for by its index.
    if (first === undefined || this.#left.some(({ link }) => link.openCount > 0)) return false
    if (!this.#isOnly) return this.#soonest(ofEachMax) !== undefined
    return first.link.askedCount < aheadOn(first.link, ofEachMax)
  }

  /** How many requests it takes at once. */
  get takesAtOnce(): number {
    return pieceRequestsQueuedMax * this.#asked.length
  }

  /** Lets the peer choose among these pieces, except those later reported with `taken`. */
  letChoose(wanted: Bitfield): void {
    this.#lanes[0]?.link.letChoose(wanted)
  }

  /** From now on the peer is asked for specific pieces and gets no more `taken` messages. */
  letChooseNoMore(): void {
    for (const { link } of this.#all) link.letChooseNoMore()
  }

  taken(index: number): void {
    for (const { link } of this.#all) if (link.choosesItself) link.taken(index)
  }

  /** See `PeerLink.piece`. */
  piece(
    request: PieceRequest,
    lengthOf: (index: number) => number,
    take: () => PieceBuffer,
  ): Promise<Answer<PieceBuffer>> {
    const isNamed = request.index !== undefined && this.#lanes.length > 1
    const link = (isNamed ? this.#soonest(pieceRequestsQueuedMax) : undefined) ?? this.#lanes[0]?.link
    if (link === undefined) return Promise.reject(new Failure('connection-lost', 'the connection is closed'))
    const { index } = request
    // What this one brings is not to be chosen for another.
    if (index !== undefined)
      for (const { link: other } of this.#all) if (other !== link && other.choosesItself) other.taken(index)
    return link.piece(request, lengthOf, take)
  }

  /** The piece is no longer needed, but may still arrive. */
  cancel(index: number): void {
    for (const { link } of this.#all) link.cancel(index)
  }

  /** Sends now what would otherwise go out at the end of this turn. */
  flush(): void {
    for (const { link } of this.#all) link.flush()
  }

  /** Shows a newer ticket on every connection. */
  renew(ticket: string): void {
    for (const { link } of this.#all) link.renew(ticket).catch(() => undefined)
  }

  /** Called periodically: pings where the peer owes pieces and is silent. */
  checkAlive(nowMs: number): void {
    for (const { link } of [...this.#all]) link.checkAlive(nowMs)
  }

  /** Closes one that is overdue while another one owes nothing: what it owed is requested there. */
  dropLate(nowMs: number): void {
    const late = this.#lanes.find(({ link }) => link.isLate(nowMs))
    if (late === undefined || !this.#asked.some(({ link }) => link.isIdle)) return
    late.isDropped = true
    late.link.close('another connection is faster')
  }

  close(why: string): void {
    this.#isClosing = true
    for (const { link } of [...this.#all]) link.close(why)
  }

  get #all(): readonly Lane[] {
    return this.#left.length === 0 ? this.#lanes : [...this.#lanes, ...this.#left]
  }

  get #asked(): readonly Lane[] {
    return this.#lanes.length <= this.#askedLanes ? this.#lanes : this.#lanes.slice(0, this.#askedLanes)
  }

  /** Of the connections with room, the one that would deliver one more piece soonest. */
  #soonest(max: number): PeerLink | undefined {
    const nowMs = performance.now()
    let [best, bestMs]: [PeerLink | undefined, number] = [undefined, Infinity]
    for (const { link } of this.#asked) {
      const owed = link.askedCount + link.openCount
      const { msPerPiece = 1, msPerTransfer = 1 } = link.pace
      // The pace of one that owes nothing is that of what was asked of it.
      const deliversMs = owed === 0 ? Math.min(msPerPiece, msPerTransfer) : (owed + 1) * msPerPiece
      if (owed >= aheadOnOne(link, max) || deliversMs >= bestMs || link.isLate(nowMs)) continue
      best = link
      bestMs = deliversMs
    }
    return best
  }

  #listen(lane: Lane): void {
    const events = this.#events
    if (events === undefined) return
    lane.link.use({
      onHave: (index) => events.onHave(index),
      onChosen: (index) => events.onChosen(index),
      onClosed: (reason) => this.#onLaneClosed(lane, reason),
    })
  }

  #onLaneClosed(lane: Lane, reason: Failure): void {
    if (!this.#all.includes(lane)) return
    this.#lanes = this.#lanes.filter((other) => other !== lane)
    this.#left = this.#left.filter((other) => other !== lane)
    this.#bytesOfClosed += lane.link.receivedBytes
    if (!lane.isDropped) this.#lostCount++
    lane.onClosed()
    if (reason.code === 'protocol') {
      this.#brokenBecause ??= reason
      this.close(reason.message)
    }
    if (this.#lanes.length > 0) return
    // The peer is connected anew.
    for (const { link } of [...this.#left]) link.close(reason.message)
    if (this.#isOver) return
    this.#isOver = true
    this.#events?.onClosed(this.#brokenBecause ?? reason)
  }
}

/** In how many milliseconds the last will have come that waits on it; 0 when none waits. */
function overMs({ queuedCount, pace: { msPerPiece = 0 } }: PeerLink): number {
  return queuedCount === 0 ? 0 : (queuedCount + 1) * msPerPiece
}

/** How many pieces to request ahead on the only connection. */
function aheadOn({ pace: { msPerAnswer, roundTripMs } }: PeerLink, max: number): number {
  return Math.min(askAhead(msPerAnswer, roundTripMs), max)
}

/** Likewise on one of several: with fewer, a new one would run dry each time before it has reached its rate. */
function aheadOnOne({ pace: { msPerAnswer, lastTransferMs, roundTripMs } }: PeerLink, max: number): number {
  if (msPerAnswer === undefined) return Math.min(aheadOnNew, max)
  const ms = Math.min(msPerAnswer, lastTransferMs ?? Infinity)
  const whileItGrows = 1 + Math.ceil((growth * roundTripMs) / Math.max(1, ms))
  return Math.min(Math.max(askAhead(ms, roundTripMs), Number.isFinite(whileItGrows) ? whileItGrows : 0), max)
}

function sum(lanes: readonly Lane[], countOf: (lane: Lane) => number): number {
  let all = 0
  for (const lane of lanes) all += countOf(lane)
  return all
}
