// All trackers of the file as one: a question goes to the first that is up, a change is repeated at the
// next with the same command id, announces go to all. Transfers never wait for this.

import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { requestTimeoutMs } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Identity } from '../../common/security/identity.ts'
import { credentialsOf, deriveKeys, type ClientKeys } from '../../common/security/scram.ts'
import type { Method, Params, Result } from '../../common/wire/methods.ts'
import { Announcements } from './announcements.ts'
import { ToldOnce } from './told-once.ts'
import { TrackerConnection, type Credentials, type Greeting, type Told } from './tracker-connection.ts'

type Requests = TrackerProtocol['requests']
/** Methods that change hard state; `id` is added by the link. */
export type Change = {
  [M in Method<TrackerProtocol>]: Requests[M] extends { mutates: true } ? M : never
}[Method<TrackerProtocol>]
export type ChangeParams<M extends Change> = Omit<Params<TrackerProtocol, M>, 'id'>
export type Question = Exclude<Method<TrackerProtocol>, Change>

export interface TrackerLinkOptions {
  readonly trackers: readonly Address[]
  readonly listen: Address
  readonly identity: Identity
  readonly port: () => number
  /**
   * What one tracker tells. Every tracker tells everything; `isNews` says whether this one is the first to
   * tell it, for what a person wants to hear once.
   */
  readonly told: (isNews: (what: object) => boolean) => Told
  /** A login was answered: the keys whose tickets this community honours. */
  readonly onTrackers: (keys: readonly string[]) => void
  /** A tracker is connected and, while somebody is logged in, logged in to. */
  readonly onUp: (greeting: Greeting) => void
  /** The trackers that are up know nothing of the session: they have begun anew, without their data. */
  readonly onForgotten: () => void
  /** A tracker is gone and another is up: what only the first one knew has to be told again. */
  readonly onOneDown: () => void
  /** The last tracker is gone. */
  readonly onAllDown: () => void
}

/** How long a request waits for a tracker to come back before it fails. */
const patienceMs = 5000
/**
 * How long a tracker may take to answer before the next one is asked. Commits take milliseconds, but a
 * snapshot of a big community a second. The last that can be asked has `requestTimeoutMs`.
 */
const answerWithinMs = 2500
const pauseMs = 100
/** The same while no tracker was ever up: enough for one that starts together with the client. */
const startPatienceMs = 1000

export class TrackerLink {
  readonly #options: TrackerLinkOptions
  readonly #connections: TrackerConnection[]
  readonly #announced = new Announcements()
  readonly #toldOnce = new ToldOnce()
  readonly #waiters = new Set<() => void>()
  #session: Credentials | undefined
  /** The community that the session belongs to. */
  #sessionCluster: string | undefined
  #started: Promise<unknown> | undefined
  /** Whether any tracker has ever been up. */
  #wasUp = false

  constructor(options: TrackerLinkOptions) {
    this.#options = options
    this.#connections = options.trackers.map((address) => {
      const connection: TrackerConnection = new TrackerConnection({
        address,
        listen: options.listen,
        identity: options.identity,
        port: options.port,
        told: options.told((what) => this.#toldOnce.isNews(connection, what)),
        onTrackers: options.onTrackers,
        session: (cluster) => (cluster === this.#sessionCluster ? this.#session : undefined),
        onUp: (connection, greeting) => this.#onUp(connection, greeting),
        onDown: () => {
          this.#toldOnce.onGone(connection)
          if (this.isUp) options.onOneDown()
          else options.onAllDown()
        },
      })
      return connection
    })
  }

  /** Begins to connect to all trackers. Does not wait. */
  start(): void {
    this.#started = Promise.all(this.#connections.map((connection) => connection.start()))
  }

  stop(): void {
    for (const connection of this.#connections) connection.stop()
  }

  get isUp(): boolean {
    return this.#connections.some((connection) => connection.caller !== undefined)
  }

  /** The community whose log these trackers share, once one has answered. */
  get cluster(): string | undefined {
    return this.#connections.find((connection) => connection.greeting !== undefined)?.greeting?.cluster
  }

  /** Asks the first tracker that is up; the next, when that one goes away meanwhile. */
  async ask<M extends Question>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    return this.#request(method, params)
  }

  /** Changes hard state, once, however often it has to be sent. */
  async change<M extends Change>(method: M, params: ChangeParams<M>): Promise<Answer<void>> {
    const id = randomBytes(16).toString('base64url')
    const answer = await this.#request(method, { ...params, id } as Params<TrackerProtocol, M>)
    return answer.ok ? accept(undefined) : answer
  }

  async register(user: string, password: string, iterations: number): Promise<Answer<void>> {
    const keys = await deriveKeys(password, randomBytes(16).toString('base64'), iterations)
    return this.change('register', { user, ...credentialsOf(keys) })
  }

  /** Logs in at every tracker that is up, and from now on at each that comes up. */
  async login(user: string, password: string): Promise<Answer<void>> {
    let derived: ClientKeys | undefined
    const session: Credentials = {
      user,
      // The slow part is done once: every tracker of a community has the same salt for a user.
      keys: async (salt, iterations) => {
        if (derived?.salt !== salt || derived.iterations !== iterations) {
          derived = await deriveKeys(password, salt, iterations)
        }
        return derived
      },
    }
    const first = await this.#withConnection((connection, timeoutMs) => {
      this.#sessionCluster = connection.greeting?.cluster
      return connection.login(session, timeoutMs)
    })
    if (!first.ok) return first
    this.#session = session
    for (const connection of this.#connections) {
      if (connection.caller === undefined || connection.loggedInAs !== undefined) continue
      void this.#alsoLogin(connection, session)
    }
    return accept(undefined)
  }

  async #alsoLogin(connection: TrackerConnection, session: Credentials): Promise<void> {
    try {
      const answer = await connection.login(session)
      // Logged out meanwhile: this connection was not among those that were told.
      if (this.#session !== session) return await connection.logout()
      // What was announced since the first login has not been said to this one.
      if (answer.ok) {
        this.#toldOnce.onConnected(connection)
        return await this.#announced.sendAll(connection)
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    // It comes up again by itself, and logs in then. One that refuses may only be behind the others.
    connection.caller?.close('could not log in')
  }

  async logout(): Promise<void> {
    this.#session = undefined
    this.#announced.clear()
    this.#toldOnce.clear()
    await Promise.allSettled(this.#connections.map((connection) => connection.logout(answerWithinMs)))
  }

  /**
   * Says to all trackers that this client serves the file; said again to each that comes back.
   * Resolves when the one that is asked first has answered, and never rejects for a tracker that does not.
   */
  async announce(file: FileVersion, complete: boolean): Promise<void> {
    const entry = this.#announced.put(file, complete)
    const loggedIn = this.#usable().filter((connection) => connection.loggedInAs !== undefined)
    const answered = loggedIn.map((connection) => this.#announced.say(connection, entry, answerWithinMs))
    await answered[0]
  }

  retract(file: FileVersion): void {
    if (!this.#announced.drop(file)) return
    for (const connection of this.#connections) {
      if (connection.loggedInAs !== undefined) this.#announced.sayNot(connection, file)
    }
  }

  #onUp(connection: TrackerConnection, greeting: Greeting): void {
    this.#wasUp = true
    this.#toldOnce.onConnected(connection)
    for (const waiter of this.#waiters) waiter()
    if (connection.loggedInAs !== undefined) void this.#announced.sendAll(connection)
    this.#options.onUp(greeting)
    const isOther = this.#session !== undefined && greeting.cluster !== this.#sessionCluster
    if (isOther && this.#usable().length === 0) this.#options.onForgotten()
  }

  async #request<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    return this.#withConnection((connection, timeoutMs) => connection.request(method, params, timeoutMs))
  }

  /** Tries at one tracker after the other until one answers; gives up when none does for a while. */
  async #withConnection<T>(
    attempt: (connection: TrackerConnection, timeoutMs: number) => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    const deadlineMs = performance.now() + patienceMs
    let lost: unknown
    do {
      // A tracker that is up and yet cannot answer is not asked again in the same moment.
      if (lost !== undefined) await setTimeout(pauseMs)
      const usable = this.#usable()
      for (const [index, connection] of usable.entries()) {
        const another = usable[index + 1]
        try {
          const answer = await attempt(
            connection,
            another?.isHealthy === true ? answerWithinMs : requestTimeoutMs,
          )
          if (answer.ok || answer.refusal.code !== 'unavailable') return answer
          lost = new Failure('connection-lost', answer.refusal.sentence)
        } catch (error) {
          if (!(error instanceof Failure) || error.code === 'protocol') throw error
          lost = error
        }
      }
    } while (await this.#untilUp(deadlineMs - performance.now()))
    if (lost instanceof Failure && this.isUp) return refuse('unavailable', lost.message)
    const problem = this.#connections.find((connection) => connection.problem !== undefined)?.problem
    throw new Failure('connection-lost', problem ?? 'no tracker can be reached; is one running?', lost)
  }

  /** Those that can be asked now, logged in while somebody is. One that may hang is asked last. */
  #usable(): TrackerConnection[] {
    const usable = this.#connections.filter(
      (connection) =>
        connection.caller !== undefined &&
        (this.#session === undefined || connection.loggedInAs !== undefined),
    )
    return [...usable.filter(({ isHealthy }) => isHealthy), ...usable.filter(({ isHealthy }) => !isHealthy)]
  }

  /** Whether a tracker came up within this time. */
  async #untilUp(waitMs: number): Promise<boolean> {
    if (waitMs <= 0) return false
    return new Promise((resolve) => {
      const done = (up: boolean): void => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        resolve(up)
      }
      const wake = (): void => done(true)
      const timer = globalThis.setTimeout(() => done(false), waitMs)
      this.#waiters.add(wake)
      // Asked before the first try of all has ended: somebody may be up by then. If nobody is, and
      // nobody ever was, this is no short pause of a tracker, and the person is told soon.
      void this.#started?.then(() => {
        if (this.#usable().length > 0) wake()
        else if (!this.#wasUp) globalThis.setTimeout(() => done(false), startPatienceMs)
      })
    })
  }
}
