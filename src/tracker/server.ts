// Accepts connections and makes a session of each: limits first, then the protocol. Whatever arrives gets
// an answer or a closed socket, and never ends the process.

import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { isLoopback, plainHost, type Address } from '../common/addresses.ts'
import type { Failure } from '../common/failure.ts'
import { anonymousConnectionsMax, connectionsPerAddressMax, lineBytesBeforeLogin } from '../common/limits.ts'
import { trackerProtocol, type TrackerProtocol } from '../common/protocol/tracker-protocol.ts'
import { refuse } from '../common/refusal.ts'
import { Channel } from '../common/wire/channel.ts'
import { encodeLine } from '../common/wire/frames.ts'
import { errorMessage } from '../common/wire/messages.ts'
import { Responder, type Handlers } from '../common/wire/responder.ts'
import { turnedAwayMs } from './limits.ts'
import { listenOn } from '../common/listening.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { Presence } from './presence/presence.ts'
import { Session } from './sessions/session.ts'

export class TrackerServer {
  readonly #handlers: Handlers<TrackerProtocol, Session>
  readonly #presence: Presence
  readonly #log: Logger
  readonly #metrics: RequestMetrics
  readonly #server: Server
  readonly #sessions = new Map<Session, Responder<TrackerProtocol, Session>>()
  readonly #connectionsByHost = new Map<string, number>()

  constructor(
    handlers: Handlers<TrackerProtocol, Session>,
    presence: Presence,
    metrics: RequestMetrics,
    log: Logger,
  ) {
    this.#handlers = handlers
    this.#presence = presence
    this.#metrics = metrics
    this.#log = log
    this.#server = createServer((socket) => this.#admit(socket))
  }

  get connections(): number {
    return this.#sessions.size
  }

  /** The address with the port that was really taken. Rejects with a `start` failure. */
  async listen(address: Address): Promise<Address> {
    const bound = await listenOn(this.#server, address)
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'cannot accept a connection'))
    return bound
  }

  /** Hangs up on everybody; clients come back, or go to another tracker. */
  disconnectAll(sentence: string): void {
    for (const session of this.#sessions.keys()) session.close(sentence)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.disconnectAll('the tracker is shutting down')
    })
  }

  #admit(socket: Socket): void {
    const host = plainHost(socket.remoteAddress ?? '')
    const problem = this.#problemOf(host)
    if (problem === undefined) this.#establish(socket, host)
    else {
      this.#metrics.onRefused('busy')
      turnAway(socket, problem)
    }
  }

  #problemOf(host: string): string | undefined {
    if (host === '') return 'the connection is gone already'
    // Every session is logged in or not, and presence has exactly those that are.
    if (this.#sessions.size - this.#presence.clients.size >= anonymousConnectionsMax)
      return 'too many connections that have not logged in'
    if (!isLoopback(host) && (this.#connectionsByHost.get(host) ?? 0) >= connectionsPerAddressMax)
      return 'too many connections from this address'
    return undefined
  }

  /** The line protocol begins with the first byte. A connection that is to be encrypted branches off here. */
  #establish(socket: Socket, host: string): void {
    const session = new Session(new Channel(socket, lineBytesBeforeLogin), host)
    this.#connectionsByHost.set(host, (this.#connectionsByHost.get(host) ?? 0) + 1)
    const responder = new Responder(session.channel, {
      protocol: trackerProtocol,
      session,
      handlers: this.#handlers,
      onTold: {},
      stage: () => session.stage,
      onClosed: (reason) => this.#onClosed(session, reason),
      onFailure: (error) => this.#log.error({ err: error }, 'a request failed'),
      onAnswered: (method, startedAtMs) => this.#metrics.onAnswered(method, startedAtMs),
      onRefused: (code) => this.#metrics.onRefused(code),
    })
    this.#sessions.set(session, responder)
  }

  #onClosed(session: Session, reason: Failure): void {
    this.#sessions.delete(session)
    const left = (this.#connectionsByHost.get(session.host) ?? 1) - 1
    if (left === 0) this.#connectionsByHost.delete(session.host)
    else this.#connectionsByHost.set(session.host, left)
    const client = session.logOut()
    if (client !== undefined) this.#presence.onClientGone(client)
    this.#log.debug({ host: session.host, user: client?.user, why: reason.message }, 'connection closed')
  }
}

function turnAway(socket: Socket, sentence: string): void {
  socket.on('error', () => {
    // It is being closed anyway.
  })
  // What it sends is read and dropped: closing over unread bytes would reset the connection, and the
  // sentence with it.
  socket.resume()
  socket.end(encodeLine(errorMessage(null, refuse('busy', sentence).refusal)))
  setTimeout(() => socket.destroy(), turnedAwayMs).unref()
}
