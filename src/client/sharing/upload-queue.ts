// Sends pieces under the upload limit: whole pieces, round-robin over the peers that can take one. A piece
// that arrives whole and early can be passed on early, unlike one sent in parallel with many others.

import { refuse, type Answer } from '../../common/refusal.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import { UploadOrder, type Line, type Request } from './upload-order.ts'

/** How the queue reaches one peer. */
export interface UploadPeer {
  /** Tells the peer which piece was chosen for a request, before its answer begins. */
  tellChosen(requestId: number, index: number): void
  /** Begins an answer with a body of `bytes` bytes. */
  begin(requestId: number, index: number | undefined, bytes: number): void
  /** Sends a part of the body; resolves when the system has taken it or the peer is gone. */
  send(bytes: Uint8Array): Promise<void>
  refuse(requestId: number, answer: Answer<never>): void
  readonly isGone: boolean
}

/** The answer to a request. */
export interface Answering {
  /** The piece; undefined for a manifest. */
  readonly index?: number
  /** The piece was chosen here, and the peer has yet to learn which. */
  readonly isChoice?: boolean
  /** Loads the body. Bytes from a file go into `buffer`, which has the size of a piece. */
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

/** Turns under way at once: enough to read one piece from disk while another is being sent. */
const underWayMax = 4

/**
 * With at most this many peers, a peer's next piece is read while the system takes its last one. With more,
 * slow readers would hold too many buffers.
 */
const readAheadPeersMax = 16

/**
 * Pieces in memory at once, being read or sent: 16 MiB, however many peers there are. Peers known to be slow
 * are given at most `heldBySlowMax` of them. The difference always remains for the others, whatever is held
 * by peers that turned slow later or hang.
 */
const heldMax = 32
const heldBySlowMax = 24

/**
 * A peer that takes longer for a piece is slow. Under a limit, pieces go out strictly one by one, but after
 * waiting this long in all for the peer to read, others are served beside it: a peer that hangs with its
 * socket full must not stop all uploads.
 */
const slowReaderMs = 250

export class UploadQueue {
  readonly #bucket: TokenBucket
  readonly #order = new UploadOrder<UploadPeer, Answering>(Math.random)
  readonly #uploads = new Set<Upload>()
  /** By peer: resolves when its last answer has been sent. Answers to a peer must not interleave. */
  readonly #sent = new WeakMap<UploadPeer, Promise<void>>()
  #underWay = 0

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  add(peer: UploadPeer, request: Request<Answering>): void {
    if (this.#order.add(peer, request)) this.serve()
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

  /** Begins every turn that can begin now. Call it too when a new piece arrives that a request may wait for. */
  serve(): void {
    // Under a limit, strictly one piece after the other: the limit is the bottleneck, not the disk.
    const limited = this.#bucket.bytesPerSecond !== undefined
    const busyMax = limited || this.#order.peerCount > readAheadPeersMax ? 1 : 2
    while (this.#underWay < (limited ? 1 : underWayMax)) {
      const heldBySlow = this.#heldBySlow
      const heldByOthers = this.#uploads.size - heldBySlow
      if (heldByOthers >= heldMax - Math.min(heldBySlow, heldBySlowMax)) return
      const turn = this.#order.next(busyMax, heldBySlow < heldBySlowMax)
      if (turn === undefined) return
      const { line, id, load: answering } = turn
      const upload = {
        line,
        id,
        answering,
        isCancelled: false,
        hasBegun: false,
        isTold: false,
        turnIsOver: false,
      }
      this.#uploads.add(upload)
      this.#underWay++
      void this.#upload(upload)
    }
  }

  get #heldBySlow(): number {
    let count = 0
    for (const { line } of this.#uploads) if (line.isSlow) count++
    return count
  }

  async #upload(upload: Upload): Promise<void> {
    const { line, id, answering } = upload
    const buffer = takePieceBuffer()
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
      this.#endTurn(upload)
      await sending?.taken
      this.#uploads.delete(upload)
      returnPieceBuffer(buffer)
      if (!upload.isCancelled) line.busy--
      this.serve()
    }
  }

  #endTurn(upload: Upload): void {
    if (upload.turnIsOver) return
    upload.turnIsOver = true
    this.#underWay--
    this.serve()
  }

  #begin(upload: Upload, bytes: Uint8Array): Sending {
    const { line } = upload
    let onSlow: () => void = () => undefined
    const slow = new Promise<void>((resolve) => (onSlow = resolve))
    const before = this.#sent.get(line.peer) ?? Promise.resolve()
    const taken = before.then(() => this.#send(upload, bytes, onSlow))
    this.#sent.set(line.peer, taken)
    // Not strict while an earlier piece, begun before the limit was set, is still being sent to this peer.
    const strict = this.#bucket.bytesPerSecond !== undefined && line.busy === 1
    return { taken, turnOver: strict ? Promise.race([taken, slow]) : Promise.resolve() }
  }

  async #send(upload: Upload, bytes: Uint8Array, onSlow: () => void): Promise<void> {
    const { line } = upload
    const { peer } = line
    let patienceMs = slowReaderMs
    let isPrompt = true
    const onPatienceOver = (): void => {
      isPrompt = false
      line.isSlow = true
      onSlow()
      // Its piece now counts as held by a slow peer, which may free a place for another.
      this.serve()
    }
    for (let at = 0; at < bytes.length;) {
      const slice = bytes.subarray(at, Math.min(bytes.length, at + this.#bucket.sliceBytes))
      const allowed = this.#bucket.take(slice.length)
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
    }
    if (isPrompt) line.isSlow = false
  }
}

function tellChoice(upload: Upload): void {
  const { line, id, answering } = upload
  if (upload.isTold || answering.isChoice !== true || answering.index === undefined) return
  upload.isTold = true
  line.peer.tellChosen(id, answering.index)
}
