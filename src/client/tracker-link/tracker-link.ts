// All trackers of the file as one: sends a question to the first that is up, repeats a change at the next
// with the same command id, announces to all. Transfers never wait for it.

import type { Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { Method, Params, Result } from '../../common/wire/methods.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { TrackerEvidence } from '../diagnosis/evidence.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import type { KnownLogins } from '../storage/known-logins.ts'
import type { SavedLogin } from '../storage/remembered-login.ts'
import { AccountRequests } from './account-requests.ts'
import { Announcements } from './announcements.ts'
import { EarlyKeys } from './early-keys.ts'
import { Failover } from './failover.ts'
import { answerWithinMs } from './patience.ts'
import { newCommandId, triesOf } from './repeats.ts'
import { Password, type PasswordOptions } from './password.ts'
import { ToldOnce, unless } from './told-once.ts'
import type { TrackerTrust } from './tracker-trust.ts'
import { TrackerConnection, type Told } from './tracker-connection.ts'
import type { Greeting } from './tracker-greeting.ts'
import { askTime, clocksOf } from './tracker-times.ts'
import type { Whereabouts } from './whereabouts.ts'

type Requests = TrackerProtocol['requests']
/** Methods that change hard state; the link adds `id`. */
export type Change = {
  [M in Method<TrackerProtocol>]: Requests[M] extends { mutates: true } ? M : never
}[Method<TrackerProtocol>]
export type ChangeParams<M extends Change> = Omit<Params<TrackerProtocol, M>, 'id'>
export type Question = Exclude<Method<TrackerProtocol>, Change>

/** The tracker that sends a notification, and whether it is the first to: every tracker sends them all. */
export interface Teller {
  /** Whether no other tracker has reported this yet. For what a person wants to hear once. */
  readonly isNews: (what: object) => boolean
  /** The tracker's own key. */
  readonly key: () => string
  /** See `TrackerConnection.localEnd`. */
  readonly localEnd: () => Address | undefined
}

export interface TrackerLinkEvents {
  /** Returns the handlers for the notifications of one tracker. */
  told(teller: Teller): Omit<Told, 'reachability'>
  /** A login succeeded; these are the keys whose tickets this community honours. */
  onTrackers(keys: readonly string[]): void
  /** The login cannot be taken up again: the password was changed, or the account is gone. */
  onLoginEnded(user: string, why: string): void
  /** The time of the tracker with this key, in milliseconds since 1970. */
  onTime(key: string, timeMs: number): void
  /** A tracker is connected and, while a user is logged in, has accepted the login. */
  onUp(): void
  /**
   * All connected trackers belong to another community than the user who is logged in: others listen there
   * now, or the right ones have lost their data. The two look alike from here, so nothing is forgotten.
   */
  onOtherCommunity(address: Address): void
  /** A tracker is gone while another is up: what only the first knew must be reported again. */
  onOneDown(): void
  /** The last tracker is gone. */
  onAllDown(): void
}

export interface TrackerLinkOptions {
  readonly trackers: readonly Address[]
  readonly listen: Address
  readonly identity: Identity
  readonly protection: Protection
  readonly trust: TrackerTrust
  readonly changes: NetworkChanges
  readonly whereabouts: Whereabouts
  /** How passwords were salted and stretched at earlier logins. */
  readonly knownLogins: KnownLogins
  /** Iterations for new passwords, and the fewest that a tracker may ask for when a user is new here. */
  readonly iterations: number
  /** Keys that are being derived already. */
  readonly earlyKeys?: EarlyKeys | undefined
  readonly events: TrackerLinkEvents
  /** A newer session of the user who is logged in, for the next start of the program. */
  readonly onSession?: (login: SavedLogin) => void
}

export class TrackerLink {
  readonly #options: TrackerLinkOptions
  readonly #connections: TrackerConnection[]
  readonly #announced = new Announcements()
  readonly #toldOnce = new ToldOnce()
  readonly #failover: Failover
  /** What is asked about accounts, logged in or not. */
  readonly accounts: AccountRequests
  #credentials: Password | undefined
  /** Meanwhile a connection that comes up waits with its login: the password may be another one by now. */
  #isChangingAccount = false
  /** The community of the credentials, set by every attempt to log in. */
  #communityOfLogin: string | undefined

  constructor(options: TrackerLinkOptions) {
    this.#options = options
    const { events } = options
    this.accounts = new AccountRequests({
      knownLogins: options.knownLogins,
      iterations: options.iterations,
      passwordOf: (user, password, community) => this.#passwordOf(user, password, community),
      loggedIn: () => this.#credentials,
      withConnection: (attempt) => this.#failover.ask(attempt, () => this.#greeted()),
      changing: (change) => this.#changingAccount(change),
    })
    this.#connections = options.trackers.map((address) => {
      const connection: TrackerConnection = new TrackerConnection({
        address,
        listen: options.listen,
        identity: options.identity,
        protection: options.protection,
        trust: options.trust,
        changes: options.changes,
        whereabouts: () => options.whereabouts.now(),
        told: unless(() => this.#isOther(connection), {
          ...events.told({
            isNews: (what) => this.#toldOnce.isNews(connection, what),
            key: () => connection.greeting?.key ?? '',
            localEnd: () => connection.localEnd,
          }),
          reachability: (said) => connection.onLooked(said),
        }),
        onTrackers: (keys) => events.onTrackers(keys),
        credentialsFor: (community) =>
          community === this.#communityOfLogin && !this.#isChangingAccount ? this.#credentials : undefined,
        onLoginEnded: ({ user }, why) => events.onLoginEnded(user, why),
        onUp: (connection, greeting) => this.#onUp(connection, greeting),
        onDown: () => {
          this.#toldOnce.onGone(connection)
          if (this.isUp) events.onOneDown()
          else events.onAllDown()
        },
      })
      return connection
    })
    this.#failover = new Failover({
      connections: this.#connections,
      usable: () => this.#usable(),
      isUp: () => this.isUp,
      isAmongOthers: () => this.#isAmongOthers,
    })
  }

  /** Starts connecting to all trackers, without waiting. */
  start(): void {
    this.#failover.onFirstTries(Promise.all(this.#connections.map((connection) => connection.start())))
  }

  /** See `Failover.firstContact`. */
  firstContact(saysSilence: boolean): AsyncGenerator<string> {
    return this.#failover.firstContact(saysSilence)
  }

  stop(): void {
    for (const connection of this.#connections) connection.stop()
  }

  /** Whether a tracker is connected; while a user is logged in, only trackers of that community count. */
  get isUp(): boolean {
    return this.#connections.some(
      (connection) => connection.caller !== undefined && !this.#isOther(connection),
    )
  }

  /** The community whose log these trackers share, once one has answered. */
  get community(): string | undefined {
    return this.#connections.find((connection) => connection.greeting !== undefined)?.greeting?.cluster
  }

  /** Asks the first tracker that is up, or the next when that one goes away. */
  async ask<M extends Question>(
    method: M,
    params: Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    return this.#request(method, () => params)
  }

  /** Changes hard state exactly once, however often the command is sent. */
  async change<M extends Change>(method: M, params: ChangeParams<M>): Promise<Answer<void>> {
    const tries = triesOf({ ...params, id: newCommandId() } as Params<TrackerProtocol, M>)
    const answer = await this.#request(method, tries)
    return answer.ok ? accept(undefined) : answer
  }

  /** Logs in at every tracker that is up, and later at each that comes up. */
  async login(user: string, password: string): Promise<Answer<void>> {
    const credentials = this.#passwordOf(user, password)
    const first = await this.#failover.ask((connection, timeoutMs) => {
      this.#communityOfLogin = connection.greeting?.cluster
      return connection.login(credentials, timeoutMs)
    })
    if (!first.ok) return first
    this.#credentials = credentials
    const community = this.#communityOfLogin
    if (community !== undefined && credentials.derived !== undefined)
      // Not awaited: it counts already, and beside a download a flush can take long.
      void this.#options.knownLogins.remember(community, user, credentials.derived)
    this.#alsoLogins(credentials)
    return accept(undefined)
  }

  /** Resolves when what a login has shown is on disk. */
  saved(): Promise<void> {
    return this.#options.knownLogins.saved()
  }

  /** Logs in with the session of an earlier run, at each tracker that comes up. Before the start only. */
  resume(login: SavedLogin): void {
    this.#communityOfLogin = login.community
    this.#credentials = Password.ofSession(
      login,
      this.#passwordOptions(() => login.community),
    )
  }

  /** The login of the user, to be remembered; undefined where there is none, or no tracker gave a session. */
  get savedLogin(): SavedLogin | undefined {
    return this.#credentials?.saved
  }

  #passwordOf(user: string, text: string, community = (): string => this.#communityOfLogin ?? ''): Password {
    return new Password(user, text, this.#passwordOptions(community))
  }

  #passwordOptions(community: () => string): PasswordOptions {
    const { knownLogins, iterations, earlyKeys = new EarlyKeys(), identity } = this.#options
    const onSession = (login: SavedLogin): void => {
      if (this.#credentials?.user === login.user) this.#options.onSession?.(login)
    }
    return { knownLogins, iterations, community, earlyKeys, clientKey: identity.publicKey, onSession }
  }

  /** Logs in where the user is not logged in yet. */
  #alsoLogins(credentials: Password): void {
    for (const connection of this.#connections) {
      if (connection.caller === undefined || connection.loggedInAs !== undefined) continue
      void this.#alsoLogin(connection, credentials)
    }
  }

  async #alsoLogin(connection: TrackerConnection, credentials: Password): Promise<void> {
    try {
      const answer = await connection.logIn(credentials)
      // The user logged out meanwhile, and that logout missed this connection.
      if (this.#credentials !== credentials) return await connection.logout()
      // This tracker has missed what was announced since the first login.
      if (answer.ok) {
        this.#toldOnce.onConnected(connection)
        return await this.#announced.sendAll(connection)
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    // The tracker reconnects by itself and logs in then. One that refuses may only be behind the others.
    connection.caller?.close('could not log in')
  }

  async logout(): Promise<void> {
    const others = this.#connections.filter((connection) => this.#isOther(connection))
    this.#credentials = undefined
    this.#announced.clear()
    this.#toldOnce.clear()
    await Promise.allSettled(this.#connections.map((connection) => connection.logout(answerWithinMs)))
    // These reconnect by themselves and are usable then.
    for (const { caller } of others) caller?.close('the user of another community logged out')
  }

  /** Trackers where the user is logged in, the one to ask first first. */
  get loggedIn(): readonly TrackerConnection[] {
    return this.#usable().filter(({ loggedInAs }) => loggedInAs !== undefined)
  }

  /** Whether a tracker sees this client at that address. */
  isSeenAt(host: string): boolean {
    return this.#connections.some(({ seenAt }) => seenAt?.host === host)
  }

  get addresses(): readonly Address[] {
    return this.#options.trackers
  }

  /** What is known of each tracker, for the diagnosis. */
  get evidence(): TrackerEvidence[] {
    return this.#connections.map((connection) => {
      const { evidence } = connection
      return this.#isOther(connection) ? { ...evidence, state: 'other-community' } : evidence
    })
  }

  /** See `clocksOf`. */
  clocks(timeoutMs: number): Promise<{ address: string; aheadMs: number }[]> {
    return clocksOf(this.#connections, timeoutMs)
  }

  /** Asks every tracker that is up for its time; `onTime` receives the answers. */
  askTimes(): void {
    const { events } = this.#options
    for (const connection of this.#connections) {
      if (!this.#isOther(connection)) void askTime(connection, (key, timeMs) => events.onTime(key, timeMs))
    }
  }

  /** Others may reach this client elsewhere now: all trackers are told. */
  async onMoved(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.onMoved()))
  }

  /** Trackers that wait to be tried again are tried at once. */
  onNetworkChanged(): void {
    for (const connection of this.#connections) connection.onNetworkChanged()
  }

  /**
   * Announces to all trackers that this client serves the file, and again to each that comes back. Resolves
   * when the first usable tracker has answered or timed out; never rejects for one that does not answer.
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
    this.#toldOnce.onConnected(connection)
    this.#failover.onUp()
    if (this.#isOther(connection)) {
      if (this.#usable().length === 0) this.#options.events.onOtherCommunity(connection.address)
      return
    }
    if (connection.loggedInAs !== undefined) void this.#announced.sendAll(connection)
    this.#options.events.onTime(greeting.key, greeting.timeMs)
    this.#options.events.onUp()
  }

  /** Whether this tracker is up and belongs to another community than the user who is logged in. */
  #isOther({ greeting }: TrackerConnection): boolean {
    if (greeting === undefined || this.#credentials === undefined) return false
    return greeting.cluster !== this.#communityOfLogin
  }

  /** Whether trackers are up, and all of them belong to another community. */
  get #isAmongOthers(): boolean {
    const up = this.#connections.filter(({ caller }) => caller !== undefined)
    return up.length > 0 && up.every((connection) => this.#isOther(connection))
  }

  async #request<M extends Method<TrackerProtocol>>(
    method: M,
    params: () => Params<TrackerProtocol, M>,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    return this.#failover.ask((connection, timeoutMs) => connection.request(method, params(), timeoutMs))
  }

  /** Trackers that can be asked now, logged in to while a user is. Those that may hang come last. */
  #usable(): TrackerConnection[] {
    return this.#greeted().filter(
      ({ loggedInAs }) => this.#credentials === undefined || loggedInAs !== undefined,
    )
  }

  /** Likewise, logged in or not, of the user's community. */
  #greeted(): TrackerConnection[] {
    const up = this.#connections.filter(
      (connection) => connection.caller !== undefined && !this.#isOther(connection),
    )
    return [...up.filter(({ isHealthy }) => isHealthy), ...up.filter(({ isHealthy }) => !isHealthy)]
  }

  /** Connections that come up during such a change log in after it, with what holds then. */
  async #changingAccount<T>(change: () => Promise<T>): Promise<T> {
    this.#isChangingAccount = true
    try {
      return await change()
    } finally {
      this.#isChangingAccount = false
      // Not in this turn: the caller has yet to put the new password in place.
      setImmediate(() => {
        if (this.#credentials !== undefined) this.#alsoLogins(this.#credentials)
      })
    }
  }
}
