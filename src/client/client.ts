// The client as a whole: wires its parts together, and keeps the session of the logged-in user.

import pLimit from 'p-limit'
import type { EventLoopLag } from '../common/prometheus/event-loop-lag.ts'
import type { Family } from '../common/prometheus/exposition.ts'
import { Protection } from '../common/wire/protection.ts'
import { scramIterations } from '../common/limits.ts'
import { plainNameProblem } from '../common/names.ts'
import { accept, refuse, type Answer } from '../common/refusal.ts'
import { loadIdentity, type Identity } from '../common/security/identity.ts'
import { accountActions } from './actions/accounts.ts'
import type { Core } from './actions/core.ts'
import { diagnosisActions } from './actions/diagnosis.ts'
import { downloadActions } from './actions/downloads.ts'
import { fileActions } from './actions/files.ts'
import { groupActions } from './actions/groups.ts'
import { linkActions } from './actions/links.ts'
import { pageActions } from './actions/page.ts'
import { seeingActions } from './actions/seeing.ts'
import { subscriptionActions } from './actions/subscriptions.ts'
import { clientFamilies } from './client-metrics.ts'
import { alreadyLoggedIn, notLoggedIn, passwordProblem } from './answers.ts'
import { Guests } from './guests/guests.ts'
import { NetworkChanges } from './network/network-changes.ts'
import type { NetworkChange } from './network/network-watch.ts'
import type { ClientEvent, Operations } from './operations.ts'
import { Reach } from './reach/reach.ts'
import { Session, type SessionParts } from './session.ts'
import { EntryLimits } from './sharing/entry-limits.ts'
import { PeerServer } from './sharing/peer-server.ts'
import { RecipeOffice } from './sharing/recipe-office.ts'
import { SourceRegistry } from './sharing/source-registry.ts'
import { TicketOffice } from './sharing/ticket-office.ts'
import { UploadQueue } from './sharing/upload-queue.ts'
import { KnownLogins } from './storage/known-logins.ts'
import { LimitStore } from './storage/limit-store.ts'
import { ManifestStore } from './storage/manifest-store.ts'
import { RememberedLogin } from './storage/remembered-login.ts'
import { TrackerLink } from './tracker-link/tracker-link.ts'
import { TrackerTrust } from './tracker-link/tracker-trust.ts'
import { Whereabouts } from './tracker-link/whereabouts.ts'
import { TrackerNews } from './tracker-news.ts'
import { LimitSchedule } from './transfer/limit-schedule.ts'
import { TokenBucket } from '../common/token-bucket.ts'
import { ConnectTurns } from './downloading/connect-turns.ts'
import type { ClientOptions } from './client-options.ts'
import { FolderPool } from './workers/folder-pool.ts'
import { HashPool } from './workers/hash-pool.ts'
import { RecipePool } from './workers/recipe-pool.ts'
import { flagsForWork } from './workers/start-worker.ts'
import { StorePool } from './workers/store-pool.ts'

/** Files to hash at a time: one already keeps all cores busy. */
const hashedAtOnce = 1

export class Client {
  readonly operations: Operations
  /** What this client counts, for Prometheus. */
  families: (loop: EventLoopLag) => Family[] = () => []
  readonly #options: ClientOptions
  readonly #tickets: TicketOffice = new TicketOffice(() => this.#link.askTimes())
  readonly #sources = new SourceRegistry()
  readonly #entryLimits = new EntryLimits(this.#sources)
  readonly #hashes = new HashPool()
  readonly #folders = new FolderPool()
  readonly #storing = new StorePool()
  readonly #recipes = new RecipePool()
  readonly #server: PeerServer
  /** Links for people without an account. */
  readonly guests: Guests
  readonly #changes = new NetworkChanges()
  readonly #reach: Reach
  readonly #whereabouts: Whereabouts
  readonly #news: TrackerNews
  readonly #link: TrackerLink
  readonly #sessionParts: SessionParts
  readonly #remembered: RememberedLogin
  readonly #limitStore: LimitStore
  readonly #limits: LimitSchedule
  #session: Session | undefined
  #port = 0
  readonly #listeners = new Set<(event: ClientEvent) => void>()
  /** Groups that this client is leaving at the moment. */
  readonly #leaving = new Set<string>()
  /** Runs logins and logouts one at a time, so that each sees the session the previous one left. */
  readonly #turns = pLimit(1)
  #closing = false
  /** Its own client asks for it: what trackers say of the end is no news. */
  #isDeleting = false

  constructor(options: ClientOptions) {
    this.#options = options
    const identity = loadIdentity(options.folder)
    const protection = new Protection(identity.forTls, options.encryption ?? 'beyond')
    const buckets = {
      upload: new TokenBucket(options.uploadLimit),
      download: new TokenBucket(options.downloadLimit),
    }
    const uploads = new UploadQueue(buckets.upload)
    const recipes = new RecipeOffice(this.#recipes, new ManifestStore(options.folder))
    const { onFailure } = options
    this.#reach = this.#makeReach(identity)
    this.#whereabouts = this.#makeWhereabouts()
    this.#server = new PeerServer({
      identity,
      protection,
      tickets: this.#tickets,
      sources: this.#sources,
      uploads,
      limits: this.#entryLimits,
      recipes,
      roles: this.#reach.roles,
      onFailure,
    })
    const onEvent = (event: ClientEvent): void => this.#emit(event)
    const onTrouble = (sentence: string): void => onEvent({ kind: 'notice', sentence })
    this.guests = new Guests({
      ...{ folder: options.folder, sources: this.#sources, uploads, limits: this.#entryLimits },
      ...{ onEvent, onAct: options.onGuestAct, onFailure },
      session: () => this.#session,
    })
    this.#remembered = new RememberedLogin(options.folder, onTrouble)
    this.#limitStore = new LimitStore(options.folder, onTrouble)
    this.#limits = new LimitSchedule({
      buckets,
      rules: this.#limitStore.load(),
      onTimedRules: (rules) => void this.#limitStore.save(rules).catch(onFailure),
    })
    this.#news = new TrackerNews({
      tickets: this.#tickets,
      server: this.#server,
      session: () => this.#session,
      trackers: options.trackers,
      isLeaving: (group) => this.#leaving.has(group) || this.#isDeleting,
      onLoginEnded: (user, why) => this.#onLoginEnded(user, why),
      onCall: (call, from) => this.#reach.onCall(call, from),
      onRelay: (users, tokens) => this.#reach.onRelay(users, tokens),
      onEvent,
      onFailure,
    })
    this.#link = new TrackerLink({
      trackers: options.trackers,
      listen: options.listen,
      identity,
      protection,
      trust: new TrackerTrust(options.folder, options.trackers),
      changes: this.#changes,
      whereabouts: this.#whereabouts,
      knownLogins: new KnownLogins(options.folder, onTrouble),
      iterations: scramIterations,
      earlyKeys: options.earlyKeys,
      events: this.#news,
      onSession: (login) => void this.#remembered.renew(login).catch(onFailure),
    })
    this.#sources.announceBy(this.#link)
    this.#sessionParts = this.#partsOfSession(identity, protection, buckets.download)
    this.operations = this.#makeOperations(uploads, protection, recipes)
  }

  #makeReach(identity: Identity): Reach {
    const { listen, relay, mapsPort = false, onFailure } = this.#options
    return new Reach({
      ...{ identity, listen, relay, mapsPort, onFailure },
      port: () => this.#port,
      serveOn: (socket, way) => this.#server.serveOn(socket, way),
      isServing: () => this.#session !== undefined,
      onMoved: () => void this.#link.onMoved().catch(onFailure),
    })
  }

  #makeWhereabouts(): Whereabouts {
    const { listen, advertise: advertised, relay } = this.#options
    const { portMap } = this.#reach
    return new Whereabouts({
      ...{ listen, advertised },
      port: () => this.#port,
      relays: relay !== undefined,
      mapped: portMap && (() => portMap.settled()),
    })
  }

  #partsOfSession(identity: Identity, protection: Protection, downloadBucket: TokenBucket): SessionParts {
    return {
      identity,
      routes: this.#reach.routes({
        protection,
        changes: this.#changes,
        trackers: () => this.#link.loggedIn,
        isSeenAt: (host) => this.#link.isSeenAt(host),
      }),
      changes: this.#changes,
      folder: this.#options.folder,
      link: this.#link,
      hashes: this.#hashes,
      folders: this.#folders,
      storing: this.#storing,
      recipes: this.#recipes,
      sources: this.#sources,
      downloadBucket,
      entryLimits: this.#entryLimits,
      turns: new ConnectTurns(),
      hashing: pLimit(hashedAtOnce),
      onUnshared: (by, file) => this.guests.onUnshared(by, file),
      onEvent: (event) => this.#emit(event),
      onFailure: this.#options.onFailure,
    }
  }

  #makeOperations(uploads: UploadQueue, protection: Protection, recipes: RecipeOffice): Operations {
    const { identity, folder } = this.#sessionParts
    const { listen } = this.#options
    const port = (): number => this.#port
    const whereabouts = this.#whereabouts
    const core: Core = {
      link: this.#link,
      session: () => this.#session,
      turns: this.#turns,
      uploads: () => this.#server.uploads(),
      guestFetches: () => this.guests.book.fetches(),
      sources: this.#sources,
      prepareRecipe: (source) => void recipes.prepare(source).catch(this.#options.onFailure),
      limits: this.#limits,
      leaving: this.#leaving,
      login: (...given) => this.#turns(() => this.#login(...given)),
      examination: {
        ...{ identity, protection, listen, folder, port, whereabouts, uploads },
        isGone: (host) => this.#changes.isGone(host),
        portMap: () => this.#reach.portMap?.evidence,
      },
      logout: () => this.#turns(() => this.#logout()),
      deleteAccount: (password) => this.#turns(() => this.#deleteAccount(password)),
    }
    this.families = (loop) => clientFamilies(core, loop)
    return {
      ...accountActions(core),
      ...groupActions(core),
      ...fileActions(core),
      ...subscriptionActions(core),
      ...downloadActions(core),
      ...seeingActions(core),
      ...diagnosisActions(core),
      ...pageActions(core, this.#options),
      ...linkActions(core, this.guests, this.#options),
    }
  }

  /**
   * Starts listening and connecting, and goes on with a remembered login; resolves to the port. Rejects with a `start`
   * failure, or with a `data` failure when what is remembered cannot be read.
   */
  async start(): Promise<number> {
    const saved = this.#remembered.load()
    this.#port = await this.#server.listen(this.#options.listen)
    if (saved !== undefined) {
      // Trackers are told as they come up; until then it is as if the last one had gone away.
      this.#link.resume(saved)
      this.#news.onResumed(saved.user)
      this.#begin(await Session.open(saved.user, saved.community, this.#sessionParts))
    }
    this.#reach.start()
    this.#link.start()
    this.#changes.subscribe((change) => this.#onNetworkChanged(change))
    this.#changes.start()
    return this.#port
  }

  /**
   * Which tracker answers, as a sentence, once one does; before that, after two seconds, that none does. For a person at
   * the start, where events say only what changes.
   */
  firstContact(): AsyncGenerator<string> {
    // The silence is an event where a login waits for its end.
    return this.#link.firstContact(this.#session === undefined)
  }

  /** Adds a listener for asynchronous events; call the result to remove it. */
  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Connections that this client opened have been seen to. */
  #onNetworkChanged({ gone, woke }: NetworkChange): void {
    this.#server.closeThoseAt(gone)
    this.#reach.onNetworkChanged()
    this.#link.onNetworkChanged()
    // The clock by which tickets lapse stands still while a machine sleeps.
    if (woke) this.#link.askTimes()
    this.#session?.downloads.findAgain()
  }

  #emit(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  async #login(user: string, password: string, remember = false): Promise<Answer<void>> {
    if (this.#session !== undefined) {
      if (this.#session.user !== user) return alreadyLoggedIn(this.#session.user)
      if (remember) await this.#remember()
      return accept(undefined)
    }
    if (plainNameProblem('user', user) !== undefined || passwordProblem(password) !== undefined) {
      return refuse('login-failed', 'wrong user name or password')
    }
    const answer = await this.#link.login(user, password)
    if (!answer.ok) return answer
    if (this.#closing) return refuse('cancelled', 'the program is ending')
    const session = await Session.openOrLogOut(user, this.#sessionParts)
    if (this.#closing) return session.close().then(() => refuse('cancelled', 'the program is ending'))
    this.#begin(session)
    if (remember) await this.#remember()
    return accept(undefined)
  }

  #begin(session: Session): void {
    this.#session = session
    flagsForWork()
    this.#emit({ kind: 'user-changed', user: session.user })
    this.#tickets.open()
    // Not awaited: rehashing a file would delay the reply.
    session.resume().catch(this.#options.onFailure)
  }

  async #remember(): Promise<void> {
    const login = this.#link.savedLogin
    if (login !== undefined) return this.#remembered.keep(login)
    this.#emit({
      kind: 'notice',
      sentence: 'the login is not remembered: this tracker gives no session for it',
    })
  }

  async #logout(): Promise<Answer<void>> {
    const session = this.#session
    if (session === undefined) return refuse('login-first', 'nobody is logged in')
    this.#session = undefined
    this.guests.book.look()
    this.#emit({ kind: 'user-changed', user: undefined })
    this.#news.onLogout()
    this.#tickets.close()
    await this.#remembered.forget()
    await session.close()
    this.#server.closeAll('the user logged out')
    this.#reach.onLoggedOut()
    await this.#link.logout()
    return accept(undefined)
  }

  /** What is shared and downloaded here is forgotten; the files stay. */
  async #deleteAccount(password: string): Promise<Answer<void>> {
    const session = this.#session
    if (session === undefined) return notLoggedIn()
    this.#isDeleting = true
    try {
      const deleted = await this.#link.accounts.deleteAccount(password)
      if (!deleted.ok) return deleted
      // A later account of this name must not go on with what this one shared.
      await session.forgetAll()
      return await this.#logout()
    } finally {
      this.#isDeleting = false
    }
  }

  /** Every tracker says so, perhaps long after a new login: only the session of then ends. */
  #onLoginEnded(user: string, why: string): void {
    const session = this.#session
    if (session?.user !== user || this.#isDeleting) return
    this.#turns(async () => {
      if (this.#session !== session) return
      await this.#logout()
      this.#emit({ kind: 'notice', sentence: why })
    }).catch(this.#options.onFailure)
  }

  /** Stops everything at once. Unfinished downloads resume at the next login. */
  async close(): Promise<void> {
    this.#closing = true
    this.#changes.stop()
    this.#limits.close()
    // Suppresses the events that closing causes.
    this.#listeners.clear()
    const session = this.#session
    this.#session = undefined
    await session?.close()
    const unreached = this.#reach.close()
    // Also ends a login that waits for a tracker.
    this.#link.stop()
    await Promise.all([
      unreached,
      this.#server.close(),
      this.guests.book.close(),
      this.#hashes.close(),
      this.#folders.close(),
      this.#storing.close(),
      this.#recipes.close(),
      ...[this.#link, this.#remembered, this.#limitStore].map((each) => each.saved()),
    ])
  }
}
