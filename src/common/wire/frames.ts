// The codec of both protocols: bytes in, messages out, no I/O. A message is one line of JSON; one that
// says `bytes: n` is followed by exactly n raw bytes, its body. Knows nothing of methods.

import { Failure } from '../failure.ts'

/** A parsed but unchecked message, and its body if it announced one. */
export interface Frame {
  readonly message: unknown
  /** The length of its line in characters, by which the cost of parsing is estimated. */
  readonly lineLength: number
  readonly body?: Uint8Array
}

export interface FrameReaderOptions {
  /** The most bytes of a line, without its newline. May be raised while reading. */
  lineBytesMax: number
  /**
   * Returns a buffer of exactly `bytes` bytes for the body of this message. Called before the body is
   * read, so that its size can be checked before anything is allocated. Throws to refuse.
   */
  bodyBuffer: (message: object, bytes: number) => Uint8Array
  onFrame: (frame: Frame) => void
  /**
   * Takes a line of more than `longLineLength` characters as it is, to parse it when there is time. Without this it is
   * parsed at once.
   */
  onLongLine?: (line: string) => void
  /** A line was not JSON. Nothing more is read. */
  onMalformed: () => void
}

/** Lines of so many characters are parsed as they come: 64 of them take less than a millisecond. */
export const longLineLength = 512

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Cuts a byte stream into frames, however the bytes arrive. Throws a `protocol` failure where it loses
 * track of the stream (a line too long, a body nobody asked for): hang up then.
 */
export class FrameReader {
  readonly options: FrameReaderOptions
  /** The start of a line whose newline is yet to come. */
  #partial = Buffer.alloc(0)
  #partialBytes = 0
  /** Bytes of empty lines since the last line that was none. */
  #emptyBytes = 0
  #body: { message: object; lineLength: number; buffer: Uint8Array; filled: number } | undefined
  #isHeld = false
  #hasEnded = false
  /** Bytes that arrived while held. */
  #uncut: Buffer | undefined

  constructor(options: FrameReaderOptions) {
    this.options = options
  }

  /** The unfilled rest of the current body, for a socket that reads straight into it. */
  get bodyRest(): Uint8Array | undefined {
    return this.#body?.buffer.subarray(this.#body.filled)
  }

  /** Notes that `count` bytes were written to the start of `bodyRest`. */
  bodyReceived(count: number): void {
    const body = this.#body
    if (body === undefined) throw new Error('no body is being read')
    body.filled += count
    if (body.filled < body.buffer.length) return
    this.#body = undefined
    this.options.onFrame({ message: body.message, lineLength: body.lineLength, body: body.buffer })
  }

  /** Reads nothing more. To parse what comes behind a line that ends a connection costs time for nothing. */
  end(): void {
    this.#hasEnded = true
    this.#uncut = undefined
    this.#body = undefined
    this.#partial = Buffer.alloc(0)
    this.#partialBytes = 0
  }

  /** Begins no frame until `goOn`, even in the middle of `feed`: the rest is kept as it is. */
  hold(): void {
    this.#isHeld = true
  }

  /** Continues with the bytes kept since `hold`. */
  goOn(): void {
    this.#isHeld = false
    const uncut = this.#uncut
    this.#uncut = undefined
    if (uncut !== undefined) this.feed(uncut)
  }

  /** Takes bytes from the stream. The caller may reuse them once this returns. */
  feed(fed: Uint8Array): void {
    const bytes = Buffer.isBuffer(fed) ? fed : Buffer.from(fed.buffer, fed.byteOffset, fed.length)
    let at = 0
    while (at < bytes.length && !this.#hasEnded) {
      if (this.#body !== undefined) {
        const rest = this.#body.buffer.length - this.#body.filled
        const part = bytes.subarray(at, at + rest)
        this.#body.buffer.set(part, this.#body.filled)
        at += part.length
        this.bodyReceived(part.length)
        continue
      }
      // Between frames only: the socket may be reading into the rest of a body already.
      if (this.#isHeld) {
        const rest = bytes.subarray(at)
        this.#uncut = this.#uncut === undefined ? Buffer.from(rest) : Buffer.concat([this.#uncut, rest])
        return
      }
      if (this.#partialBytes === 0) at = this.#skipEmptyLines(bytes, at)
      if (at === bytes.length) return
      const end = bytes.indexOf(newline, at)
      if (end === -1) {
        this.#keep(bytes.subarray(at))
        return
      }
      const line = this.#line(bytes, at, end)
      at = end + 1
      this.#emptyBytes = 0
      this.#message(line)
    }
  }

  /** A few empty lines are somebody at a terminal. As many as fit a line are somebody who keeps this end busy. */
  #skipEmptyLines(bytes: Buffer, from: number): number {
    const at = pastEmptyLines(bytes, from)
    this.#emptyBytes += at - from
    if (this.#emptyBytes > this.options.lineBytesMax) throw new Failure('protocol', 'nothing but empty lines')
    return at
  }

  #keep(part: Uint8Array): void {
    const needed = this.#partialBytes + part.length
    this.#checkLength(needed)
    if (needed > this.#partial.length) {
      // Doubling keeps the cost of a line that comes byte by byte linear.
      const grown = Buffer.allocUnsafe(Math.max(256, 2 * needed))
      this.#partial.copy(grown, 0, 0, this.#partialBytes)
      this.#partial = grown
    }
    this.#partial.set(part, this.#partialBytes)
    this.#partialBytes = needed
  }

  /** Decodes the line that ends at `end`. A view of `bytes` would cost more than the text itself. */
  #line(bytes: Buffer, start: number, end: number): string {
    if (this.#partialBytes === 0) {
      this.#checkLength(end - start)
      return bytes.toString('utf8', start, end)
    }
    this.#keep(bytes.subarray(start, end))
    const line = this.#partial.toString('utf8', 0, this.#partialBytes)
    this.#partial = Buffer.alloc(0)
    this.#partialBytes = 0
    return line
  }

  #checkLength(bytes: number): void {
    if (bytes > this.options.lineBytesMax) {
      throw new Failure('protocol', `a line is longer than ${this.options.lineBytesMax} bytes`)
    }
  }

  #message(line: string): void {
    if (line === '' || line === '\r') return
    if (line.length > longLineLength && this.options.onLongLine !== undefined) {
      this.options.onLongLine(line)
      return
    }
    const parsed = parseLine(line)
    if (parsed === undefined) {
      this.end()
      this.options.onMalformed()
      return
    }
    const { message } = parsed
    const bytes = announcedBytes(message)
    if (bytes === undefined) {
      this.options.onFrame({ message, lineLength: line.length })
      return
    }
    const buffer = this.options.bodyBuffer(message as object, bytes)
    if (buffer.length !== bytes) {
      throw new Failure('protocol', `a body of ${bytes} bytes instead of ${buffer.length}`)
    }
    if (bytes === 0) this.options.onFrame({ message, lineLength: line.length, body: buffer })
    else this.#body = { message: message as object, lineLength: line.length, buffer, filled: 0 }
  }
}

/** Skips empty lines. They are cheap to send, and decoding each as a line would cost a hundred times as much. */
function pastEmptyLines(bytes: Buffer, from: number): number {
  let at = from
  for (;;) {
    if (bytes[at] === newline) at++
    else if (bytes[at] === carriageReturn && bytes[at + 1] === newline) at += 2
    else return at
  }
}

/** Undefined when the line is not JSON. */
export function parseLine(line: string): { readonly message: unknown } | undefined {
  try {
    return { message: JSON.parse(line) }
  } catch {
    return undefined
  }
}

/** Whether a message says that a body follows it. */
export function announcesBody(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'bytes' in message
}

/** The size of the body a message announces, undefined without one. Throws when `bytes` is not a count. */
function announcedBytes(message: unknown): number | undefined {
  if (!announcesBody(message)) return undefined
  const { bytes } = message as { bytes: unknown }
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw new Failure('protocol', '"bytes" is not a byte count')
  }
  return bytes
}

/** Encodes a message as its line. The body that its `bytes` announces must follow. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`
}
