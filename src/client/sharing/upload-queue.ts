// Sends pieces under the upload limit: whole pieces, round-robin over the users whose peers can take one. A piece
// that arrives whole and early can be passed on early, unlike one sent in parallel with many others.

import { pieceBytes } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { RoomForNewcomers } from '../../common/wire/turns.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import { SliceTurns } from './slice-turns.ts'
import { isSlow, UploadOrder, type Line, type Request } from './upload-order.ts'

/** How the queue reaches one peer. */
export interface UploadPeer {
  /** Whose share of the uploads it takes: a user, who may have several peers. */
  readonly owner: string
  /** Tells the peer which piece was chosen for a request, before its answer begins. */
  tellChosen(requestId: number, index: number): void
  /** Begins an answer with a body of `bytes` bytes. */
  begin(requestId: number, index: number | undefined, bytes: number): void
  /** Sends a part of the body; resolves when the system has taken it or the peer is gone. */
  send(bytes: Uint8Array): Promise<void>
  refuse(requestId: number, answer: Answer<never>): void
  close(sentence: string): void
  readonly isGone: boolean
}

/** The answer to a request. */
export interface Answering {
  /** The piece; undefined for a manifest. */
  readonly index?: number
  /** The piece was chosen here, and the peer has yet to learn which. */
  readonly isChoice?: boolean
  /** Loads the body. A piece goes into `buffer`, which has the size of one; for a manifest it is empty. */
  load(buffer: Buffer): Promise<Answer<Uint8Array>>
}

/** An answer from its turn until the system has taken it. */
interface Upload {
  readonly line: Line<UploadPeer, Answering>
  readonly id: number
  readonly answering: Answering
  /** Cancelled after its turn came and before its answer began. */
  isCancelled: boolean
  hasBegun: boolean
  /** The system has taken it, or the peer is gone. */
  isSent: boolean
  /** The peer knows what was chosen for it. */
  isTold: boolean
  turnIsOver: boolean
}

interface Sending {
  /** Resolves when the system has taken the whole piece or the peer is gone. */
  readonly taken: Promise<void>
  /** Resolves when the next piece may begin. */
  readonly turnOver: Promise<void>
}

/**
 * Turns that may begin in one turn of the event loop: at full speed a piece takes a third of a millisecond, and
 * others wait to be read and accepted.
 */
const begunAtOnceMax = 4

/** Turns under way at once: enough to read one piece from disk while another is being sent. */
const underWayMax = 4

/**
 * With at most this many peers, a peer's next piece is read while the system takes its last one. With more,
 * slow readers would hold too many buffers.
 */
const readAheadPeersMax = 16

/**
 * Pieces in memory at once, being read or sent: 16 MiB, however many peers there are. Peers that are slow hold at most
 * `heldBySlowMax` of them: when one more turns slow, another one is cut. The difference always remains for those who
 * read, or have yet to show that they do.
 */
const heldMax = 32
const heldBySlowMax = 24

const noBuffer = Buffer.alloc(0)

/**
 * A peer that takes longer for a piece is slow. Under a limit, pieces go out strictly one by one, but after
 * waiting this long in all for the peer to read, others are served beside it: a peer that hangs with its
 * socket full must not stop all uploads. When a user's peer is known to be slow, none of them is waited for.
 */
const slowReaderMs = 250

export class UploadQueue {
  readonly #bucket: TokenBucket
  readonly #slices: SliceTurns
  readonly #order = new UploadOrder<UploadPeer, Answering>(Math.random, ({ owner }) => owner)
  readonly #uploads = new Set<Upload>()
  /** By peer: resolves when its last answer has been sent. Answers to a peer must not interleave. */
  readonly #sent = new WeakMap<UploadPeer, Promise<void>>()
  #underWay = 0
  #newcomers = new RoomForNewcomers(() => 0)
  /** Turns that have begun in this turn of the event loop. */
  #begunAtOnce = 0
  /** No turn begins before the next turn of the event loop. */
  #isPutOff = false
  #willTurn = false

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
    this.#slices = new SliceTurns(bucket)
  }

  /** Puts turns off a little while connections come; `accepted` counts those. */
  leaveRoomFor(accepted: () => number): void {
    this.#newcomers = new RoomForNewcomers(accepted)
  }

  add(peer: UploadPeer, request: Request<Answering>): void {
    if (this.#order.add(peer, request)) this.#serve()
    else peer.refuse(request.id, refuse('busy', 'too many pieces requested at once'))
  }

  /** Cancels a request. An answer that has begun goes on to its end. */
  cancel(peer: UploadPeer, requestId: number): void {
    if (this.#order.cancel(peer, requestId)) {
      peer.refuse(requestId, refuse('cancelled', 'cancelled'))
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

  /** Drops the requests of a peer that is gone. */
  drop(peer: UploadPeer): void {
    this.#order.onPeerGone(peer)
  }

  /** Call it when requests of this peer, or of all, that could not be answered may be answered now. */
  lookAgain(peer?: UploadPeer): void {
    this.#order.lookAgain(peer)
    this.#serve()
  }

  /** Begins every turn that can begin now. */
  #serve(): void {
    // Under a limit, strictly one piece after the other: the limit is the bottleneck, not the disk.
    const limited = this.#bucket.bytesPerSecond !== undefined
    const busyMax = limited || this.#order.peerCount > readAheadPeersMax ? 1 : 2
    while (this.#underWay < (limited ? 1 : underWayMax)) {
      const heldBySlow = this.#heldBySlow
      const heldByOthers = this.#uploads.size - heldBySlow
      if (heldByOthers >= heldMax - Math.min(heldBySlow, heldBySlowMax)) return
      if (this.#putsOff()) return
      const turn = this.#order.next(busyMax, heldBySlow < heldBySlowMax)
      if (turn === undefined) return
      this.#begunAtOnce++
      const { line, id, load: answering } = turn
      const upload = {
        line,
        id,
        answering,
        isCancelled: false,
        hasBegun: false,
        isSent: false,
        isTold: false,
        turnIsOver: false,
      }
      this.#uploads.add(upload)
      this.#underWay++
      void this.#upload(upload)
    }
  }

  /** Whether turns have to wait for the next turn of the event loop. */
  #putsOff(): boolean {
    if (this.#isPutOff) return true
    const nowMs = performance.now()
    this.#isPutOff = this.#begunAtOnce >= begunAtOnceMax || this.#newcomers.isNeeded(nowMs)
    if (!this.#isPutOff) this.#newcomers.onWorked(nowMs)
    if (!this.#willTurn) setImmediate(() => this.#onLoopTurn())
    this.#willTurn = true
    return this.#isPutOff
  }

  #onLoopTurn(): void {
    this.#willTurn = false
    this.#begunAtOnce = 0
    if (!this.#isPutOff) return
    this.#isPutOff = false
    this.#serve()
  }

  get #heldBySlow(): number {
    let count = 0
    for (const { line } of this.#uploads) if (isSlow(line)) count++
    return count
  }

  /** It has waited too long for its peer to read. */
  #onSlow(upload: Upload, onTurnOver: () => void): void {
    this.#order.onPace(upload.line, 'slow')
    onTurnOver()
    if (this.#heldBySlow > heldBySlowMax) this.#cutOneSlow()
    // Its piece now counts as held by a slow peer, which may free a place for another.
    this.#serve()
  }

  /** Of the user whose slow peers hold most, the peer that has held its piece longest. */
  #cutOneSlow(): void {
    const held = new Map<string, Upload[]>()
    for (const upload of this.#uploads) {
      const { owner } = upload.line.peer
      if (isSlow(upload.line)) held.set(owner, [...(held.get(owner) ?? []), upload])
    }
    const [most = []] = [...held.values()].toSorted((a, b) => b.length - a.length)
    most[0]?.line.peer.close('it does not read what it asked for, and others wait')
  }

  async #upload(upload: Upload): Promise<void> {
    const { line, id, answering } = upload
    const buffer = answering.index === undefined ? noBuffer : takePieceBuffer()
    let sending: Sending | undefined
    // Told while the limit still holds the piece back, the peer can cancel it if it is coming from elsewhere.
    if (this.#bucket.bytesPerSecond !== undefined) tellChoice(upload)
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

  #endTurn(upload: Upload): void {
    if (upload.turnIsOver) return
    upload.turnIsOver = true
    this.#underWay--
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
    const strict = this.#bucket.bytesPerSecond !== undefined && line.busy === 1
    return { taken, turnOver: strict ? Promise.race([taken, isOver]) : Promise.resolve() }
  }

  async #send(upload: Upload, bytes: Uint8Array, onTurnOver: () => void): Promise<void> {
    const { line } = upload
    const { peer } = line
    let patienceMs = patienceWith(line)
    let isPrompt = true
    const onPatienceOver = (): void => {
      isPrompt = false
      this.#onSlow(upload, onTurnOver)
    }
    for (let at = 0; at < bytes.length;) {
      const sliceBytes = Math.min(pieceBytes - (at % pieceBytes), this.#bucket.sliceBytes)
      const slice = bytes.subarray(at, Math.min(bytes.length, at + sliceBytes))
      const allowed = this.#slices.take(peer.owner, slice.length)
      if (allowed !== undefined) await allowed
      if (peer.isGone || upload.isCancelled) {
        this.#bucket.giveBack(slice.length)
        return
      }
      if (!upload.hasBegun) peer.begin(upload.id, upload.answering.index, bytes.length)
      upload.hasBegun = true
      const sentAtMs = performance.now()
      const timer = setTimeout(onPatienceOver, patienceMs)
      await peer.send(slice)
      clearTimeout(timer)
      patienceMs -= performance.now() - sentAtMs
      at += slice.length
      // A turn is a piece. A manifest that is longer goes on beside the turns of others, and costs later turns.
      if (at > pieceBytes) this.#order.onSentBeside(line, slice.length)
      if (at % pieceBytes > 0) continue
      onTurnOver()
      patienceMs = patienceWith(line)
    }
    if (isPrompt && !peer.isGone) this.#order.onPace(line, 'prompt')
  }
}

/** A user's peers are tried once: with one that hangs on each of many connections nobody else would be served. */
function patienceWith({ owner }: Line<UploadPeer, Answering>): number {
  return owner.distrust > 0 ? 0 : slowReaderMs
}

function tellChoice(upload: Upload): void {
  const { line, id, answering } = upload
  if (upload.isTold || answering.isChoice !== true || answering.index === undefined) return
  upload.isTold = true
  line.peer.tellChosen(id, answering.index)
}
