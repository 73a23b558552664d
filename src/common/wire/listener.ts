// Accepts connections: gives each a place or says why there is none, and puts a channel on top of its socket. The line
// protocol begins with the first byte; encryption would branch off here.

import { createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../addresses.ts'
import { Failure } from '../failure.ts'
import { lineBytesBeforeLogin, turnedAwayMs } from '../limits.ts'
import { listenOn } from '../listening.ts'
import { plainHost } from '../networks.ts'
import { refuse } from '../refusal.ts'
import { Channel } from './channel.ts'
import { encodeLine } from './frames.ts'
import { errorMessage } from './messages.ts'
import { Places, type Place, type PlaceLimits } from './places.ts'

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
  /** Called for each connection in the turn that accepts it: listen to its channel at once. */
  readonly serve: (connection: Connection) => void
  readonly onTurnedAway?: (host: string, sentence: string) => void
  /** A connection could not be accepted, for example for lack of descriptors. */
  readonly onError?: (error: Error) => void
}

export interface ListenerLimits extends PlaceLimits {
  /** A connection without proof after this time is cut, in milliseconds; undefined for never. */
  readonly proveWithinMs?: number
}

interface Newcomer {
  readonly place: Place
  readonly channel: Channel
}

/** How often to look for connections without proof. */
const lookEveryMs = 1000

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  readonly #places: Places
  readonly #channels = new Set<Channel>()
  /** Accepted in this turn of the event loop, and in the one before. */
  #newcomers: Newcomer[] = []
  #nearlyHeard: Newcomer[] = []
  #acceptedCount = 0
  #watch: NodeJS.Timeout | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#places = new Places(options.limits)
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
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

  /** Closes every connection; goes on listening. */
  closeAll(sentence: string): void {
    for (const channel of [...this.#channels]) channel.close(new Failure('connection-lost', sentence))
  }

  /** Stops listening, and closes every connection. */
  async close(sentence: string): Promise<void> {
    clearInterval(this.#watch)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.closeAll(sentence)
    await closed
  }

  #accept(socket: Socket): void {
    this.#acceptedCount++
    const host = plainHost(socket.remoteAddress ?? '')
    const place =
      host === ''
        ? 'the connection is gone already'
        : this.#places.take(host, performance.now(), (sentence) =>
            // Never called in this turn, before `channel` is set.
            channel.close(new Failure('connection-lost', sentence)),
          )
    if (typeof place === 'string') {
      this.#options.onTurnedAway?.(host, place)
      turnAway(socket, place)
      return
    }
    const channel = new Channel(socket, lineBytesBeforeLogin)
    this.#channels.add(channel)
    this.#hear({ place, channel })
    this.#options.serve(this.#connection(channel, host, place))
  }

  #connection(channel: Channel, remoteHost: string, place: Place): Connection {
    return {
      channel,
      remoteHost,
      begin: () => this.#places.begin(place, performance.now()),
      claim: (owner) => this.#places.claim(place, owner),
      prove: (owner) => this.#places.prove(place, owner),
      unprove: () => this.#places.unprove(place, performance.now()),
      onClosed: () => {
        this.#channels.delete(channel)
        this.#places.giveBack(place)
      },
    }
  }

  /** What a newcomer sent at once is read in the turn of the event loop after the one that accepts it. */
  #hear(newcomer: Newcomer): void {
    if (this.#newcomers.length + this.#nearlyHeard.length === 0) setImmediate(() => this.#onTurn())
    this.#newcomers.push(newcomer)
  }

  #onTurn(): void {
    const nowMs = performance.now()
    for (const { place, channel } of this.#nearlyHeard)
      this.#places.onHeard(place, channel.hasHeardLine, nowMs)
    this.#nearlyHeard = this.#newcomers
    this.#newcomers = []
    if (this.#nearlyHeard.length > 0) setImmediate(() => this.#onTurn())
  }

  #cutUnproven(ms: number): void {
    for (const { onTaken } of this.#places.unprovenFor(ms, performance.now())) onTaken('no proof in time')
  }
}

function turnAway(socket: Socket, sentence: string): void {
  socket.on('error', () => {
    // It is being closed anyway.
  })
  // Input is read and dropped: closing with unread bytes would reset the connection and lose the sentence.
  socket.resume()
  socket.end(encodeLine(errorMessage(null, refuse('busy', sentence).refusal)))
  const timer = setTimeout(() => socket.destroy(), turnedAwayMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
