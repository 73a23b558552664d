// One client of the load: a person's link to the tracker, the real one with its retries, sessions and keys, and what the
// person does there.

import { NetworkChanges } from '../../src/client/network/network-changes.ts'
import type { Credentials } from '../../src/client/tracker-link/login-exchange.ts'
import { TrackerConnection } from '../../src/client/tracker-link/tracker-connection.ts'
import { Failure } from '../../src/common/failure.ts'
import { makeNonce } from '../../src/common/security/challenge.ts'
import type { Identity } from '../../src/common/security/identity.ts'
import { verifierKeyOf } from '../../src/common/security/session.ts'
import type { ClientKeys } from '../../src/common/security/scram.ts'
import { trackerProtocol } from '../../src/common/protocol/tracker-protocol.ts'
import { unheard } from '../../src/common/wire/caller.ts'
import type { Protection } from '../../src/common/wire/protection.ts'
import type { LatencySample } from '../tracker/latencies.ts'
import { sizeBytes, type Member } from '../tracker/states.ts'

export interface LoadClientOptions {
  readonly member: Member
  /** The address of this client alone: a tracker counts connections by address. */
  readonly host: string
  readonly trackerPort: number
  readonly identity: Identity
  readonly keys: ClientKeys
  /** Shared by the clients of a process: it holds nothing of one of them. */
  readonly protection: Protection
  /** From 0 to 1, 1 excluded; seeded. */
  readonly random: () => number
  /** A connection begins, and the handshake of one is finished. */
  readonly onCall: () => void
  readonly onHandshake: () => void
  /** It has logged in, and its files are announced. */
  readonly onBack: (client: LoadClient) => void
  /** An announce after a login was refused, or a login has ended. */
  readonly onTrouble: (sentence: string) => void
}

/** Where other clients would reach it; nobody does. */
const peerPort = 4444
/** One for all. */
const changes = new NetworkChanges()

export class LoadClient {
  readonly member: Member
  readonly #options: LoadClientOptions
  readonly #credentials: Credentials & { session: Credentials['session'] }
  #connection: TrackerConnection | undefined
  #isUp = false
  /** The file of somebody else that it asked for last, and hears of. */
  #watched: string | undefined
  /** Somebody counts on it: it must not leave now. */
  isEngaged = false
  /** Logins with the password so far. */
  passwordLogins = 0

  constructor(options: LoadClientOptions) {
    this.#options = options
    this.member = options.member
    const serverKey = options.keys.serverKey.toString('base64')
    const verifierKey = verifierKeyOf(serverKey, options.identity.publicKey)
    this.#credentials = {
      user: options.member.user,
      keys: () => Promise.resolve(options.keys),
      session: undefined,
      onSession: (text) => {
        // A session is half a month old before another one comes without a password.
        if (text !== undefined) this.passwordLogins++
        this.#credentials.session = text === undefined ? undefined : { text, verifierKey }
      },
    }
  }

  /** Logged in, with its files announced. */
  get isUp(): boolean {
    return this.#isUp
  }

  get hasLeft(): boolean {
    return this.#connection === undefined
  }

  /** Connects, and keeps trying as a client does. `anew`: with the password, as on another machine. */
  come(anew: boolean): void {
    if (anew) this.#credentials.session = undefined
    const { host, trackerPort, identity, protection, onCall, onHandshake } = this.#options
    const connection = new TrackerConnection({
      address: { host: '127.0.0.1', port: trackerPort },
      listen: { host, port: peerPort },
      identity,
      protection,
      changes,
      trust: {
        check: () => {
          onHandshake()
          return undefined
        },
        // Asked once for each connection.
        pinOf: () => {
          onCall()
          return undefined
        },
      },
      whereabouts: async () => ({ port: peerPort }),
      told: unheard(trackerProtocol),
      onTrackers: () => undefined,
      onLoginEnded: (_credentials, why) => this.#options.onTrouble(`a login ended: ${why}`),
      credentialsFor: () => this.#credentials,
      onUp: () => void this.#announceAll(connection),
      onDown: () => this.#onDown(),
    })
    this.#connection = connection
    void connection.start()
  }

  leave(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#onDown()
    connection?.stop()
  }

  /** One query of the mix, timed; counted as lost when it is refused or gets no answer. */
  async query(sample: LatencySample): Promise<void> {
    const { group, filesOfOthers } = this.member
    const kind = Math.floor(this.#options.random() * 3)
    const askedAtMs = performance.now()
    let isAnswered: boolean
    if (kind === 0) isAnswered = await this.ask('list_groups', {})
    else if (kind === 1) isAnswered = await this.ask('list_files', { group })
    else {
      const name = filesOfOthers[Math.floor(this.#options.random() * filesOfOthers.length)] ?? ''
      isAnswered = await this.ask('find_file', { group, name })
      this.#watch(name)
    }
    if (isAnswered) sample.add(performance.now() - askedAtMs)
    else sample.addLost()
  }

  create(group: string): Promise<boolean> {
    return this.ask('create_group', { id: makeNonce(), group })
  }

  /** Asks to join, and is taken in by the owner. */
  async join(group: string, owner: LoadClient): Promise<boolean> {
    const hasAsked = await this.ask('join_group', { id: makeNonce(), group })
    return hasAsked && owner.ask('accept_request', { id: makeNonce(), group, user: this.member.user })
  }

  /** Shares and announces a file that exists for a moment only. */
  async share(group: string, name: string, fileId: string): Promise<boolean> {
    const isShared = await this.ask('share_file', { id: makeNonce(), group, name, fileId, sizeBytes })
    return isShared && this.ask('announce', { files: [{ group, name, fileId, complete: true }] })
  }

  async unshare(group: string, name: string, fileId: string): Promise<boolean> {
    const isRetracted = await this.ask('retract', { files: [{ group, name, fileId }] })
    return isRetracted && this.ask('unshare_file', { id: makeNonce(), group, name })
  }

  leaveGroup(group: string): Promise<boolean> {
    return this.ask('leave_group', { id: makeNonce(), group })
  }

  /** Whether the request was answered and not refused. */
  async ask(...[method, params]: Parameters<TrackerConnection['request']>): Promise<boolean> {
    try {
      return (await this.#connection?.request(method, params))?.ok === true
    } catch (error) {
      if (error instanceof Failure) return false
      throw error
    }
  }

  /** Of those that it asked for, it hears of one: a person looks at one file at a time. */
  #watch(name: string): void {
    const before = this.#watched
    this.#watched = name
    if (before === undefined || before === name) return
    void this.ask('forget_file', { group: this.member.group, name: before })
  }

  async #announceAll(connection: TrackerConnection): Promise<void> {
    const files = this.member.files.map((file) => ({ ...file, complete: true }))
    let isTaken: boolean
    try {
      const announced = await connection.request('announce', { files })
      isTaken = announced.ok && announced.value.refused.length === 0
    } catch (error) {
      // The connection has ended; the next one announces again.
      if (error instanceof Failure) return
      throw error
    }
    if (!isTaken) this.#options.onTrouble('an announce was refused')
    if (connection !== this.#connection) return
    this.#isUp = true
    this.#options.onBack(this)
  }

  #onDown(): void {
    this.#isUp = false
    this.#watched = undefined
  }
}
