// Sends pieces, under the upload limit. One piece at a time at full speed, round-robin over the peers that
// can take one, rather than a little to all: a whole piece that arrives early can be passed on early.

import { refuse, type Answer } from '../../common/refusal.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import { UploadOrder, type Line, type Request } from './upload-order.ts'

/** How the queue reaches one peer. */
export interface UploadPeer {
  /** Tells which piece was chosen for a request, before its answer begins. */
  tellChosen(requestId: number, index: number): void
  /** Begins an answer of `bytes` raw bytes. */
  begin(requestId: number, index: number | undefined, bytes: number): void
  /** Sends some of them; resolves when the system has taken them or the peer is gone. */
  send(bytes: Uint8Array): Promise<void>
  refuse(requestId: number, answer: Answer<never>): void
  readonly isGone: boolean
}

/** What answers a request. */
export interface Answering {
  /** The piece; none for a manifest. */
  readonly index?: number
  /** It was chosen here, so the peer does not know it. */
  readonly isChoice?: boolean
  /** The bytes to answer with, in this buffer of a piece's size if they come from a file. */
  load(buffer: Buffer): Promise<Answer<Uint8Array>>
}

/** An answer from its turn until the system has taken it. */
interface Upload {
  readonly line: Line<UploadPeer, Answering>
  readonly id: number
  readonly answering: Answering
  /** Cancelled after it was chosen and before it began. */
  isCancelled: boolean
  hasBegun: boolean
  /** The peer was told what was chosen for it. */
  isTold: boolean
  turnIsOver: boolean
}

interface Sending {
  /** The system has taken all of the piece, or the peer is gone. */
  readonly taken: Promise<void>
  /** The next piece may begin. */
  readonly turnOver: Promise<void>
}

/** Pieces under way at once: enough to read one from disk while another is being sent. */
const underWayMax = 4

/**
 * With up to so many peers, the next piece of a peer is read while its last is being taken by the
 * system. With more, that would be too many buffers in the hands of peers that read slowly.
 */
const readAheadPeersMax = 16

/**
 * Pieces in memory at once, being read or in the hands of peers: 16 MiB, however many peers read. Those that
 * do not take a piece promptly are given no more than so many of them, and whatever those hold that have
 * turned out to be slow, or hang, the difference is for the others.
 */
const heldMax = 32
const heldBySlowMax = 24

/**
 * A peer that takes longer for a piece is slow. Under a limit one piece waits so long in all for its peer to
 * read; after that others are served beside it: a peer that hangs, its socket open and full, must not stop
 * the uploads to everybody.
 */
const slowReaderMs = 250

export class UploadQueue {
  readonly #bucket: TokenBucket
  readonly #order = new UploadOrder<UploadPeer, Answering>(Math.random)
  readonly #uploads = new Set<Upload>()
  /** By peer: when what was begun has been taken. The answer of one piece must not begin inside another's. */
  readonly #sent = new WeakMap<UploadPeer, Promise<void>>()
  #underWay = 0

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  add(peer: UploadPeer, request: Request<Answering>): void {
    if (this.#order.add(peer, request)) this.serve()
    else peer.refuse(request.id, refuse('busy', 'too many pieces are asked for at once'))
  }

  /** The peer does not need this any more. What is being sent already goes on to its end. */
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
      // Its turn goes to another at once: whoever waits for the limit need not wait for this one too.
      this.#endTurn(upload)
    }
  }

  /** The peer is gone. */
  drop(peer: UploadPeer): void {
    this.#order.onPeerGone(peer)
  }

  /** Begins what can be begun now. Called also when there is a new piece, which somebody may wait for. */
  serve(): void {
    // A limited sender is strict, one piece after the other: the limit is the bottleneck, not the disk.
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
    // While it waits for the limit, the peer may say that the piece is coming from elsewhere by now.
    if (this.#bucket.bytesPerSecond !== undefined) tellChoice(upload)
    try {
      const loaded = await answering.load(buffer)
      if (upload.isCancelled) return
      if (loaded.ok) {
        sending = this.#begin(upload, loaded.value)
        await sending.turnOver
      } else {
        // Only who knows what was chosen can ask for it again: it is not chosen twice.
        tellChoice(upload)
        line.peer.refuse(id, loaded)
      }
    } finally {
      // The turn is over when the piece is on its way, the buffer when the system has taken it:
      // a peer that reads slowly holds a buffer, never the queue.
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
    // Where a limit was set just now, an earlier piece may still be in the hands of this peer.
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
      // It holds its piece among the slow from now on: there may be a place for another.
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
