// The connection to one tracker: connects, greets, logs in again after every reconnect, and retries with
// backoff. Independent of the other trackers.

import { orAborted } from '../../common/abortable.ts'
import { formatAddress, type Address } from '../../common/addresses.ts'
import { lineBytesMax, requestTimeoutMs } from '../../common/limits.ts'
import { trackerProtocol, type TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { refuse, type Answer, type Refusal } from '../../common/refusal.ts'
import type { Identity } from '../../common/security/identity.ts'
import { Caller, type CallerEvents } from '../../common/wire/caller.ts'
import type { Channel } from '../../common/wire/channel.ts'
import { openChannel } from '../../common/wire/open-channel.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { Method, Params, Result, ToldParams } from '../../common/wire/methods.ts'
import { Failure } from '../../common/failure.ts'
import { isLoopback } from '../../common/networks.ts'
import type { Place } from '../../common/protocol/tracker-fields.ts'
import type { CameHere, TrackerEvidence, TrackerState } from '../diagnosis/evidence.ts'
import { callableFrom } from './call-from.ts'
import { Lifeline } from '../network/lifeline.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import {
  loginByPassword,
  loginBySession,
  notGenuine,
  provePassword,
  type Credentials,
  type LoggedIn,
  type LoggingIn,
} from './login-exchange.ts'
import { answerWithinMs } from './patience.ts'
import { resolveAddress } from '../../common/resolve-address.ts'
import { greetTracker, type Greeting } from './tracker-greeting.ts'
import { TrackerProblem } from './tracker-problem.ts'
import type { TrackerTrust } from './tracker-trust.ts'
import type { Where } from './whereabouts.ts'

export type Told = CallerEvents<TrackerProtocol>['onTold']

export interface TrackerConnectionOptions {
  readonly address: Address
  readonly listen: Address
  readonly identity: Identity
  readonly protection: Protection
  readonly changes: NetworkChanges
  /** Which key the tracker has. */
  readonly trust: Pick<TrackerTrust, 'check' | 'pinOf'>
  /** Where others are told to reach this client. */
  readonly whereabouts: () => Promise<Where>
  readonly told: Told
  /** Receives the keys of all trackers, as a login at this one reports them. */
  readonly onTrackers: (keys: readonly string[]) => void
  /** Whom to log in, if anybody, on a new connection to this community. */
  readonly credentialsFor: (community: string) => Credentials | undefined
  /** The tracker knows that what the session stands for has ended. */
  readonly onLoginEnded: (credentials: Credentials, why: string) => void
  /** Called when the tracker has greeted and, while a user is logged in, has accepted the login. */
  readonly onUp: (connection: TrackerConnection, greeting: Greeting) => void
  readonly onDown: (connection: TrackerConnection) => void
}

const rememberedEnded = refuse('login-ended', 'the remembered login does not hold any more; log in again')

/** The delay before the next attempt, in milliseconds: first and longest. */
const firstBackoffMs = 100
const longestBackoffMs = 3000

export class TrackerConnection {
  readonly address: Address
  readonly #options: TrackerConnectionOptions
  #caller: Caller<TrackerProtocol> | undefined
  #greeting: Greeting | undefined
  #loggedInAs: string | undefined
  #seenAt: Place | undefined
  #cameHere: CameHere | undefined
  /** Where others reach this client, as it was said at the login. */
  #toldPort: number | undefined
  /** The caller that left a request unanswered, until it answers a ping. */
  #doubted: Caller<TrackerProtocol> | undefined
  /** True from `onUp` to `onDown`. Stays false for a tracker that greets but refuses the login. */
  #isUp = false
  #problem: string | undefined
  #state: Pick<TrackerEvidence, 'state' | 'sentence' | 'sinceMs'> = {
    state: 'connecting',
    sinceMs: Date.now(),
  }
  #backoffMs = firstBackoffMs
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: TrackerConnectionOptions) {
    this.address = options.address
    this.#options = options
  }

  /** The caller, once the tracker has greeted. */
  get caller(): Caller<TrackerProtocol> | undefined {
    return this.#greeting === undefined ? undefined : this.#caller
  }

  /** The user that this connection is logged in as. */
  get loggedInAs(): string | undefined {
    return this.#loggedInAs
  }

  /** Where the tracker sees this client, since the login. */
  get seenAt(): Place | undefined {
    return this.#loggedInAs === undefined ? undefined : this.#seenAt
  }

  /** Whether it has clients call each other. */
  get takesCalls(): boolean {
    return this.#loggedInAs !== undefined && this.#greeting?.capabilities.includes('calls') === true
  }

  /** This end of the connection, where later ones may begin, too; undefined on this machine. */
  get localEnd(): Address | undefined {
    const { localHost: host, localPort: port } = this.#caller?.channel ?? {}
    return host === undefined || port === undefined || isLoopback(host) ? undefined : { host, port }
  }

  /** Why a tracker that answers is not used, as a sentence. */
  get problem(): string | undefined {
    return this.#problem
  }

  get greeting(): Greeting | undefined {
    return this.#greeting
  }

  /** The tracker has tried to come to this client. */
  onLooked({
    reachable: isReached,
    why,
    ...place
  }: ToldParams<TrackerProtocol, 'toCaller', 'reachability'>): void {
    this.#cameHere = { address: formatAddress(place), isReached, why }
  }

  /** Logs in anew when others reach this client at another port than this tracker was told. */
  async onMoved(): Promise<void> {
    try {
      const { port } = await this.#options.whereabouts()
      if (this.#loggedInAs === undefined || port === this.#toldPort) return
      this.#caller?.close('others reach this client elsewhere now')
    } catch (error) {
      // A name without an address, which nobody can be told.
      if (!(error instanceof Failure)) throw error
    }
  }

  /** Connects, and keeps retrying. Resolves when the first attempt has ended. */
  async start(): Promise<void> {
    await this.#connect()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    this.#caller?.close('the client stops')
  }

  /** False while a request is overdue: other trackers are asked first. */
  get isHealthy(): boolean {
    return this.#doubted === undefined
  }

  /**
   * Asks this tracker. One that has not answered within `timeoutMs` may hang or just be slow: it is pinged
   * for the rest of `requestTimeoutMs`, and the connection is closed if the ping is not answered either.
   * Rejects with the failures of `Caller.request`.
   */
  async request<M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
    timeoutMs = requestTimeoutMs,
  ): Promise<Answer<Result<TrackerProtocol, M>>> {
    const { caller } = this
    if (caller === undefined) throw new Failure('connection-lost', 'not connected')
    try {
      return await caller.request(method, params, { timeoutMs })
    } catch (error) {
      if (error instanceof Failure && error.code === 'timeout')
        this.#doubt(caller, requestTimeoutMs - timeoutMs)
      throw error
    }
  }

  /** Others are asked first until this tracker answers a ping; it is closed if that takes so long. */
  doubt(pingTimeoutMs: number): void {
    if (this.#caller !== undefined) this.#doubt(this.#caller, pingTimeoutMs)
  }

  #doubt(caller: Caller<TrackerProtocol>, pingTimeoutMs: number): void {
    if (pingTimeoutMs <= 0) {
      caller.close('it does not answer')
      return
    }
    if (this.#caller !== caller || this.#doubted === caller) return
    this.#doubted = caller
    caller.request('ping', {}, { timeoutMs: pingTimeoutMs }).then(
      () => {
        if (this.#doubted === caller) this.#doubted = undefined
      },
      () => caller.close('it does not answer'),
    )
  }

  /** The proof that the user's password is this one, for one request on this connection. */
  provePassword(credentials: Credentials, timeoutMs?: number): Promise<Answer<string>> {
    return provePassword(this.#loggingIn, credentials, timeoutMs)
  }

  /**
   * Logs in with SCRAM; `timeoutMs` applies to each of its two requests. Refuses a tracker that does not know
   * the password. Rejects with a failure when the exchange fails or the tracker goes away.
   */
  async login(credentials: Credentials, timeoutMs?: number): Promise<Answer<LoggedIn>> {
    const answer = await loginByPassword(this.#loggingIn, credentials, timeoutMs)
    if (answer.ok) this.#onLoggedIn(credentials, answer.value)
    return answer
  }

  /** Logs in with the session where there is one, which costs the tracker less than a password. */
  async logIn(credentials: Credentials): Promise<Answer<object>> {
    const resumed = await loginBySession(this.#loggingIn, credentials)
    if (resumed.ok) this.#onLoggedIn(credentials, resumed.value)
    if (resumed.ok || resumed.refusal.code === 'login-ended' || resumed === notGenuine) return resumed
    if (credentials.hasPassword !== false) return this.login(credentials)
    return credentials.session === undefined ? rememberedEnded : resumed
  }

  get #loggingIn(): LoggingIn {
    const { identity, whereabouts } = this.#options
    const binding = this.#caller?.channel.secure?.binding
    return {
      greeting: this.#greeting,
      binding,
      identity,
      where: async (greeting) => this.#whereFor(greeting, await whereabouts()),
      request: (method, params, timeoutMs) => this.request(method, params, timeoutMs),
      close: (why) => this.#caller?.close(why),
    }
  }

  #onLoggedIn(credentials: Credentials, { seen, session, trackers }: LoggedIn): void {
    this.#loggedInAs = credentials.user
    this.#seenAt = seen
    this.#cameHere = undefined
    if (session !== undefined) credentials.onSession?.(session)
    // At every login: a tracker that was started while nobody was connected has a key that is unknown here.
    this.#options.onTrackers(trackers)
  }

  /** Older trackers take no more than where this client listens. */
  #whereFor({ capabilities }: Greeting, { local, localPort, ...where }: Where): Where {
    const { host, port } = where
    this.#toldPort = port
    if (!capabilities.includes('calls')) return { port, ...(host !== undefined && { host }) }
    // On this machine, others come by the address that they see.
    if (isLoopback(this.address.host) || local === undefined) return where
    return { ...where, local, ...(localPort !== undefined && { localPort }) }
  }

  async logout(timeoutMs?: number): Promise<void> {
    this.#loggedInAs = undefined
    if (this.caller !== undefined) await this.request('logout', {}, timeoutMs)
  }

  async #connect(): Promise<void> {
    let called: Caller<TrackerProtocol> | undefined
    try {
      const channel = await this.#open()
      const caller = new Caller(channel, trackerProtocol, {
        onTold: this.#options.told,
        onClosed: () => {
          forget()
          this.#onClosed(caller)
        },
      })
      const forget = this.#follow(caller)
      called = caller
      this.#caller = caller
      if (this.#stopped) caller.close()
      const greeting = await greetTracker(caller, this.address)
      this.#greeting = greeting
      await this.#logInAgain(greeting.cluster)
      this.#backoffMs = firstBackoffMs
      this.#problem = undefined
      this.#isUp = true
      this.#setState('up')
      this.#options.onUp(this, greeting)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#onFailed(error, called?.lastWord)
      if (this.#caller?.channel.isClosed === false) this.#caller.close(error.message)
      else this.#tryAgain()
    }
  }

  /** Until the connection is up, a change of the network ends it. */
  #follow(caller: Caller<TrackerProtocol>): () => void {
    const lifeline = new Lifeline({
      channel: caller.channel,
      ping: (timeoutMs) => caller.request('ping', {}, { timeoutMs }),
      close: (why) => caller.close(why),
    })
    return this.#options.changes.follow(lifeline, answerWithinMs, () => this.#isUp)
  }

  #onFailed(error: Failure, lastWord: Refusal | undefined): void {
    const name = `the tracker ${formatAddress(this.address)}`
    let problem = error
    // Turned away: there is a tracker, and it says why it takes nobody.
    if (lastWord?.code === 'busy')
      problem = new TrackerProblem('full', `${name} is full: ${lastWord.sentence}; trying again`)
    else if (lastWord?.code === 'protocol-version')
      problem = new TrackerProblem('version', `${name} says: ${lastWord.sentence}`)
    this.#problem = problem.code === 'protocol' ? problem.message : undefined
    this.#setState(problem instanceof TrackerProblem ? problem.kind : 'silent', problem.message)
  }

  #setState(state: Exclude<TrackerState, 'hangs' | 'other-community'>, sentence?: string): void {
    const isNew = state !== this.#state.state
    this.#state = { state, sentence, sinceMs: isNew ? Date.now() : this.#state.sinceMs }
  }

  /** What is known of the tracker, for the diagnosis. */
  get evidence(): TrackerEvidence {
    const address = formatAddress(this.address)
    const calledFrom = this.#caller?.channel.localHost
    const cameHere = this.#loggedInAs === undefined ? undefined : this.#cameHere
    const known = { address, program: this.#greeting?.program, calledFrom, cameHere, ...this.#state }
    return this.#state.state === 'up' && !this.isHealthy ? { ...known, state: 'hangs' } : known
  }

  async #open(): Promise<Channel> {
    const { protection, trust, listen } = this.#options
    const { attempts: signal } = this.#options.changes
    const address = await orAborted(resolveAddress(this.address), signal)
    const check = (key: string | undefined): Failure | undefined => trust.check(this.address, key)
    const tls = protection.towards(this.address.host, check, trust.pinOf(this.address) !== undefined)
    return openChannel(address, lineBytesMax, { ...callableFrom(listen, address), tls, signal })
  }

  /** Logs this connection in, with the same keys, when the user logged in before it came up. */
  async #logInAgain(community: string): Promise<void> {
    const credentials = this.#options.credentialsFor(community)
    if (credentials === undefined) return
    const answer = await this.logIn(credentials)
    if (
      !answer.ok &&
      answer.refusal.code === 'login-ended' &&
      this.#options.credentialsFor(community) === credentials
    )
      this.#options.onLoginEnded(credentials, answer.refusal.sentence)
    if (!answer.ok)
      throw new TrackerProblem('login-refused', `the tracker refuses this login: ${answer.refusal.sentence}`)
    // The user logged out meanwhile, and that logout missed this connection.
    if (this.#options.credentialsFor(community) !== credentials) await this.logout()
  }

  #onClosed(caller: Caller<TrackerProtocol>): void {
    if (this.#caller !== caller) return
    const wasUp = this.#isUp
    this.#isUp = false
    this.#caller = undefined
    this.#doubted = undefined
    this.#greeting = undefined
    this.#loggedInAs = undefined
    if (wasUp) {
      this.#setState('silent', 'the connection was lost')
      this.#options.onDown(this)
    }
    this.#tryAgain()
  }

  /** The network has changed: what kept the tracker from being reached may be over. */
  onNetworkChanged(): void {
    this.#backoffMs = firstBackoffMs
    if (this.#retry === undefined) return
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#tryAgain()
  }

  #tryAgain(): void {
    if (this.#stopped || this.#retry !== undefined) return
    // Jitter, so that the clients of a restarted tracker, or behind one router, do not all reconnect at once.
    const waitMs = this.#backoffMs * (0.75 + Math.random() / 2)
    this.#backoffMs = Math.min(longestBackoffMs, this.#backoffMs * 2)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.#connect()
    }, waitMs)
  }
}
