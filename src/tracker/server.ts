// Serves clients: gives each connection a requester and a responder, and cleans up when it closes. Whatever arrives
// gets an answer or a closed socket, and never ends the process.

import type { Logger } from 'pino'
import type { Address } from '../common/addresses.ts'
import type { Failure } from '../common/failure.ts'
import { trackerProtocol, type TrackerProtocol } from '../common/protocol/tracker-protocol.ts'
import { Listener, type Connection } from '../common/wire/listener.ts'
import type { Relay } from '../common/wire/relay.ts'
import type { Protection } from '../common/wire/protection.ts'
import { Responder, type Handlers } from '../common/wire/responder.ts'
import type { Turns } from '../common/wire/turns.ts'
import { connectionLimits } from './limits.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { Presence } from './presence/presence.ts'
import { Requester } from './requests/requester.ts'

export interface ServerParts {
  readonly handlers: Handlers<TrackerProtocol, Requester>
  readonly presence: Presence
  readonly metrics: RequestMetrics
  readonly log: Logger
  readonly turns: Turns
  readonly protection: Protection
  /** Brings the state up to date before a request that reads it; undefined when it is. */
  readonly sync: (askedAtMs: number) => Promise<void> | undefined
  /** Forwards between clients; undefined where this tracker does not. */
  readonly relay: Pick<Relay, 'take'> | undefined
}

export class TrackerServer {
  readonly #parts: ServerParts
  readonly #listener: Listener
  #port = 0

  constructor(parts: ServerParts) {
    this.#parts = parts
    const { metrics, log, relay } = parts
    this.#listener = new Listener({
      limits: connectionLimits,
      tls: parts.protection.incoming,
      takesPlain: (host) => parts.protection.takesPlain(host),
      serve: (connection) => this.#serve(connection),
      onRole: (opened) => opened.hello.role === 'relays' && relay?.take(opened) === true,
      onTurnedAway: () => metrics.onRefused('busy'),
      onError: (error) => log.error({ err: error }, 'cannot accept a connection'),
    })
  }

  get connections(): number {
    return this.#listener.connections
  }

  /** That it listens on; 0 before. */
  get port(): number {
    return this.#port
  }

  /** The address with the port that was really taken. Rejects with a `start` failure. */
  async listen(address: Address): Promise<Address> {
    const bound = await this.#listener.listen(address)
    this.#port = bound.port
    return bound
  }

  /** Disconnects everybody; clients come back, or go to another tracker. */
  disconnectAll(sentence: string): void {
    this.#listener.closeAll(sentence)
  }

  close(): Promise<void> {
    return this.#listener.close('the tracker is shutting down')
  }

  #serve(connection: Connection): void {
    const { handlers, metrics, log, turns, sync } = this.#parts
    const from = new Requester(connection)
    // eslint-disable-next-line no-new -- The channel that it listens to keeps it alive.
    new Responder(connection.channel, {
      protocol: trackerProtocol,
      from,
      handlers,
      onTold: {},
      stage: () => from.stage,
      sync,
      turns,
      owner: () => from.owner,
      onClosed: (reason) => this.#onClosed(connection, from, reason),
      onFailure: (error) => log.error({ err: error }, 'a request failed'),
      onAnswered: (method, startedAtMs) => metrics.onAnswered(method, startedAtMs),
      onRefused: (code) => metrics.onRefused(code),
    })
  }

  #onClosed(connection: Connection, from: Requester, reason: Failure): void {
    connection.onClosed()
    const login = from.logOut()
    if (login !== undefined) this.#parts.presence.onLogout(login)
    this.#parts.log.debug({ host: from.host, user: login?.user, why: reason.message }, 'connection closed')
  }
}
