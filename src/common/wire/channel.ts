// One connection: a socket with the codec on it. Owns joining the messages of a turn into one write,
// the bound on what may wait unsent, and the word that an idle or dead connection is. Knows no methods.

import { connect, type Socket } from 'node:net'
import type { Address } from '../addresses.ts'
import { formatAddress } from '../addresses.ts'
import { Failure } from '../failure.ts'
import { connectTimeoutMs, malformedLinesMax, unsentBytesMax } from '../limits.ts'
import { encodeLine, FrameReader, type Frame } from './frames.ts'

export interface ChannelEvents {
  onFrame(frame: Frame): void
  /** A line that was no JSON; there may be `malformedLinesMax` before the channel closes. */
  onMalformed(): void
  bodyBuffer(message: object, bytes: number): Uint8Array
  /** Called once, whoever closed. */
  onClosed(reason: Failure): void
  /** Bytes came in; for a meter or a limit. */
  onBytes?(count: number): void
}

export interface OpenOptions {
  /** The address to call from: the other end takes it for where this program can be reached. */
  readonly localHost?: string | undefined
  /** At most so many bytes of a body are read at once; for a reader that limits its rate. */
  readonly readBytesMax?: () => number
}

/** Small, so that little of a body that follows a line has to be copied out of it. */
const scratchBytes = 8 * 1024

export class Channel {
  readonly socket: Socket
  readonly reader: FrameReader
  /** The last time a byte came in, in milliseconds of `performance.now()`. */
  lastHeardAtMs = performance.now()
  /** The last time a message was sent, likewise. */
  lastSentAtMs = performance.now()
  readonly #direct: boolean
  #events: ChannelEvents | undefined
  #outbox = ''
  #flushSoon: NodeJS.Immediate | undefined
  #malformed = 0
  /** Of the unsent bytes, those that `sendBytes` was given: their sender waits for them itself. */
  #bulkBytes = 0
  /** Bytes that `beginBulk` announced and that are still to come. No message may go between them. */
  #bulkOwed = 0
  #closedBecause: Failure | undefined

  /** `direct`: the socket was made by `openChannel` and hands its bytes over by itself. */
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

  /** Sets who is told what comes in. To be called in the turn that made the channel, before any byte. */
  listen(events: ChannelEvents): void {
    this.#events = events
    if (this.#closedBecause !== undefined) events.onClosed(this.#closedBecause)
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined
  }

  /** Bytes that were sent here but not yet taken by the system. */
  get unsentBytes(): number {
    return this.socket.writableLength + this.#outbox.length
  }

  /** Takes bytes in by `take`; a stream that cannot be followed closes the channel. */
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

  /** Sends a message. All messages of one turn go out in one write: many small writes cost five times more. */
  send(message: object): void {
    if (this.#closedBecause !== undefined) return
    this.#outbox += encodeLine(message)
    this.lastSentAtMs = performance.now()
    this.#flushSoon ??= setImmediate(() => this.flush())
    if (this.unsentBytes - this.#bulkBytes > unsentBytesMax) {
      this.close(new Failure('connection-lost', 'the other end does not read what it is sent'))
    }
  }

  /** Sends a message that announces `bytes` raw bytes. Other messages wait until they have been sent. */
  beginBulk(message: object, bytes: number): void {
    if (this.#bulkOwed > 0) throw new Error('one bulk at a time')
    if (bytes === 0) {
      this.send(message)
      return
    }
    // Held until the first bytes: the line and they go out in one write, and arrive as one.
    this.socket.cork()
    this.send(message)
    this.flush()
    this.#bulkOwed = bytes
  }

  /**
   * Sends some of the announced bytes, uncopied: they must not change until `onTaken`, which is called
   * when the system has taken them or the channel has closed.
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

  /** Sends what is waiting, then closes. */
  close(reason: Failure): void {
    if (this.#closedBecause !== undefined) return
    this.flush()
    this.#closedBecause = reason
    this.socket.uncork()
    // From here on no byte may go into a buffer that its owner, told of the end, is using again.
    if (this.#direct) this.socket.pause()
    // destroySoon ends the stream after the last write; destroy alone would drop an error reply.
    this.socket.destroySoon()
    // A reader that does not read would keep the last write, and with it the socket, for ever.
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
 * Connects, and reads bodies straight into their buffers.
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
