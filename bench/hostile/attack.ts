// node --import tsx bench/hostile/attack.ts '<Attack as JSON>'
// Attacks a sharing client in one way on many connections, and reopens each one that is closed. Runs as a process of
// its own, so that its CPU time is not the benchmark's. Prints a line when all connections have been opened once, and
// at the end how many it made.

import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely, TLSSocket } from 'node:tls'
import { Bitfield } from '../../src/common/bitfield.ts'
import { lineBytesMax, pieceBytes, requestsInFlightMax } from '../../src/common/limits.ts'
import { makeNonce, proveKey } from '../../src/common/security/challenge.ts'
import { loadIdentity } from '../../src/common/security/identity.ts'
import { protocolVersion } from '../../src/common/version.ts'
import { callingContext, secureOf } from '../../src/common/wire/tls.ts'
import type { Attack } from './attack-plan.ts'

const plan = JSON.parse(process.argv[2] ?? '{}') as Attack
const { kind, connections, port, fileId, pieceCount, folder, ticket } = plan
const identity = loadIdentity(folder)
const wanted = Bitfield.full(pieceCount).toBase64()
/** The params that take longest to parse. */
const nonsense = Array.from({ length: 16_000 }, () => [])
const emptyLines = '\n'.repeat(65_536)

/** A new ticket each time, which takes as long to check as a valid one. */
function forged(): string {
  const [payload = ''] = ticket.split('.')
  return `${payload}.${randomBytes(64).toString('base64url')}`
}

/** A connection to the sharing client. */
function call(onOpened: () => void): Socket {
  const options = { port, host: '127.0.0.1', localAddress: plan.localHost }
  if (plan.isSecure !== true) return connect(options, onOpened)
  const secureContext = callingContext()
  return connectSecurely({ ...options, secureContext, rejectUnauthorized: false }, onOpened)
}

class Connection {
  readonly #socket: Socket
  readonly #onClosed: () => void
  #nextId = 0
  #nonce = ''
  #receivedBytes = 0
  #askedFor = 0
  #timer: NodeJS.Timeout | undefined
  /** By kind: what it sends as fast as the socket takes it. */
  readonly #floods: Readonly<Record<string, () => void>> = {
    'asking for manifests': () => this.#ask('manifest', { fileId }),
    opening: () => this.#ask('open', { fileId }),
    renewing: () => this.#ask('renew', { ticket }),
    pinging: () => this.#ask('ping', {}),
    wanting: () => this.#tell('wants', { fileId, bitfield: wanted }),
    'talking nonsense': () => this.#tell('nonsense', nonsense),
    'sending empty lines': () => this.#socket.write(emptyLines),
    dribbling: () => this.#socket.write(' '),
  }

  constructor(onOpened: () => void, onClosed: () => void) {
    this.#onClosed = onClosed
    this.#socket = call(() => {
      onOpened()
      this.#onOpened()
    })
    this.#socket.on('data', (chunk: Buffer) => this.#onBytes(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      clearInterval(this.#timer)
      this.#onClosed()
    })
  }

  #onOpened(): void {
    if (kind === 'silent') return
    if (kind === 'http')
      this.#socket.write('GET / HTTP/1.1\r\nHost: sharer\r\nConnection: keep-alive\r\n\r\n')
    else if (kind === 'knocking') this.#socket.destroy()
    else {
      this.#nonce = makeNonce()
      const shown = kind === 'forging' ? forged() : ticket
      this.#ask('hello', { protocol: protocolVersion, program: 'attack', nonce: this.#nonce, ticket: shown })
    }
  }

  #onBytes(chunk: Buffer): void {
    const isFirst = this.#receivedBytes === 0
    this.#receivedBytes += chunk.length
    if (kind === 'silent' || kind === 'http') return
    if (isFirst) this.#prove(chunk)
    else if (kind === 'reconnecting') this.#socket.destroy()
    else if (kind === 'greedy') this.#askForPieces()
  }

  #prove(line: Buffer): void {
    const { result } = JSON.parse(line.toString()) as { result?: { nonce: string; key: string } }
    if (result === undefined) {
      this.#socket.destroy()
      return
    }
    const challenge = {
      callerNonce: this.#nonce,
      responderNonce: result.nonce,
      callerKey: identity.publicKey,
      responderKey: result.key,
      binding: this.#socket instanceof TLSSocket ? secureOf(this.#socket).binding : undefined,
    }
    this.#ask('prove', { proof: proveKey(identity, 'caller', challenge) })
    this.#begin()
  }

  #begin(): void {
    // Disconnects when its proof is answered.
    if (kind === 'reconnecting') return
    if (kind === 'greedy') this.#askForPieces()
    else if (kind === 'not reading' || kind === 'not reading again') {
      this.#askForPieces()
      this.#socket.pause()
      this.#timer = setInterval(() => this.#stayOrComeAgain(), 1000)
    } else if (kind === 'holding half a line') this.#socket.write('x'.repeat(lineBytesMax - 1))
    else this.#flood(this.#floods[kind])
  }

  /** A paused socket notices the end of its connection only when it writes. */
  #stayOrComeAgain(): void {
    if (kind === 'not reading again') this.#socket.destroy()
    else this.#ask('ping', {})
  }

  /** Requests cost an attacker nothing, so it always has more open than can be answered. */
  #askForPieces(): void {
    const max = requestsInFlightMax + Math.floor(this.#receivedBytes / pieceBytes)
    while (this.#askedFor < max) this.#ask('piece', { fileId, index: (this.#askedFor++ * 7919) % pieceCount })
  }

  /** Sends as fast as the socket takes it. */
  #flood(send: (() => void) | undefined): void {
    if (send === undefined) throw new Error(`there is no attack by ${kind}`)
    const more = (): void => {
      for (let count = 0; count < 16 && !this.#socket.writableNeedDrain; count++) send()
      if (this.#socket.destroyed) return
      if (this.#socket.writableNeedDrain) this.#socket.once('drain', more)
      else setImmediate(more)
    }
    more()
  }

  #ask(method: string, params: object): void {
    this.#write({ jsonrpc: '2.0', id: this.#nextId++, method, params })
  }

  #tell(method: string, params: object): void {
    this.#write({ jsonrpc: '2.0', method, params })
  }

  #write(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }
}

let opened = 0
let made = 0

function open(): void {
  let isOpen = false
  made++
  // eslint-disable-next-line no-new -- Its socket keeps it alive.
  new Connection(
    () => {
      isOpen = true
      if (++opened === connections) console.log('all have been opened')
    },
    // A connection that is refused before it opens would otherwise be retried in a busy loop.
    () => (isOpen ? setImmediate(open) : setTimeout(open, 1)),
  )
}

for (let count = 0; count < connections; count++) open()
process.on('SIGTERM', () => {
  console.log(`${made} connections`)
  process.exit()
})
