// In which order pieces go out. One piece at a time at full speed, round-robin over the peers that can
// take one, rather than a little to all: a whole piece that arrives early can be passed on early.

import { pieceRequestsQueuedMax } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'

/** How the queue reaches one peer. */
export interface UploadPeer {
  /** Begins an answer of `bytes` raw bytes. */
  begin(requestId: number, bytes: number): void
  /** Sends some of them; resolves when the system has taken them or the peer is gone. */
  send(bytes: Uint8Array): Promise<void>
  refuse(requestId: number, answer: Answer<never>): void
  readonly isGone: boolean
}

interface Request {
  readonly id: number
  /** The bytes to answer with, in this buffer of a piece's size if they come from a file. */
  load(buffer: Buffer): Promise<Answer<Uint8Array>>
}

interface Line {
  readonly peer: UploadPeer
  readonly requests: Request[]
  /** Pieces that are being read or sent. */
  busy: number
  /** When what was begun has been taken: the answer of one piece must not begin inside another's. */
  sent: Promise<void>
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
 * Under a limit, how long one piece waits in all for its peer to read. After that others are served
 * beside it: a peer that hangs, its socket open and full, must not stop the uploads to everybody.
 */
const slowReaderMs = 250

export class UploadQueue {
  readonly #bucket: TokenBucket
  /** In the order of their turns: whose turn begins goes to the end, and again when it is over. */
  readonly #lines = new Map<UploadPeer, Line>()
  #underWay = 0

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  add(peer: UploadPeer, request: Request): void {
    let line = this.#lines.get(peer)
    if (line === undefined) {
      line = { peer, requests: [], busy: 0, sent: Promise.resolve() }
      this.#lines.set(peer, line)
    }
    if (line.requests.length >= pieceRequestsQueuedMax) {
      peer.refuse(request.id, refuse('busy', 'too many pieces are asked for at once'))
      return
    }
    line.requests.push(request)
    this.#serve()
  }

  /** The peer does not need this any more. What is being sent already goes on to its end. */
  cancel(peer: UploadPeer, requestId: number): void {
    const requests = this.#lines.get(peer)?.requests ?? []
    const at = requests.findIndex((request) => request.id === requestId)
    if (at === -1) return
    requests.splice(at, 1)
    peer.refuse(requestId, refuse('cancelled', 'cancelled'))
  }

  /** The peer is gone. */
  drop(peer: UploadPeer): void {
    this.#lines.delete(peer)
  }

  #serve(): void {
    // A limited sender is strict, one piece after the other: the limit is the bottleneck, not the disk.
    const limited = this.#bucket.bytesPerSecond !== undefined
    while (this.#underWay < (limited ? 1 : underWayMax)) {
      const line = this.#next()
      const request = line?.requests.shift()
      if (line === undefined || request === undefined) return
      this.#toEnd(line)
      this.#underWay++
      line.busy++
      void this.#upload(line, request).finally(() => {
        line.busy--
        this.#serve()
      })
    }
  }

  #next(): Line | undefined {
    const limited = this.#bucket.bytesPerSecond !== undefined
    const busyMax = limited || this.#lines.size > readAheadPeersMax ? 1 : 2
    for (const line of this.#lines.values()) {
      if (line.requests.length > 0 && line.busy < busyMax) return line
    }
    return undefined
  }

  async #upload(line: Line, request: Request): Promise<void> {
    const buffer = takePieceBuffer()
    let sending: Sending | undefined
    try {
      const loaded = await request.load(buffer)
      if (loaded.ok) {
        sending = this.#begin(line, request.id, loaded.value)
        await sending.turnOver
      } else {
        line.peer.refuse(request.id, loaded)
      }
    } finally {
      // The turn is over when the piece is on its way, the buffer when the system has taken it:
      // a peer that reads slowly holds a buffer, never the queue.
      this.#underWay--
      this.#toEnd(line)
      this.#serve()
      await sending?.taken
      returnPieceBuffer(buffer)
    }
  }

  #begin(line: Line, requestId: number, bytes: Uint8Array): Sending {
    let onSlow: () => void = () => undefined
    const slow = new Promise<void>((resolve) => (onSlow = resolve))
    const taken = line.sent.then(() => this.#send(line.peer, requestId, bytes, onSlow))
    line.sent = taken
    // Where a limit was set just now, an earlier piece may still be in the hands of this peer.
    const strict = this.#bucket.bytesPerSecond !== undefined && line.busy === 1
    return { taken, turnOver: strict ? Promise.race([taken, slow]) : Promise.resolve() }
  }

  async #send(peer: UploadPeer, requestId: number, bytes: Uint8Array, onSlow: () => void): Promise<void> {
    if (peer.isGone) return
    peer.begin(requestId, bytes.length)
    let patienceMs = slowReaderMs
    for (let at = 0; at < bytes.length;) {
      const slice = bytes.subarray(at, Math.min(bytes.length, at + this.#bucket.sliceBytes))
      const allowed = this.#bucket.take(slice.length)
      if (allowed !== undefined) await allowed
      if (peer.isGone) return
      const sentAtMs = performance.now()
      const timer = setTimeout(onSlow, patienceMs)
      await peer.send(slice)
      clearTimeout(timer)
      patienceMs -= performance.now() - sentAtMs
      at += slice.length
    }
  }

  #toEnd(line: Line): void {
    if (this.#lines.get(line.peer) !== line) return
    this.#lines.delete(line.peer)
    this.#lines.set(line.peer, line)
  }
}
