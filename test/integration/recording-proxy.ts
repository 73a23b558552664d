// Somebody on the line between two programs: passes on what both say, and keeps a copy. Or does something else with a
// connection. Also what to look for in such a copy.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Address } from '../../src/common/addresses.ts'

export interface Taken {
  /** What the caller has said, and what it was told. */
  readonly said: Buffer
  readonly heard: Buffer
}

export interface LineOptions {
  /** Where to listen. */
  readonly host?: string
  /** From where to call, as which the other end sees the caller. */
  readonly from?: string
  /** Set later where it is not known yet. */
  target?: Address
  /** Does with a caller what it likes, in place of passing on. */
  instead?: Instead | undefined
}

/** `note` keeps what the caller said. */
export type Instead = (caller: Socket, note: (bytes: Buffer) => void) => void

export class Line {
  readonly options: LineOptions
  readonly #server: Server
  readonly #said: Buffer[] = []
  readonly #heard: Buffer[] = []
  readonly #sockets = new Set<Socket>()

  private constructor(options: LineOptions) {
    this.options = options
    this.#server = createServer((caller) => this.#pass(caller))
  }

  static async open(options: LineOptions): Promise<Line> {
    const line = new Line(options)
    const { host = '127.0.0.1' } = options
    await new Promise<void>((resolve) => line.#server.listen(0, host, resolve))
    return line
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Everything so far, in the order in which it came. */
  get taken(): Taken {
    return { said: Buffer.concat(this.#said), heard: Buffer.concat(this.#heard) }
  }

  /** Breaks all connections; takes new ones. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #pass(caller: Socket): void {
    const { target, from, instead } = this.options
    this.#keep(caller)
    const note = (bytes: Buffer): void => void this.#said.push(bytes)
    if (instead !== undefined || target === undefined) {
      instead?.(caller, note)
      return
    }
    caller.on('data', note)
    const called = connect({ ...target, ...(from === undefined ? {} : { localAddress: from }) })
    this.#keep(called)
    called.on('data', (bytes: Buffer) => this.#heard.push(bytes))
    caller.pipe(called).pipe(caller)
    caller.on('close', () => called.destroy())
    called.on('close', () => caller.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** The ways in which a text or a key may stand in a message. */
function spellings(secret: Buffer): Buffer[] {
  const hex = secret.toString('hex')
  const texts = [hex, hex.toUpperCase(), secret.toString('base64'), secret.toString('base64url')]
  // In the midst of something else in base64, without the characters that depend on its neighbours.
  for (const before of [1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), secret]).toString('base64')
    texts.push(shifted.replaceAll('=', '').slice(before + 1, -1))
  }
  const wide = Buffer.from(secret.toString('latin1'), 'utf16le')
  return [
    secret,
    Buffer.from(Array.from(secret).toReversed()),
    wide,
    ...texts.map((text) => Buffer.from(text)),
  ]
}

/** Which of these stand in what was taken, in either direction and in any spelling. */
export function foundIn(
  { said, heard }: Taken,
  secrets: Readonly<Record<string, Buffer | string>>,
): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) =>
      spellings(Buffer.from(secret)).some((bytes) => said.includes(bytes) || heard.includes(bytes)),
    )
    .map(([name]) => name)
}

/** How many of the file's blocks of 16 bytes, at a thousand places of it, stand in what was taken. */
export function blocksIn({ said, heard }: Taken, file: Buffer): number {
  const steps = 1000
  return Array.from({ length: steps }, (_, step) => {
    const at = Math.floor((step * (file.length - 16)) / steps)
    return file.subarray(at, at + 16)
  }).filter((block) => said.includes(block) || heard.includes(block)).length
}
