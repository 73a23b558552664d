// The connection to NATS: waits for servers that are starting, reconnects for ever, and puts errors into sentences.
// Knows the calls of JetStream, but not what is in the streams.

import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { connect, errors, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { setTimeout } from 'node:timers/promises'
import { Failure, sentenceOf } from '../../../common/failure.ts'
import {
  natsConnectTimeoutMs,
  natsPauseMs,
  natsPingEveryMs,
  natsPingsMissedMax,
  natsRequestTimeoutMs,
} from '../../limits.ts'
import { formatNatsAddress, type NatsAddress } from './nats-address.ts'
import { checkServers, judgeVersion } from './nats-greeting.ts'
import { tlsFailure, tlsOptionsFor } from './nats-tls.ts'

export class NatsLink {
  readonly address: NatsAddress
  readonly #connection: NatsConnection
  readonly publisher: JetStreamClient
  readonly manager: JetStreamManager
  /** Of `performance.now()`; undefined while connected. */
  #downSinceMs: number | undefined
  #onUp: (() => void) | undefined

  private constructor(
    address: NatsAddress,
    connection: NatsConnection,
    manager: JetStreamManager,
    say: (sentence: string) => void,
  ) {
    this.address = address
    this.#connection = connection
    this.publisher = jetstream(connection, { timeout: natsRequestTimeoutMs })
    this.manager = manager
    void this.#watch(say)
  }

  /**
   * Connects to one of the servers; calls `say` with warnings, and when the connection is lost and when it is back.
   * Rejects with a `start` failure when no server can be reached, and a `data` failure for servers not to be used.
   */
  static async open(
    address: NatsAddress,
    say: (sentence: string) => void = () => undefined,
  ): Promise<NatsLink> {
    try {
      const warnings = await checkServers(address)
      const options = optionsFor(address)
      // When a cluster refuses a login, the library would try for ever: each server that it gives up is named again
      // by the next. So a trial asks each server of the address once.
      const trial = await connect({ ...options, reconnect: false, ignoreClusterUpdates: true })
      await trial.close()
      const connection = await connect(options)
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: natsRequestTimeoutMs })
      for (const warning of warnings) say(warning)
      return new NatsLink(address, connection, manager, say)
    } catch (error) {
      throw natsFailure(address, error)
    }
  }

  /** How long the connection has been without a server, in milliseconds; 0 while it has one. */
  get downForMs(): number {
    return this.#downSinceMs === undefined ? 0 : Math.max(1, performance.now() - this.#downSinceMs)
  }

  /** Called when the connection is there again, perhaps to another server. */
  onUp(listener: () => void): void {
    this.#onUp = listener
  }

  /** Publishes to current listeners; may get lost. */
  tell(subject: string, text: string): void {
    if (!this.#connection.isClosed()) this.#connection.publish(subject, text)
  }

  listen(subject: string, listener: (text: string) => void): void {
    this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) listener(message.string())
      },
    })
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async #watch(say: (sentence: string) => void): Promise<void> {
    const where = formatNatsAddress(this.address)
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect' && this.#downSinceMs === undefined) {
        this.#downSinceMs = performance.now()
        say(`the connection to ${where} is lost; trying again`)
      }
      if (status.type !== 'reconnect') continue
      this.#downSinceMs = undefined
      say(`connected to ${where} again`)
      const { version = '' } = this.#connection.info ?? {}
      // It was not there at the start, or is another since. The log is in use, so the person has to decide.
      const { refusal } = judgeVersion(version)
      if (refusal !== undefined) say(`a server of ${where} ${refusal}`)
      this.#onUp?.()
    }
  }
}

function optionsFor(address: NatsAddress): NodeConnectionOptions {
  const { servers, user, password, token, stream } = address
  return {
    tls: tlsOptionsFor(address),
    servers: [...servers],
    ...(user === undefined ? {} : { user, pass: password }),
    ...(token === undefined ? {} : { token }),
    name: 'coterie-tracker',
    // A prefix of its own, so that a user can be allowed this log's answers and no others.
    inboxPrefix: `_INBOX.${stream}`,
    timeout: natsConnectTimeoutMs,
    // A cut link gives no sign: only pings notice.
    pingInterval: natsPingEveryMs,
    maxPingOut: natsPingsMissedMax,
    maxReconnectAttempts: -1,
    reconnectTimeWait: natsPauseMs,
    // A refused login is not final: the server's users may be changing just now.
    ignoreAuthErrorAbort: true,
  }
}

/**
 * Retries while errors may pass by themselves: servers are starting, or a cluster elects a leader. Calls `onWaiting`
 * once with the reason. Rejects with the last failure.
 */
export async function withPatience<T>(
  address: NatsAddress,
  patienceMs: number,
  onWaiting: (sentence: string) => void,
  attempt: () => Promise<T>,
): Promise<T> {
  const giveUpAtMs = performance.now() + patienceMs
  let isWaiting = false
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const failure = natsFailure(address, error)
      if (failure.code === 'data' || performance.now() > giveUpAtMs) throw failure
      if (!isWaiting) onWaiting(`${failure.message}; trying again`)
      isWaiting = true
    }
    await setTimeout(natsPauseMs)
  }
}

/** Converts an error of the library. A `start` failure may pass by itself, a `data` failure does not. */
export function natsFailure(address: NatsAddress, error: unknown): Failure {
  if (error instanceof Failure) return error
  const where = formatNatsAddress(address)
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return new Failure(
      'data',
      `NATS refuses the user, password or token for ${where}; name the right one with --log-credentials`,
      error,
    )
  const cause = error instanceof Error ? error.cause : undefined
  if (error instanceof errors.PermissionViolationError || cause instanceof errors.PermissionViolationError)
    return new Failure(
      'data',
      `the NATS user lacks permissions that a tracker needs at ${where} (${sentenceOf(error)}); deploy/nats/nats.conf lists them`,
      error,
    )
  const ofCertificate = tlsFailure(address, error)
  if (ofCertificate !== undefined) return ofCertificate
  if (error instanceof Error && error.name === 'JetStreamNotEnabled')
    return new Failure(
      'start',
      `NATS at ${where} has no JetStream, or is electing a leader; start nats-server with -js`,
      error,
    )
  if (error instanceof errors.TimeoutError)
    return new Failure('start', `NATS at ${where} does not answer`, error)
  return new Failure('start', `cannot use NATS at ${where}: ${sentenceOf(error)}`, error)
}
