// One connection: a socket with the codec on top. Batches the messages of a turn into one write, bounds
// unsent output, notes activity. Knows nothing of methods.

import { connect, type Socket } from 'node:net'
import type { Address } from '../addresses.ts'
import { formatAddress } from '../addresses.ts'
import { Failure } from '../failure.ts'
import { connectTimeoutMs, malformedLinesMax, unsentBytesMax } from '../limits.ts'
import { encodeLine, FrameReader, type Frame } from './frames.ts'

export interface ChannelEvents {
  onFrame(frame: Frame): void
  /** A line was not JSON. The channel closes after `malformedLinesMax` of them. */
  onMalformed(): void
  bodyBuffer(message: object, bytes: number): Uint8Array
  /** Called once, whichever end closed. */
  onClosed(reason: Failure): void
  /** Bytes arrived; for meters and limits. */
  onBytes?(count: number): void
}

export interface OpenOptions {
  /** The address to connect from: the other end takes it as the address of this program. */
  readonly localHost?: string | undefined
  /** The most bytes of a body to read at once, for a reader that limits its rate. */
  readonly readBytesMax?: () => number
}

/** Small, so that little of the body after a line has to be copied out. */
const scratchBytes = 8 * 1024

export class Channel {
  readonly socket: Socket
  readonly reader: FrameReader
  /** When a byte last arrived, in milliseconds of `performance.now()`. */
  lastHeardAtMs = performance.now()
  /** When a message was last sent, likewise. */
  lastSentAtMs = performance.now()
  readonly #direct: boolean
  #events: ChannelEvents | undefined
  #outbox = ''
  #flushSoon: NodeJS.Immediate | undefined
  #malformed = 0
  /** The part of the unsent bytes that came through `sendBytes`, whose sender waits for them. */
  #bulkBytes = 0
  /** Bytes announced by `beginBulk` and not yet sent. No message may go between them. */
  #bulkOwed = 0
  #closedBecause: Failure | undefined

  /** `direct`: the socket comes from `openChannel`, which feeds the bytes in itself. */
  constructor(socket: Socket, lineBytesMax: number, direct = false) {
    this.socket = socket
    this.#direct = direct
    this.reader = new FrameReader({
      lineBytesMax,
      bodyBuffer: (message, bytes) => {
        if (this.#events === undefined) throw new Failure('protocol', 'bytes that nobody asked for')
        return this.#events.bodyBuffer(message, bytes)
      },
      onFrame: (frame) => {
        if (this.#closedBecause === undefined) this.#events?.onFrame(frame)
      },
      onMalformed: () => {
        this.#onMalformed()
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
    if (!direct)
      socket.on('data', (chunk: Buffer) => this.receive(() => this.reader.feed(chunk), chunk.length))
  }

  /** Sets the receiver of everything that arrives. Call it in the turn that made the channel. */
  listen(events: ChannelEvents): void {
    this.#events = events
    if (this.#closedBecause !== undefined) events.onClosed(this.#closedBecause)
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined
  }

  /** Bytes handed to this channel that the system has not taken yet. */
  get unsentBytes(): number {
    return this.socket.writableLength + this.#outbox.length
  }

  /** Lets `take` process `count` bytes that arrived; closes the channel when it throws a failure. */
  receive(take: () => void, count: number): void {
    if (this.#closedBecause !== undefined) return
    this.lastHeardAtMs = performance.now()
    this.#events?.onBytes?.(count)
    try {
      take()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.close(error)
    }
  }

  /** Sends a message. All messages of a turn go out in one write: many small writes cost five times as much. */
  send(message: object): void {
    if (this.#closedBecause !== undefined) return
    this.#outbox += encodeLine(message)
    this.lastSentAtMs = performance.now()
    this.#flushSoon ??= setImmediate(() => this.flush())
    if (this.unsentBytes - this.#bulkBytes > unsentBytesMax) {
      this.close(new Failure('connection-lost', 'the other end has stopped reading'))
    }
  }

  /** Sends a message that announces `bytes` raw bytes. Other messages wait until those have been sent. */
  beginBulk(message: object, bytes: number): void {
    if (this.#bulkOwed > 0) throw new Error('one bulk at a time')
    if (bytes === 0) {
      this.send(message)
      return
    }
    // Corked until the first bytes, so that they leave in one write with the line and arrive with it.
    this.socket.cork()
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
    this.#bulkBytes += bytes.length
    this.socket.write(bytes, () => {
      this.#bulkBytes -= bytes.length
      onTaken()
    })
    this.socket.uncork()
    this.#bulkOwed -= bytes.length
    if (this.#bulkOwed === 0) this.flush()
  }

  flush(): void {
    if (this.#flushSoon !== undefined) clearImmediate(this.#flushSoon)
    this.#flushSoon = undefined
    if (this.#bulkOwed > 0) return
    const text = this.#outbox
    this.#outbox = ''
    if (text !== '' && this.socket.writable) this.socket.write(text)
  }

  /** Sends pending output, then closes. */
  close(reason: Failure): void {
    if (this.#closedBecause !== undefined) return
    this.flush()
    this.#closedBecause = reason
    this.socket.uncork()
    // The owner of a body buffer may reuse it once told of the end: no byte may go into it any more.
    if (this.#direct) this.socket.pause()
    // destroySoon ends the stream after the last write; destroy alone would drop an error reply.
    this.socket.destroySoon()
    // A peer that stops reading would hold the last write, and with it the socket, for ever.
    setTimeout(() => this.socket.destroy(), connectTimeoutMs).unref()
    this.#events?.onClosed(reason)
  }

  #onMalformed(): void {
    this.#malformed++
    this.#events?.onMalformed()
    if (this.#malformed > malformedLinesMax)
      this.close(new Failure('protocol', 'too many lines that are not JSON'))
  }
}

/**
 * Opens a connection whose bodies are read straight into their buffers.
 * Rejects with a `connection-lost` or `timeout` failure that names the address.
 */
export function openChannel(
  address: Address,
  lineBytesMax: number,
  { localHost, readBytesMax }: OpenOptions = {},
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const scratch = Buffer.allocUnsafe(scratchBytes)
    let channel: Channel | undefined
    const socket = connect({
      host: address.host,
      port: address.port,
      ...(localHost === undefined ? {} : { localAddress: localHost }),
      onread: {
        buffer: () => channel?.reader.bodyRest?.subarray(0, readBytesMax?.()) ?? scratch,
        callback: (count, buffer) => {
          const { reader } = channel as Channel
          const take =
            buffer === scratch
              ? () => reader.feed(scratch.subarray(0, count))
              : () => reader.bodyReceived(count)
          channel?.receive(take, count)
          return channel?.isClosed === false
        },
      },
    })
    const timer = setTimeout(() => {
      socket.destroy(new Failure('timeout', `${formatAddress(address)} does not answer`))
    }, connectTimeoutMs)
    socket.once('error', (error) => {
      clearTimeout(timer)
      const sentence = `cannot connect to ${formatAddress(address)}: ${error.message}`
      reject(error instanceof Failure ? error : new Failure('connection-lost', sentence, error))
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      channel = new Channel(socket, lineBytesMax, true)
      resolve(channel)
    })
  })
}
