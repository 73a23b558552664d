// A connection to one peer for one file: presents the ticket, proves keys in both directions, requests pieces
// and measures the peer's speed. Does not decide which piece to request.

import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { pieceCountMax } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import { peerProtocol, recipesFeature, type PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { bytesIn, type BlockRange } from '../../common/recipe/ranges.ts'
import type { Outline } from '../../common/recipe/recipe.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { Caller } from '../../common/wire/caller.ts'
import { groupOf } from '../../common/security/ticket.ts'
import { Lifeline } from '../network/lifeline.ts'
import type { RouteTaken } from '../reach/ladder.ts'
import { isRoundabout } from '../way.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { LimitedReading } from './limited-reading.ts'
import { askForBlocks, askForManifest, askForOutline } from './peer-documents.ts'
import { greetPeer, nameOf, notThatClient, openTimeoutMs } from './peer-greeting.ts'
import { LinkPace } from './link-pace.ts'
import { OwedPieces, type Asked } from './owed-pieces.ts'
import type { PieceRequest } from './piece-request.ts'
import type { OpenedBeside } from './beside.ts'
import type { EarlyPiece } from './early-pieces.ts'
import type { PeerLinkEvents } from './peer-link-events.ts'
import type { PeerLinkOptions } from './peer-link-options.ts'
import { allowanceMs, isDoubtful, pingTimeoutMs } from './asking.ts'

export class PeerLink {
  readonly peer: Peer
  /** By which way it is connected. */
  readonly route: RouteTaken
  readonly pace = new LinkPace()
  /** When the connection was opened, in milliseconds since 1970. */
  readonly openedAtMs = Date.now()
  readonly #options: PeerLinkOptions<PeerLink>
  readonly #caller: Caller<PeerProtocol>
  readonly #reading: LimitedReading
  readonly #owed = new OwedPieces((request) => this.#caller.tell('cancel', { request }))
  readonly #early: number[] = []
  #events: PeerLinkEvents | undefined
  #closedBecause: Failure | undefined
  readonly #lifeline: Lifeline
  #choosesItself = false
  #isLimited = false
  #offersRecipes = false
  #proved: Promise<Answer<unknown>> = Promise.resolve(accept(undefined))
  /** What the peer says it has, once it is asked. */
  #opened: Promise<Answer<{ readonly bitfield: string }>> | undefined
  /** Bytes of the pieces received completely. */
  #wholeBytes = 0

  private constructor(options: PeerLinkOptions<PeerLink>, caller: Caller<PeerProtocol>, route: RouteTaken) {
    this.peer = options.peer
    this.route = route
    this.#options = options
    this.#caller = caller
    this.#reading = new LimitedReading(caller.channel, options.bucket)
    this.#lifeline = new Lifeline({
      channel: caller.channel,
      ping: (timeoutMs) => caller.request('ping', {}, { timeoutMs }),
      close: (why) => this.close(why),
    })
  }

  /**
   * Connects and is greeted. Returns the peer's refusal (ticket not accepted, no longer shared); rejects with a failure of
   * the network, or when the peer is not who the tracker says it is. What is asked in the same turn goes out with the
   * proof of this client's key, and is refused when the peer does not take that.
   */
  static async open(options: PeerLinkOptions<PeerLink>): Promise<Answer<PeerLink>> {
    const { peer, ticket, routes, changes, bucket, mayRelay, dialsOnly, beside } = options
    let dialledInMs = Infinity
    const dialling = routes.open({
      peer,
      group: groupOf(ticket) ?? '',
      check: (key) => (key === peer.key ? undefined : notThatClient(peer)),
      readBytesMax: () => bucket.sliceBytes,
      mayRelay,
      dialsOnly,
      onDialled: (tookMs) => {
        dialledInMs = tookMs
        beside?.onDialled(tookMs)
      },
    })
    const { channel, ...route } = await dialling.catch((error: unknown) => {
      beside?.close()
      throw error
    })
    const caller: Caller<PeerProtocol> = new Caller(channel, peerProtocol, {
      onTold: {
        have: ({ fileId, index }) => fileId === options.fileId && link.onHave(index),
        chosen: ({ request, index }) => link.onChosen(request, index),
        closed: ({ fileId, why }) => fileId === options.fileId && link.close(why),
      },
      onClosed: (reason) => {
        forget()
        link.onClosed(reason)
      },
      onBytes: (count) => link.#reading.onBytes(count),
    })
    // Created in the same turn: no message can have arrived yet.
    const link = new PeerLink(options, caller, route)
    // No program at the other end was waited for, so this is the best measure; but of another line where that is a detour.
    if (!isRoundabout(route.way)) link.pace.roundTripMs = dialledInMs
    const sinceMs = performance.now()
    let isUp = false
    const forget = changes.follow(link.#lifeline, pingTimeoutMs, () => isUp)
    try {
      const greeted = await greetPeer(caller, options)
      if (greeted.ok) {
        isUp = true
        link.pace.onRoundTrip(sinceMs)
        link.#offersRecipes = greeted.value.features.includes(recipesFeature)
        link.#proved = greeted.value.proved
        return accept(link)
      }
      caller.close(greeted.refusal.sentence)
      return greeted
    } catch (error) {
      caller.close()
      throw error
    }
  }

  /** `user@ip:port`, as shown to people. */
  get name(): string {
    return nameOf(this.peer)
  }

  /** Outstanding requests for a known piece: requested by index, or chosen by the peer. */
  get askedCount(): number {
    return this.#owed.askedCount
  }

  /** Outstanding requests for which the peer has not chosen a piece yet. */
  get openCount(): number {
    return this.#owed.openCount
  }

  /** Whether it owes nothing. */
  get isIdle(): boolean {
    return this.#owed.isEmpty
  }

  /** The peer was told which pieces are wanted, and must be told which no longer are. */
  get choosesItself(): boolean {
    return this.#choosesItself
  }

  /**
   * Whether it has an upload limit, as far as can be seen: then it says which piece it has chosen while the limit still
   * holds that back, so that this client can take it from elsewhere.
   */
  get isLimited(): boolean {
    return this.#isLimited
  }

  /** Whether it can be asked for recipes and for parts of pieces. */
  get offersRecipes(): boolean {
    return this.#offersRecipes
  }

  /** Since when it owes the oldest piece, in milliseconds of `performance.now()`; undefined when it owes none. */
  get owesSinceMs(): number | undefined {
    return this.#owed.sinceMs
  }

  /** Piece bytes received on this connection, including those of a piece that is still arriving. */
  get receivedBytes(): number {
    const rest = this.#caller.channel.bodyRest
    const { arrivingBytes } = this.#owed
    if (rest === undefined || arrivingBytes === 0) return this.#wholeBytes
    return this.#wholeBytes + arrivingBytes - rest.length
  }

  /** When a byte last arrived, in milliseconds of `performance.now()`. */
  get lastHeardAtMs(): number {
    return this.#caller.channel.lastHeardAtMs
  }

  /** Whether the peer's next piece is overdue, judged by its recent pace. */
  isLate(nowMs: number): boolean {
    const { namedSinceMs } = this.#owed
    if (this.#reading.isPaused || namedSinceMs === undefined) return false
    const fromMs = Math.max(namedSinceMs, this.pace.lastAtMs, this.#reading.sinceMs)
    return nowMs - fromMs > allowanceMs(this.pace.msPerPiece)
  }

  /** Reading is paused for the download limit: missing data is not the peer's fault. */
  get isPaused(): boolean {
    return this.#reading.isPaused
  }

  /** Sets the event handlers; also reports earlier events to them. */
  use(events: PeerLinkEvents): void {
    this.#events = events
    for (const index of this.#early.splice(0)) events.onHave(index)
    if (this.#closedBecause !== undefined) events.onClosed(this.#closedBecause)
  }

  /** Further connections, opened meanwhile; each is handed over once. */
  takeBeside(): readonly Promise<OpenedBeside<PeerLink> | undefined>[] {
    return this.#options.beside?.take() ?? []
  }

  /** Pieces that were asked for on those; each is handed over once. */
  takeEarly(): readonly EarlyPiece[] {
    return this.#options.beside?.takePieces() ?? []
  }

  /** Resolves when the peer has opened the file, for which it is asked in this turn; or to its refusal. */
  async whenOpen(): Promise<Answer<{ readonly bitfield: string }>> {
    this.#opened ??= this.#askToOpen()
    const [proved, opened] = await Promise.all([this.#proved, this.#opened])
    return proved.ok ? opened : proved
  }

  async #askToOpen(): Promise<Answer<{ readonly bitfield: string }>> {
    const { fileId } = this.#options
    const sinceMs = performance.now()
    const opened = await this.#caller.request('open', { fileId }, { timeoutMs: openTimeoutMs })
    this.pace.onRoundTrip(sinceMs)
    return opened
  }

  /** Which pieces the peer has; from then on `onHave` reports each new one. */
  async openFile(pieceCount: number): Promise<Answer<Bitfield>> {
    const opened = await this.whenOpen()
    if (!opened.ok) return opened
    const bitfield = Bitfield.fromBytes(Buffer.from(opened.value.bitfield, 'base64'), pieceCount)
    if (bitfield === undefined) throw new Failure('protocol', 'it claims pieces that do not exist')
    return accept(bitfield)
  }

  /** The manifest, verified by the file id; `piece-missing` when the peer sent a different one. */
  async fetchManifest(): Promise<Answer<Manifest>> {
    const manifest = askForManifest(this.#caller, this.#options.fileId, this.name)
    const [proved, given] = await Promise.all([this.#proved, manifest])
    return proved.ok ? given : proved
  }

  /** The outline of the recipe, of which only the form is checked; the peer may have to make it first. */
  fetchOutline(manifest: Manifest): Promise<Answer<Outline>> {
    return askForOutline(this.#caller, manifest, this.name)
  }

  /** Likewise the records of the blocks of these groups, one behind the other. */
  fetchBlocks(outline: Outline, groups: BlockRange[]): Promise<Answer<Buffer>> {
    return askForBlocks(this.#caller, this.#options.fileId, groups, outline, this.name)
  }

  /** Lets the peer choose among these pieces, except those later reported with `taken`. */
  letChoose(wanted: Bitfield): void {
    this.#choosesItself = true
    this.#caller.tell('wants', { fileId: this.#options.fileId, bitfield: wanted.toBase64() })
  }

  /** From now on the peer is asked for specific pieces and gets no more `taken` messages. */
  letChooseNoMore(): void {
    this.#choosesItself = false
  }

  taken(index: number): void {
    this.#caller.tell('taken', { fileId: this.#options.fileId, index })
  }

  /**
   * Requests a piece, or parts of it one behind the other, without verifying it. `lengthOf` returns the length of a piece; `take` provides its
   * buffer when its bytes begin to arrive. Rejects with a failure when the connection ends.
   */
  async piece(
    request: PieceRequest,
    lengthOf: (index: number) => number,
    take: () => PieceBuffer,
  ): Promise<Answer<PieceBuffer>> {
    let buffer: PieceBuffer | undefined
    const askedAtMs = performance.now()
    request.sentAtMs = askedAtMs
    const asked = this.#owed.begin(request, askedAtMs)
    let requestId: number | undefined
    const { fileId } = this.#options
    const { index, ranges } = request
    try {
      const answer = await this.#caller.request(
        'piece',
        { fileId, ...(index === undefined ? {} : { index }), ...(ranges === undefined ? {} : { ranges }) },
        {
          timeoutMs: 0,
          onSent: (id) => this.#owed.onSent((requestId = id), asked),
          bodyBuffer: (count, result) => {
            this.#onArriving(asked, result.index)
            const whole = lengthOf(result.index)
            const length = ranges === undefined ? whole : bytesIn(ranges, whole)
            if (count !== length)
              throw new Failure('protocol', `it sent a piece of ${count} bytes, not ${length}`)
            asked.arrivingBytes = count
            buffer = take()
            return buffer.bytes.subarray(0, length)
          },
        },
      )
      if (!answer.ok) return answer
      if (buffer === undefined) throw new Failure('protocol', 'it sent an answer without a piece')
      this.#wholeBytes += asked.arrivingBytes
      this.pace.onAnswer(askedAtMs, asked.sinceMs, ranges === undefined)
      return accept(buffer)
    } catch (error) {
      // The channel is closed and no longer fills the buffer.
      buffer?.release()
      throw error
    } finally {
      this.#owed.onEnded(requestId, asked)
    }
  }

  /** The piece is no longer needed, but may still arrive. */
  cancel(index: number): void {
    this.#owed.cancel(index)
  }

  /** How many requests can be taken back, unless the peer has begun to answer them. */
  get queuedCount(): number {
    return this.#owed.queuedCount
  }

  /** Takes back the last so many, and returns these: each is refused, or comes all the same. */
  takeBack(count: number): readonly PieceRequest[] {
    return this.#owed.takeBack(count)
  }

  /** Likewise all, also what the peer has not chosen yet. */
  takeAllBack(): void {
    this.#owed.takeAllBack()
  }

  /** Says that this end is there: a peer takes a silent connection for one that was left behind. */
  showLife(): void {
    this.#caller.request('ping', {}, { timeoutMs: 0 }).catch(() => undefined)
  }

  /** Sends now what would otherwise go out at the end of this turn. */
  flush(): void {
    this.#caller.channel.flush()
  }

  async renew(ticket: string): Promise<Answer<unknown>> {
    return this.#caller.request('renew', { ticket })
  }

  /** Called periodically: pings a peer that owes pieces and is silent. */
  checkAlive(nowMs: number): void {
    if (this.#reading.isPaused) return
    if (!isDoubtful(this.askedCount + this.openCount, nowMs - this.#caller.channel.lastHeardAtMs)) return
    void this.#lifeline.ask(pingTimeoutMs).then((isThere) => {
      if (!isThere) this.#options.changes.onSilence()
    })
  }

  close(why: string): void {
    this.#caller.close(why)
  }

  onHave(index: number): void {
    if (this.#events !== undefined) this.#events.onHave(index)
    // Bounded, because a peer may announce more pieces than can exist.
    else if (this.#early.length < pieceCountMax) this.#early.push(index)
  }

  onChosen(requestId: number, index: number): void {
    const asked = this.#owed.open(requestId)
    if (asked === undefined) return
    this.#isLimited = true
    this.#choose(asked, index)
  }

  onClosed(reason: Failure): void {
    this.#closedBecause = reason
    this.#options.beside?.close()
    this.#events?.onClosed(reason)
  }

  #choose(asked: Asked, index: number): void {
    this.#owed.onChosen(asked, index, performance.now())
    this.#events?.onChosen(index)
  }

  #onArriving(asked: Asked, index: number): void {
    asked.sinceMs = performance.now()
    if (asked.request.index === undefined) {
      this.#isLimited = false
      this.#choose(asked, index)
    } else if (asked.request.index !== index)
      throw new Failure('protocol', `it sent piece ${index} in place of ${asked.request.index}`)
  }
}
