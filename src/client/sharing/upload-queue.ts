// Sends pieces under the upload limit: whole pieces, round-robin over the users whose peers can take one. A piece
// that arrives whole and early can be passed on early, unlike one sent in parallel with many others.

import { pieceBytes } from '../../common/limits.ts'
import { refuse } from '../../common/refusal.ts'
import { RoomForNewcomers } from '../../common/wire/turns.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import type { TokenBucket } from '../../common/token-bucket.ts'
import {
  isPaced,
  tellChoice,
  tellTurn,
  uploadFor,
  type Answering,
  type Upload,
  type UploadPeer,
} from './answering.ts'
import type { EntryLimit } from './entry-limits.ts'
import { heldByEntriesMax, heldBySlowMax, heldMax } from './limits.ts'
import { SliceTurns } from './slice-turns.ts'
import { closeStuck, patienceWith } from './stuck-peers.ts'
import { TurnsAhead, turnsOfPeerMax } from './turns-ahead.ts'
import { isSlow, UploadOrder, type Request, type Turn } from './upload-order.ts'

interface Sending {
  /** Resolves when the system has taken the whole piece or the peer is gone. */
  readonly taken: Promise<void>
  /** Resolves when the next piece may begin. */
  readonly turnOver: Promise<void>
}

/**
 * Turns that may begin in one turn of the event loop: at full speed a piece takes a third of a millisecond, and other
 * sockets wait to be read and accepted.
 */
const begunAtOnceMax = 16

/** Turns under way at once: enough to read one piece from disk while another is being sent. */
const underWayMax = 4

/**
 * With at most this many users, a peer's next piece is read while the system takes its last one. With more,
 * slow readers would hold too many buffers.
 */
const readAheadUsersMax = 16

/** How often to look for hung peers. */
const lookForStuckMs = 250
/** Peers that may be slow are sent this much at a time, to see whether they take anything. */
const lookedAtBytes = 64 * 1024

const noBuffer = Buffer.alloc(0)

export class UploadQueue {
  readonly #bucket: TokenBucket
  readonly #slices: SliceTurns
  readonly #order = new UploadOrder<UploadPeer, Answering>(Math.random, ({ owner }) => owner)
  /** Chosen and told, under a limit, before their time comes. They hold no memory. */
  readonly #ahead = new TurnsAhead<UploadPeer, Answering>()
  readonly #uploads = new Set<Upload>()
  /** By peer: resolves when its last answer has been sent. Answers to a peer must not interleave. */
  readonly #sent = new WeakMap<UploadPeer, Promise<void>>()
  /** Turns that have begun and are not over, but for those of entries with a limit of their own. */
  #underWay = 0
  /** Those. */
  #paced = 0
  #newcomers = new RoomForNewcomers(() => 0)
  /** Turns that have begun in this turn of the event loop. */
  #begunAtOnce = 0
  /** No turn begins before the next turn of the event loop. */
  #isPutOff = false
  #awaitsLoopTurn = false
  #stuckWatch: NodeJS.Timeout | undefined

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
    this.#slices = new SliceTurns(bucket)
  }

  /** Delays turns a little while connections arrive; `accepted` counts them. */
  leaveRoomFor(accepted: () => number): void {
    this.#newcomers = new RoomForNewcomers(accepted)
  }

  add(peer: UploadPeer, request: Request<Answering>): void {
    if (this.#order.add(peer, request)) this.#serve()
    else peer.refuse(request.id, refuse('busy', 'too many pieces requested at once'))
  }

  /** Cancels a request. An answer that has begun is sent to its end. */
  cancel(peer: UploadPeer, requestId: number): void {
    if (this.#order.cancel(peer, requestId)) {
      peer.refuse(requestId, refuse('cancelled', 'cancelled'))
      return
    }
    if (this.#ahead.cancel(peer, requestId)) {
      peer.refuse(requestId, refuse('cancelled', 'cancelled'))
      this.#serve()
      return
    }
    for (const upload of this.#uploads) {
      if (upload.line.peer !== peer || upload.id !== requestId || upload.hasBegun) continue
      if (upload.isCancelled) return
      upload.isCancelled = true
      upload.line.busy--
      peer.refuse(requestId, refuse('cancelled', 'cancelled'))
      // Passes the turn on at once, so that others wait only for the limit and not for this one too.
      this.#endTurn(upload)
    }
  }

  /** The upload limit, in bytes per second; undefined for none. */
  get limit(): number | undefined {
    return this.#bucket.bytesPerSecond
  }

  /** Users that fetch from here at present. */
  get activeUsers(): number {
    return this.#uploads.size === 0 ? 0 : this.#order.ownerCount
  }

  /** Whether a piece of an entry with this limit may begin; else its requests wait until one ends. */
  mayBegin({ isTaken }: EntryLimit): boolean {
    return !isTaken && this.#paced < heldByEntriesMax
  }

  /** The piece is coming to the peer from elsewhere. (One of another file with that number only comes a little later.) */
  onTaken(peer: UploadPeer, index: number): void {
    if (this.#ahead.onTaken(peer, (answering) => answering.index === index)) this.#serve()
  }

  /** Drops the requests of a peer that is gone. */
  drop(peer: UploadPeer): void {
    this.#order.onPeerGone(peer)
    this.#ahead.onPeerGone(peer)
  }

  /** Call when requests of this peer, or of all peers, may have become answerable. */
  lookAgain(peer?: UploadPeer): void {
    // As for each piece of a download that nobody fetches here.
    if (this.#order.ownerCount === 0) return
    this.#order.lookAgain(peer)
    this.#serve()
  }

  /** Begins every turn that can begin now. */
  #serve(): void {
    // Under a limit, strictly one piece after the other: the limit is the bottleneck, not the disk.
    const limited = this.#bucket.bytesPerSecond !== undefined
    const busyMax = limited || this.#order.ownerCount > readAheadUsersMax ? 1 : 2
    while (this.#underWay < (limited ? 1 : underWayMax)) {
      if (this.#held >= heldMax) {
        this.#watchForStuck(busyMax)
        return
      }
      if (this.#putsOff()) return
      const { turn, isTold } = this.#nextTurn(busyMax)
      if (turn === undefined) return
      if (!isTold) this.#ahead.onTurn(turn.line.peer.roundTrip.ms)
      this.#begunAtOnce++
      this.#start(turn, isTold)
    }
    this.#chooseAhead()
  }

  /** Those that were told come first, but for what will most likely be taken back. */
  #nextTurn(busyMax: number): { turn: Turn<UploadPeer, Answering> | undefined; isTold: boolean } {
    const withSlow = this.#bySlow().length < heldBySlowMax
    const told = (nowMs: number): Turn<UploadPeer, Answering> | undefined =>
      this.#ahead.next(nowMs, (line) => withSlow || !isSlow(line))
    const first = told(performance.now())
    if (first !== undefined) return { turn: first, isTold: true }
    const other = this.#order.next(busyMax, withSlow)
    return other === undefined ? { turn: told(Infinity), isTold: true } : { turn: other, isTold: false }
  }

  #start(turn: Turn<UploadPeer, Answering>, isTold: boolean): void {
    const upload = uploadFor(turn, isTold)
    this.#uploads.add(upload)
    this.#beginTurn(upload)
    void this.#upload(upload)
  }

  /** Under a limit, and if some are far away: chooses what comes next, and tells them. */
  #chooseAhead(): void {
    const { bytesPerSecond, sliceBytes, owesMs } = this.#bucket
    if (bytesPerSecond === undefined || this.#ahead.leadMs === 0) return
    let restBytes = 0
    for (const upload of this.#uploads)
      if (!upload.turnIsOver && !isPaced(upload)) restBytes += upload.restBytes
    const msFor = (bytes: number): number => (bytes / bytesPerSecond) * 1000
    // This looks once a slice: after the next one it would be too late.
    while (this.#ahead.wantsMore(owesMs + msFor(restBytes - sliceBytes), msFor(pieceBytes))) {
      const turn = this.#order.next(turnsOfPeerMax, false)
      if (turn === undefined) return
      // With a limit of its own it takes no turn from others, and begins at once.
      if (turn.load.limit !== undefined) this.#start(turn, false)
      else this.#tellAhead(turn)
    }
  }

  #tellAhead(turn: Turn<UploadPeer, Answering>): void {
    const { ms: roundTripMs } = turn.line.peer.roundTrip
    this.#ahead.onTurn(roundTripMs)
    // What was asked for by its number is seldom taken back.
    this.#ahead.add(turn, turn.load.isChoice === true ? roundTripMs : 0, performance.now())
    tellTurn(turn)
  }

  /** Whether turns have to wait for the next turn of the event loop. */
  #putsOff(): boolean {
    if (this.#isPutOff) return true
    const nowMs = performance.now()
    this.#isPutOff = this.#begunAtOnce >= begunAtOnceMax || this.#newcomers.isNeeded(nowMs)
    if (!this.#isPutOff) this.#newcomers.onWorked(nowMs)
    if (!this.#awaitsLoopTurn) setImmediate(() => this.#onLoopTurn())
    this.#awaitsLoopTurn = true
    return this.#isPutOff
  }

  #onLoopTurn(): void {
    this.#awaitsLoopTurn = false
    this.#begunAtOnce = 0
    if (!this.#isPutOff) return
    this.#isPutOff = false
    this.#serve()
  }

  #bySlow(): Upload[] {
    return [...this.#uploads].filter((upload) => isSlow(upload.line) && !isPaced(upload))
  }

  #watchForStuck(busyMax: number): void {
    if (this.#stuckWatch !== undefined) return
    this.#stuckWatch = setTimeout(() => this.#lookForStuck(busyMax), lookForStuckMs)
    this.#stuckWatch.unref()
  }

  /** No room is left. If a peer that may read waits for some, disconnects peers that hold it and take nothing. */
  #lookForStuck(busyMax: number): void {
    this.#stuckWatch = undefined
    const bySlow = this.#bySlow()
    const surplus = bySlow.length - heldBySlowMax
    if (this.#held < heldMax || surplus <= 0 || !this.#isWaitedFor(busyMax)) return
    closeStuck(bySlow, surplus, performance.now())
    this.#serve()
  }

  #isWaitedFor(busyMax: number): boolean {
    return !this.#ahead.isEmpty || this.#order.isWaitedFor(busyMax)
  }

  async #upload(upload: Upload): Promise<void> {
    const { line, id, answering } = upload
    const buffer = answering.index === undefined ? noBuffer : takePieceBuffer()
    let sending: Sending | undefined
    // A peer that is told while the limit still holds the piece back can cancel it, if it is coming from elsewhere.
    if ((this.#bucket.bytesPerSecond ?? answering.limit) !== undefined) tellChoice(upload)
    try {
      const loaded = await answering.load(buffer)
      if (upload.isCancelled) return
      if (loaded.ok) {
        sending = this.#begin(upload, loaded.value)
        await sending.turnOver
      } else {
        // The piece is not chosen again: the peer has to know which one it was, to request it by index.
        tellChoice(upload)
        line.peer.refuse(id, loaded)
      }
    } finally {
      // The turn ends when the piece is on its way, the use of the buffer when the system has taken it: a
      // slow reader holds a buffer, never the queue.
      if (sending !== undefined && !upload.isSent) {
        this.#endTurn(upload)
        await sending.taken
      }
      this.#uploads.delete(upload)
      if (buffer !== noBuffer) returnPieceBuffer(buffer)
      // Before the next turn, which may be one of this peer again.
      if (!upload.isCancelled) line.busy--
      this.#endTurn(upload)
      this.#serve()
    }
  }

  /** Pieces in memory, but for those of entries with a limit of their own. */
  get #held(): number {
    return this.#uploads.size - this.#paced
  }

  #beginTurn(upload: Upload): void {
    const { line, answering } = upload
    if (answering.limit === undefined) {
      this.#underWay++
      return
    }
    this.#paced++
    line.paced++
    answering.limit.isTaken = true
  }

  #endTurn(upload: Upload): void {
    if (upload.turnIsOver) return
    const { line, answering } = upload
    if (!isPaced(upload)) this.#underWay--
    else {
      this.#paced--
      line.paced--
      if (answering.limit !== undefined) answering.limit.isTaken = false
      // Requests for the entry may be waiting for this.
      this.#order.lookAgain()
    }
    upload.turnIsOver = true
    this.#serve()
  }

  #begin(upload: Upload, bytes: Uint8Array): Sending {
    const { line } = upload
    let onTurnOver: () => void = () => undefined
    const isOver = new Promise<void>((resolve) => (onTurnOver = resolve))
    const before = this.#sent.get(line.peer) ?? Promise.resolve()
    const taken = before.then(async () => {
      await this.#send(upload, bytes, onTurnOver)
      upload.isSent = true
    })
    this.#sent.set(line.peer, taken)
    // Not strict while an earlier piece, begun before the limit was set, is still being sent to this peer.
    const isLimited = isPaced(upload) || this.#bucket.bytesPerSecond !== undefined
    const strict = isLimited && line.busy - this.#ahead.countOf(line) === 1
    return { taken, turnOver: strict ? Promise.race([taken, isOver]) : Promise.resolve() }
  }

  /** Bytes of the next slice: up to the end of a piece; under a limit the same for all, who share it slice by slice. */
  #sliceBytesFor({ line: { pace }, answering: { limit } }: Upload, at: number): number {
    const isLimited = this.#bucket.bytesPerSecond !== undefined
    const mostBytes = isLimited || pace === 'prompt' ? this.#bucket.sliceBytes : lookedAtBytes
    return Math.min(pieceBytes - (at % pieceBytes), mostBytes, limit?.bucket.sliceBytes ?? mostBytes)
  }

  /** Undefined if the bytes may be sent now, else a promise for when they may. */
  #allow({ line, answering: { limit } }: Upload, bytes: number): Promise<void> | undefined {
    const { owner } = line.peer
    const own = limit?.bucket.take(bytes)
    return own === undefined
      ? this.#slices.take(owner, bytes)
      : own.then(() => this.#slices.take(owner, bytes))
  }

  async #send(upload: Upload, bytes: Uint8Array, onTurnOver: () => void): Promise<void> {
    const { line } = upload
    const { peer } = line
    let patienceMs = patienceWith(line)
    let isPrompt = true
    const onPatienceOver = (): void => {
      isPrompt = false
      this.#order.onPace(line, 'slow')
      onTurnOver()
      this.#serve()
    }
    for (let at = 0; at < bytes.length;) {
      const slice = bytes.subarray(at, Math.min(bytes.length, at + this.#sliceBytesFor(upload, at)))
      const allowed = this.#allow(upload, slice.length)
      if (allowed !== undefined) await allowed
      if (peer.isGone || upload.isCancelled) {
        this.#bucket.giveBack(slice.length)
        upload.answering.limit?.bucket.giveBack(slice.length)
        return
      }
      if (!upload.hasBegun) peer.begin(upload.id, upload.answering.index, bytes.length)
      upload.hasBegun = true
      const sentAtMs = performance.now()
      upload.sendingSinceMs = sentAtMs
      const timer = setTimeout(onPatienceOver, Math.max(1, patienceMs))
      await peer.send(slice)
      clearTimeout(timer)
      upload.sendingSinceMs = undefined
      upload.restBytes = Math.max(0, bytes.length - at - slice.length)
      this.#chooseAhead()
      patienceMs -= performance.now() - sentAtMs
      at += slice.length
      // A turn is one piece. A longer manifest continues during the turns of others, and costs later turns.
      if (at > pieceBytes) this.#order.onSentBeside(line, slice.length)
      if (at % pieceBytes > 0 && at < bytes.length) continue
      if (isPrompt && !peer.isGone) this.#order.onPace(line, 'prompt')
      if (at < bytes.length) onTurnOver()
      isPrompt = true
      patienceMs = patienceWith(line)
    }
  }
}
