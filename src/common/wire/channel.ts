// One connection: a socket with the codec on top. Batches the messages of a turn into one write, says when the other
// end has caught up with reading, notes activity. Hides the socket, and knows nothing of methods.

import type { Socket } from 'node:net'
import { Failure } from '../failure.ts'
import { connectTimeoutMs, drainedShare, stalledAfterMs, unsentBytesMax } from '../limits.ts'
import { encodeLine, FrameReader, type Frame } from './frames.ts'
import { opened, type TlsSession } from './tls-session.ts'
import type { Secure } from './tls.ts'

export interface ChannelEvents {
  onFrame(frame: Frame): void
  /** See `FrameReaderOptions`. */
  onLongLine?(line: string): void
  /** A line was not JSON. */
  onMalformed(): void
  bodyBuffer(message: object, bytes: number): Uint8Array
  /** Called once, whichever end closed. */
  onClosed(reason: Failure): void
  /** Bytes arrived; for meters and limits. */
  onBytes?(count: number): void
}

/** Why reading is paused; whoever gives a reason lifts it. */
export type PauseReason = 'requests' | 'output' | 'limit'

/** Node's own count, for its timeouts, of a socket's bytes that the system has not taken. */
interface WriteQueue {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** Channels with messages of this turn of the event loop. */
const withOutput = new Set<Channel>()
let willFlush: NodeJS.Immediate | undefined

/** Sends now what was to go out at the end of the turn: after work that began there itself, it would be the next one. */
export function flushAll(): void {
  for (const channel of withOutput) channel.flush()
}

export interface ChannelOptions {
  /** The socket comes from `openChannel`, which feeds the bytes in itself. */
  readonly direct?: boolean
  readonly secure?: Secure | undefined
  /** The socket carries sealed bytes, and this is what seals them; its handshake is done. */
  readonly session?: TlsSession | undefined
}

export class Channel {
  readonly #socket: Socket
  readonly #reader: FrameReader
  /** When a byte last arrived, in milliseconds of `performance.now()`. */
  lastHeardAtMs = performance.now()
  /** When a message was last sent, likewise. */
  lastSentAtMs = performance.now()
  /** `stalledAfterMs` of limits.ts, or `stalledInPiecesAfterMs`. */
  stalledAfterMs = stalledAfterMs
  /** See `unsentBytesMax`; less where connections are many. */
  unsentBytesMax = unsentBytesMax
  readonly #direct: boolean
  /** What TLS says of the other end; undefined for a plain connection. */
  readonly secure: Secure | undefined
  readonly #session: TlsSession | undefined
  readonly #pauses = new Set<PauseReason>()
  #events: ChannelEvents | undefined
  #outbox = ''
  /** Callers that wait until the other end has read. */
  #whenDrained: (() => void)[] = []
  /** Checks, while something is unsent, whether the other end reads. */
  #stallWatch: NodeJS.Timeout | undefined
  /** Unsent bytes from `sendBytes`, whose sender waits for them. */
  #bulkBytes = 0
  /** Bytes announced by `beginBulk` and not yet sent. No message may come between them. */
  #bulkOwed = 0
  #closedBecause: Failure | undefined
  #hasHeardLine = false

  constructor(
    socket: Socket,
    lineBytesMax: number,
    { direct = false, secure, session }: ChannelOptions = {},
  ) {
    this.#socket = socket
    this.#direct = direct
    // It has none when it is closed already, and then nobody is told.
    this.remotePort = socket.remotePort ?? 1
    this.secure = secure
    this.#session = session
    this.#reader = new FrameReader({
      lineBytesMax,
      bodyBuffer: (message, bytes) => {
        if (this.#events === undefined) throw new Failure('protocol', 'bytes that nobody asked for')
        return this.#events.bodyBuffer(message, bytes)
      },
      onFrame: (frame) => {
        this.#hasHeardLine = true
        if (this.#closedBecause === undefined) this.#events?.onFrame(frame)
      },
      onMalformed: () => {
        if (this.#closedBecause === undefined) this.#events?.onMalformed()
      },
    })
    socket.setNoDelay(true)
    socket.on('error', (error) => {
      this.close(new Failure('connection-lost', `the connection broke: ${error.message}`, error))
    })
    socket.on('end', () => {
      this.close(new Failure('connection-lost', 'the other end closed the connection'))
    })
    socket.on('close', () => {
      this.close(new Failure('connection-lost', 'the connection closed'))
    })
    if (direct) return
    socket.on('data', (chunk: Buffer) => (session === undefined ? this.feed(chunk) : this.open(chunk)))
  }

  /** Sets the receiver of everything that arrives. Call it in the turn that made the channel. */
  listen(events: ChannelEvents): void {
    this.#events = events
    if (events.onLongLine !== undefined) {
      this.#reader.options.onLongLine = (line) => {
        this.#hasHeardLine = true
        if (this.#closedBecause === undefined) events.onLongLine?.(line)
      }
    }
    if (this.#closedBecause !== undefined) events.onClosed(this.#closedBecause)
  }

  /** Whether a message has arrived. */
  get hasHeardLine(): boolean {
    return this.#hasHeardLine
  }

  /** The port at the other end. */
  readonly remotePort: number
  /** The port of this end; undefined once it is closed. */
  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  /** The address of this end; undefined once it is closed. */
  get localHost(): string | undefined {
    return this.#socket.localAddress
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined
  }

  /** The most bytes of an incoming line, without its newline. May be changed at any time. */
  set lineBytesMax(bytes: number) {
    this.#reader.options.lineBytesMax = bytes
  }

  /** Message bytes that the system has not taken yet, without those of `sendBytes`. */
  get unsentBytes(): number {
    return this.#socket.writableLength + this.#outbox.length - this.#bulkBytes
  }

  /** Whether there is anything that the system has not taken yet. */
  get hasUnsent(): boolean {
    return this.#socket.writableLength > 0
  }

  /** Whether the other end is behind with reading: send it only what must be sent, until `whenDrained`. */
  get isBehind(): boolean {
    return this.unsentBytes > this.unsentBytesMax
  }

  get #drainedBytes(): number {
    return this.unsentBytesMax * drainedShare
  }

  /** The unfilled rest of the body that is arriving. */
  get bodyRest(): Uint8Array | undefined {
    return this.#reader.bodyRest
  }

  /** Takes bytes that arrived; closes the channel when they break the codec. They may be reused afterwards. */
  feed(bytes: Uint8Array): void {
    this.#receive(() => this.#reader.feed(bytes), bytes.length)
  }

  /** Takes sealed bytes as they came from the socket, likewise: those of a body are opened straight into it. */
  open(sealed: Uint8Array): void {
    const session = this.#session
    if (session === undefined) throw new Error('nothing is sealed on this channel')
    let rest = sealed
    // What arrives may close the channel, which ends the session.
    while (this.#closedBecause === undefined) {
      const body = this.bodyRest
      const used = this.#take(() => session.open(rest, body ?? opened))
      if (used === undefined) return
      rest = rest.subarray(used)
      const { filled } = session
      if (filled === 0) break
      if (body === undefined) this.feed(opened.subarray(0, filled))
      else this.bodyReceived(filled)
    }
    if (this.#closedBecause === undefined && session.isEnded)
      this.close(new Failure('connection-lost', 'the other end closed the connection'))
  }

  /** Notes that `count` bytes arrived in `bodyRest`. */
  bodyReceived(count: number): void {
    this.#receive(() => this.#reader.bodyReceived(count), count)
  }

  /** Stops reading, and holds back frames that have arrived, until every reason is lifted. */
  pause(reason: PauseReason): void {
    this.#pauses.add(reason)
    this.#reader.hold()
    this.#socket.pause()
  }

  /** Lifts a reason; reading goes on when it was the last. */
  resume(reason: PauseReason): void {
    if (!this.#pauses.delete(reason) || this.#pauses.size > 0 || this.isClosed) return
    // This end caused the silence.
    this.lastHeardAtMs = performance.now()
    this.#take(() => this.#reader.goOn())
    // Frames held back may have caused another pause.
    if (this.#pauses.size === 0 && !this.isClosed) this.#socket.resume()
  }

  get isPaused(): boolean {
    return this.#pauses.size > 0
  }

  isPausedFor(reason: PauseReason): boolean {
    return this.#pauses.has(reason)
  }

  /** Resolves when the other end has read nearly everything sent, or the channel is closed. */
  whenDrained(): Promise<void> {
    if (this.isClosed || this.unsentBytes <= this.#drainedBytes) return Promise.resolve()
    return new Promise((resolve) => this.#whenDrained.push(resolve))
  }

  /** Sends a message. All messages of a turn go out in one write: many small writes cost five times as much. */
  send(message: object): void {
    this.sendLine(encodeLine(message))
  }

  /** Sends a line from `encodeLine`, which may serve several channels. */
  sendLine(line: string): void {
    if (this.#closedBecause !== undefined) return
    this.#outbox += line
    this.lastSentAtMs = performance.now()
    withOutput.add(this)
    willFlush ??= setImmediate(() => {
      willFlush = undefined
      flushAll()
    })
  }

  /** Sends a message that announces `bytes` raw bytes. Other messages wait until those are sent. */
  beginBulk(message: object, bytes: number): void {
    if (this.#bulkOwed > 0) throw new Error('one bulk at a time')
    if (bytes === 0) {
      this.send(message)
      return
    }
    // Corked until the first bytes, so that they leave in one write with the line and arrive with it.
    this.#socket.cork()
    this.send(message)
    this.flush()
    this.#bulkOwed = bytes
  }

  /**
   * Sends some of the announced bytes without copying them: leave them unchanged until `onTaken`, which
   * is called when the system has taken them or the channel has closed.
   */
  sendBytes(bytes: Uint8Array, onTaken: () => void): void {
    if (this.#closedBecause !== undefined) {
      onTaken()
      return
    }
    const written = this.#write(bytes, () => {
      this.#bulkBytes -= written
      this.#onWritten()
      onTaken()
    })
    this.#bulkBytes += written
    this.#socket.uncork()
    this.#watchReader()
    this.#bulkOwed -= bytes.length
    if (this.#bulkOwed === 0) this.flush()
  }

  flush(): void {
    withOutput.delete(this)
    if (this.#bulkOwed > 0) return
    const text = this.#outbox
    this.#outbox = ''
    if (text === '' || !this.#socket.writable || this.#session?.isBroken === true) return
    this.#write(text, () => this.#onWritten())
    this.#watchReader()
  }

  /** Returns how many bytes that makes on the line. `onTaken` is never called in this turn. */
  #write(bytes: Uint8Array | string, onTaken: () => void): number {
    if (this.#session === undefined) {
      this.#socket.write(bytes, onTaken)
      return bytes.length
    }
    const sealed = this.#session.seal(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
    this.#socket.write(sealed.bytes, () => {
      sealed.release()
      onTaken()
    })
    return sealed.bytes.length
  }

  /** Sends pending output, then closes. */
  close(reason: Failure): void {
    if (this.#closedBecause !== undefined) return
    this.flush()
    // Of an announced body that is not complete, nothing can follow.
    const last = this.#session?.close()
    if (last !== undefined && this.#socket.writable) this.#socket.write(last)
    this.#closedBecause = reason
    this.#reader.end()
    clearInterval(this.#stallWatch)
    this.#socket.uncork()
    // Once told of the end, the owner of a body buffer may reuse it: no more bytes may go into it.
    if (this.#direct) this.#socket.pause()
    // destroySoon ends the stream after the last write; destroy alone would drop an error reply.
    this.#socket.destroySoon()
    if (!this.#socket.closed) {
      // A peer that stops reading would hold the last write, and with it the socket, forever.
      const timer = setTimeout(() => this.#socket.destroy(), connectTimeoutMs)
      timer.unref()
      this.#socket.once('close', () => clearTimeout(timer))
    }
    this.#tellDrained()
    this.#events?.onClosed(reason)
  }

  #receive(take: () => void, count: number): void {
    if (this.#closedBecause !== undefined) return
    this.lastHeardAtMs = performance.now()
    this.#events?.onBytes?.(count)
    this.#take(take)
  }

  /** Undefined when that closed the channel. */
  #take<T>(take: () => T): T | undefined {
    try {
      return take()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.close(error)
      return undefined
    }
  }

  #onWritten(): void {
    if (this.#whenDrained.length > 0 && this.unsentBytes <= this.#drainedBytes) this.#tellDrained()
    if (this.#socket.writableLength > 0) return
    clearInterval(this.#stallWatch)
    this.#stallWatch = undefined
  }

  #tellDrained(): void {
    const waiting = this.#whenDrained
    this.#whenDrained = []
    for (const tell of waiting) tell()
  }

  /**
   * Closes the connection when its other end reads none of the waiting output for `this.stalledAfterMs`. A slow reader
   * is never cut: senders bound what it is sent.
   */
  #watchReader(): void {
    if (this.#stallWatch !== undefined || this.#socket.writableLength === 0 || this.isClosed) return
    let before = this.#written()
    this.#stallWatch = setInterval(() => {
      const written = this.#written()
      if (written === before) this.close(new Failure('connection-lost', 'the other end has stopped reading'))
      before = written
    }, this.stalledAfterMs)
    this.#stallWatch.unref()
  }

  /** Changes whenever the system takes bytes, even part of a write. */
  #written(): string {
    const { _handle: handle } = this.#socket as WriteQueue
    return `${this.#socket.bytesWritten - this.#socket.writableLength} ${handle?.writeQueueSize ?? 0}`
  }
}
