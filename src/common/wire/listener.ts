// Accepts connections: gives each a place or says why there is none, and puts a channel on top of its socket, with TLS
// in between where the first byte is that of a handshake.

import { createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../addresses.ts'
import { TLSSocket, type SecureContext } from 'node:tls'
import { Failure } from '../failure.ts'
import {
  firstFlightBytesMax,
  firstLineTimeoutMs,
  lineBytesBeforeLogin,
  socketBufferBytes,
  turnedAwayMs,
} from '../limits.ts'
import { listenOn } from '../listening.ts'
import { plainHost, siteOf } from '../networks.ts'
import { refuse, type Refusal } from '../refusal.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { encodeLine } from './frames.ts'
import { HandshakeTurns, type HandshakePace } from './handshake-turns.ts'
import { errorMessage } from './messages.ts'
import { Places, type Place, type PlaceLimits } from './places.ts'
import { readRoleHello, type RoleHello } from './role-hello.ts'
import { shakeHands } from './shake-hands.ts'
import { TlsSessions } from './tls-session.ts'
import { handshakeByte, secureOf } from './tls.ts'

/** A connection that was accepted. */
export interface Connection {
  readonly channel: Channel
  /** The other end's address as observed, IPv4 as such. */
  readonly remoteHost: string
  /** The other end has begun to prove who it is. */
  begin(): void
  /**
   * The other end claims to be this owner and has shown evidence, such as a ticket: it no longer shares the places of
   * those that say nothing.
   */
  claim(owner: string): void
  /** The other end has proved to be this owner: the connection counts as one of the owner's. */
  prove(owner: string): void
  /** It has logged out. */
  unprove(): void
  /** Call it when the channel has closed. */
  onClosed(): void
}

export interface ListenerOptions {
  readonly limits: ListenerLimits
  /** For those that begin with a TLS handshake; without it they are turned away like any other protocol. */
  readonly tls?: SecureContext | TlsSessions | undefined
  /** Whether an address may be spoken to without TLS; all may when this is absent. */
  readonly takesPlain?: (host: string) => boolean
  /** Called for each connection when it has said its first byte, and has its keys: listen to its channel at once. */
  readonly serve: (connection: Connection) => void
  /** Takes over a connection that begins with a role; false when nothing of the kind is expected. */
  readonly onRole?: (opened: OpenedWithRole) => boolean
  readonly onTurnedAway?: (host: string, sentence: string) => void
  /** A connection could not be accepted, for example for lack of descriptors. */
  readonly onError?: (error: Error) => void
}

/** A connection whose caller has said its role. It has no place any more: whoever takes it over bounds how many. */
export interface OpenedWithRole {
  readonly hello: RoleHello
  /** Paused. */
  readonly socket: Socket
  /** The other end's address as observed, IPv4 as such. */
  readonly host: string
  /** What came behind the first line. */
  readonly rest: Buffer
}

export interface ListenerLimits extends PlaceLimits {
  /** A connection without proof after this time is cut, in milliseconds; undefined for never. */
  readonly proveWithinMs?: number
  /** Undefined where any number of handshakes may be unfinished. */
  readonly handshakePace?: HandshakePace
}

/** An accepted connection. It has a channel once it has said in which way it speaks. */
interface Arrival {
  readonly host: string
  readonly socket: Socket
  readonly place: Place
  readonly isSilent: NodeJS.Timeout
  readonly serve: ListenerOptions['serve']
  channel?: Channel
}

/** How often to look for connections without proof. */
const lookEveryMs = 1000

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  readonly #places: Places
  readonly #arrivals = new Set<Arrival>()
  readonly #handshakes: HandshakeTurns
  /** Accepted in this turn of the event loop, and in the one before. */
  #newcomers: Arrival[] = []
  #nearlyHeard: Arrival[] = []
  #acceptedCount = 0
  #watch: NodeJS.Timeout | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#places = new Places(options.limits)
    this.#handshakes = new HandshakeTurns(options.limits.handshakePace)
    const socketOptions = { noDelay: true, highWaterMark: socketBufferBytes }
    this.#server = createServer(socketOptions, (socket) => this.#accept(socket))
  }

  /** Connections accepted so far, including those turned away. */
  get acceptedCount(): number {
    return this.#acceptedCount
  }

  get connections(): number {
    return this.#places.count
  }

  /** Resolves to the address with the actual port. Rejects with a `start` failure. */
  async listen(address: Address): Promise<Address> {
    const bound = await listenOn(this.#server, address)
    this.#server.on('error', (error) => this.#options.onError?.(error))
    const { proveWithinMs } = this.#options.limits
    if (proveWithinMs !== undefined) {
      this.#watch = setInterval(() => this.#cutUnproven(proveWithinMs), Math.min(lookEveryMs, proveWithinMs))
      this.#watch.unref()
    }
    return bound
  }

  /** Takes a connection that this end has dialled as if it had been accepted, for `serve`. */
  adopt(socket: Socket, serve: ListenerOptions['serve']): void {
    this.#accept(socket, serve)
  }

  /** Closes every connection; goes on listening. */
  closeAll(sentence: string): void {
    for (const arrival of [...this.#arrivals]) this.#end(arrival, sentence)
  }

  /** Closes the connections that came to one of these addresses of this machine. */
  closeThoseAt(hosts: ReadonlySet<string>, sentence: string): void {
    for (const arrival of [...this.#arrivals])
      if (hosts.has(plainHost(arrival.socket.localAddress ?? ''))) this.#end(arrival, sentence)
  }

  /** Stops listening, and closes every connection. */
  async close(sentence: string): Promise<void> {
    clearInterval(this.#watch)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.closeAll(sentence)
    await closed
  }

  #accept(socket: Socket, serve = this.#options.serve): void {
    this.#acceptedCount++
    const host = plainHost(socket.remoteAddress ?? '')
    const place =
      host === ''
        ? 'the connection is gone already'
        : // Never called in this turn, before `arrival` is set.
          this.#places.take(host, performance.now(), (sentence) => this.#end(arrival, sentence))
    if (typeof place === 'string') {
      this.#options.onTurnedAway?.(host, place)
      turnAway(socket, refuse('busy', place).refusal)
      return
    }
    const isSilent = setTimeout(() => this.#end(arrival, 'no first byte in time'), firstLineTimeoutMs)
    const arrival: Arrival = { host, socket, place, isSilent, serve }
    isSilent.unref()
    this.#arrivals.add(arrival)
    this.#hear(arrival)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      if (arrival.channel === undefined) this.#forget(arrival)
    })
    socket.once('data', (bytes: Buffer) => this.#begin(arrival, bytes))
  }

  #begin(arrival: Arrival, bytes: Buffer): void {
    const { host, socket } = arrival
    const { tls, takesPlain } = this.#options
    if (tls !== undefined && bytes[0] === handshakeByte) {
      this.#awaitTurn(arrival, bytes, tls)
      return
    }
    const opened = this.#options.onRole === undefined ? undefined : readRoleHello(bytes)
    if (opened === 'unfinished') {
      socket.once('data', (more: Buffer) => this.#begin(arrival, Buffer.concat([bytes, more])))
    } else if (opened !== undefined) {
      this.#handOver(arrival, opened)
    } else if (takesPlain?.(host) === false) {
      turnAway(socket, refuse('protocol-version', onlyEncrypted).refusal)
    } else {
      this.#serve(arrival, socket).feed(bytes)
    }
  }

  #handOver(arrival: Arrival, opened: Pick<OpenedWithRole, 'hello' | 'rest'>): void {
    const { host, socket } = arrival
    this.#forget(arrival)
    socket.pause()
    if (this.#options.onRole?.({ ...opened, socket, host }) !== true)
      turnAway(socket, refuse('invalid-request', 'nothing of the kind is expected here').refusal)
  }

  #awaitTurn(arrival: Arrival, hello: Buffer, tls: SecureContext | TlsSessions): void {
    const { host, socket } = arrival
    socket.pause()
    // It is kept until its turn comes.
    if (hello.length > firstFlightBytesMax) socket.destroy()
    this.#places.delay(arrival.place)
    this.#handshakes.ask(siteOf(host), (onEnded) => {
      if (socket.destroyed) return false
      this.#places.goOn(arrival.place, performance.now())
      if (tls instanceof TlsSessions) this.#seal(arrival, hello, tls, onEnded)
      else this.#secure(arrival, hello, tls, onEnded)
      return true
    })
  }

  /** `onEnded`: the handshake is done or has failed. */
  #secure(arrival: Arrival, bytes: Buffer, secureContext: SecureContext, onEnded: () => void): void {
    const { socket } = arrival
    // Taken by the handshake from there.
    socket.unshift(bytes)
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      // To verify the chain of a stranger would take up to half a second: the caller proves its key inside.
      requestCert: false,
    })
    secured.setNoDelay(true)
    secured.on('error', () => socket.destroy())
    secured.once('close', () => {
      onEnded()
      socket.destroy()
    })
    secured.once('secure', () => {
      onEnded()
      if (!secured.destroyed) this.#serve(arrival, secured, { secure: secureOf(secured) })
    })
  }

  /** Likewise without a socket of Node's for TLS. */
  #seal(arrival: Arrival, hello: Buffer, sessions: TlsSessions, onEnded: () => void): void {
    const { socket } = arrival
    const session = sessions.begin()
    socket.once('close', () => {
      onEnded()
      if (arrival.channel === undefined) session.close()
    })
    const onData = (bytes: Buffer): void => {
      const rest = shakeHands(socket, session, bytes)
      if (rest === undefined) return
      socket.off('data', onData)
      onEnded()
      const { secure } = session.shaken()
      this.#serve(arrival, socket, { secure, session }).open(rest)
    }
    socket.on('data', onData)
    onData(hello)
    if (arrival.channel?.isPaused !== true) socket.resume()
  }

  #serve(arrival: Arrival, socket: Socket, sealing: ChannelOptions = {}): Channel {
    clearTimeout(arrival.isSilent)
    const channel = new Channel(socket, lineBytesBeforeLogin, sealing)
    arrival.channel = channel
    arrival.serve(this.#connection(arrival, channel))
    return channel
  }

  #connection(arrival: Arrival, channel: Channel): Connection {
    const { host, place } = arrival
    return {
      channel,
      remoteHost: host,
      begin: () => this.#places.begin(place, performance.now()),
      claim: (owner) => this.#places.claim(place, owner),
      prove: (owner) => this.#places.prove(place, owner),
      unprove: () => this.#places.unprove(place, performance.now()),
      onClosed: () => this.#forget(arrival),
    }
  }

  #end({ channel, socket }: Arrival, sentence: string): void {
    if (channel === undefined) socket.destroy()
    else channel.close(new Failure('connection-lost', sentence))
  }

  #forget(arrival: Arrival): void {
    clearTimeout(arrival.isSilent)
    if (this.#arrivals.delete(arrival)) this.#places.giveBack(arrival.place)
  }

  /** What a newcomer sent at once is read in the turn of the event loop after the one that accepts it. */
  #hear(newcomer: Arrival): void {
    if (this.#newcomers.length + this.#nearlyHeard.length === 0) setImmediate(() => this.#onTurn())
    this.#newcomers.push(newcomer)
  }

  #onTurn(): void {
    const nowMs = performance.now()
    for (const { place, channel } of this.#nearlyHeard)
      this.#places.onHeard(place, channel?.hasHeardLine === true, nowMs)
    this.#nearlyHeard = this.#newcomers
    this.#newcomers = []
    if (this.#nearlyHeard.length > 0) setImmediate(() => this.#onTurn())
  }

  #cutUnproven(ms: number): void {
    for (const { onTaken } of this.#places.unprovenFor(ms, performance.now())) onTaken('no proof in time')
  }
}

const onlyEncrypted = 'only encrypted connections are taken here; update this program, or start it with --tls'

function turnAway(socket: Socket, refusal: Refusal): void {
  socket.on('error', () => {
    // It is being closed anyway.
  })
  // Input is read and dropped: closing with unread bytes would reset the connection and lose the sentence.
  socket.resume()
  socket.end(encodeLine(errorMessage(null, refusal)))
  const timer = setTimeout(() => socket.destroy(), turnedAwayMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
