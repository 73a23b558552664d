// The client as a whole. Implements `Operations` with the tracker link, the peer server, and the session of
// the logged-in user.

import pLimit from 'p-limit'
import { Protection } from '../common/wire/protection.ts'
import { Failure } from '../common/failure.ts'
import { scramIterations } from '../common/limits.ts'
import { fileNameProblem, plainNameProblem } from '../common/names.ts'
import type { FileEntry, GroupEntry } from '../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../common/refusal.ts'
import { loadIdentity } from '../common/security/identity.ts'
import { codeProblem, noSuchGroup, notLoggedIn, passwordProblem } from './answers.ts'
import { allFiles, allGroups, allUsers } from './listing.ts'
import type { ClientEvent, DownloadView, Operations, SharedFile } from './operations.ts'
import { Session, type SessionParts } from './session.ts'
import { PeerServer } from './sharing/peer-server.ts'
import { SourceRegistry } from './sharing/source-registry.ts'
import { TicketOffice } from './sharing/ticket-office.ts'
import { UploadQueue } from './sharing/upload-queue.ts'
import { KnownLogins } from './storage/known-logins.ts'
import { TrackerLink, type Change, type ChangeParams } from './tracker-link/tracker-link.ts'
import { TrackerTrust } from './tracker-link/tracker-trust.ts'
import { TrackerNews } from './tracker-news.ts'
import { TokenBucket } from './transfer/token-bucket.ts'
import { ConnectTurns } from './downloading/connect-turns.ts'
import type { ClientOptions } from './client-options.ts'
import { HashPool } from './workers/hash-pool.ts'
import { StorePool } from './workers/store-pool.ts'

/** Files to hash at a time: one already keeps all cores busy. */
const hashedAtOnce = 1

export class Client implements Operations {
  readonly #options: ClientOptions
  readonly #tickets: TicketOffice = new TicketOffice(() => this.#link.askTimes())
  readonly #sources = new SourceRegistry()
  readonly #hashes = new HashPool()
  readonly #storing = new StorePool()
  readonly #uploadBucket: TokenBucket
  readonly #server: PeerServer
  readonly #news: TrackerNews
  readonly #link: TrackerLink
  readonly #sessionParts: SessionParts
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
    this.#uploadBucket = new TokenBucket(options.uploadLimit)
    const uploads = new UploadQueue(this.#uploadBucket)
    const { onFailure } = options
    this.#server = new PeerServer({
      identity,
      protection,
      tickets: this.#tickets,
      sources: this.#sources,
      uploads,
      onFailure,
    })
    const onEvent = (event: ClientEvent): void => this.#emit(event)
    this.#news = new TrackerNews({
      tickets: this.#tickets,
      server: this.#server,
      session: () => this.#session,
      isLeaving: (group) => this.#leaving.has(group) || this.#isDeleting,
      onLoginEnded: (user, why) => this.#onLoginEnded(user, why),
      onEvent,
      onFailure,
    })
    this.#link = new TrackerLink({
      trackers: options.trackers,
      listen: options.listen,
      identity,
      protection,
      trust: new TrackerTrust(options.folder, options.trackers),
      port: () => this.#port,
      advertise: options.advertise,
      knownLogins: new KnownLogins(options.folder, (sentence) => onEvent({ kind: 'notice', sentence })),
      iterations: scramIterations,
      events: this.#news,
    })
    this.#sources.announceBy(this.#link)
    this.#sessionParts = {
      identity,
      protection,
      listen: options.listen,
      folder: options.folder,
      link: this.#link,
      hashes: this.#hashes,
      storing: this.#storing,
      sources: this.#sources,
      downloadBucket: new TokenBucket(options.downloadLimit),
      turns: new ConnectTurns(),
      hashing: pLimit(hashedAtOnce),
      onEvent,
    }
  }

  /** Starts listening and connecting; resolves to the port. Rejects with a `start` failure. */
  async start(): Promise<number> {
    this.#port = await this.#server.listen(this.#options.listen)
    this.#link.start()
    return this.#port
  }

  /** Adds a listener for asynchronous events; call the result to remove it. */
  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #emit(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  async createUser(user: string, password: string, invite?: string): Promise<Answer<void>> {
    const badCode = invite === undefined ? undefined : codeProblem(invite)
    const problem = plainNameProblem('user', user) ?? passwordProblem(password) ?? badCode
    if (problem !== undefined) return refuse('bad-name', problem)
    return this.#link.accounts.register(user, password, invite?.toLowerCase())
  }

  login(user: string, password: string): Promise<Answer<void>> {
    return this.#turns(() => this.#login(user, password))
  }

  async #login(user: string, password: string): Promise<Answer<void>> {
    if (this.#session !== undefined) {
      return refuse('already-logged-in', `${this.#session.user} is logged in here; log out first`)
    }
    if (plainNameProblem('user', user) !== undefined || passwordProblem(password) !== undefined) {
      return refuse('login-failed', 'wrong user name or password')
    }
    const answer = await this.#link.login(user, password)
    if (!answer.ok) return answer
    if (this.#closing) return refuse('cancelled', 'the program is ending')
    const session = await this.#openSession(user)
    if (this.#closing) return session.close().then(() => refuse('cancelled', 'the program is ending'))
    this.#session = session
    this.#emit({ kind: 'user-changed', user })
    this.#tickets.open()
    // Not awaited: rehashing a file would delay the reply.
    this.#session.resume().catch(this.#options.onFailure)
    return accept(undefined)
  }

  logout(): Promise<Answer<void>> {
    return this.#turns(() => this.#logout())
  }

  async #logout(): Promise<Answer<void>> {
    const session = this.#session
    if (session === undefined) return refuse('login-first', 'nobody is logged in')
    this.#session = undefined
    this.#emit({ kind: 'user-changed', user: undefined })
    this.#news.onLogout()
    this.#tickets.close()
    await session.close()
    this.#server.closeAll('the user logged out')
    await this.#link.logout()
    return accept(undefined)
  }

  changePassword(old: string, password: string): Promise<Answer<void>> {
    const problem = passwordProblem(password)
    if (problem !== undefined) return Promise.resolve(refuse('bad-name', problem))
    // In turn: nobody logs in or out meanwhile.
    return this.#turns(() =>
      this.#session === undefined ? notLoggedIn() : this.#link.accounts.changePassword(old, password),
    )
  }

  async resetPassword(user: string, code: string, password: string): Promise<Answer<void>> {
    const problem = plainNameProblem('user', user) ?? passwordProblem(password) ?? codeProblem(code)
    if (problem !== undefined) return refuse('bad-name', problem)
    return this.#link.accounts.resetPassword(user, code.toLowerCase(), password)
  }

  /** What is shared and downloaded here is forgotten; the files stay. */
  deleteAccount(password: string): Promise<Answer<void>> {
    return this.#turns(async () => {
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
    })
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

  whoami(): string | undefined {
    return this.#session?.user
  }

  createGroup(group: string, hidden = false): Promise<Answer<void>> {
    // Older trackers know no such field.
    return this.#changeGroup('create_group', hidden ? { group, hidden } : { group })
  }

  async listGroups(): Promise<Answer<GroupEntry[]>> {
    if (this.#session === undefined) return notLoggedIn()
    return allGroups(this.#link)
  }

  joinGroup(group: string): Promise<Answer<void>> {
    return this.#changeGroup('join_group', { group })
  }

  listRequests(group: string): Promise<Answer<string[]>> {
    return this.#users('list_requests', group)
  }

  acceptRequest(group: string, user: string): Promise<Answer<void>> {
    return this.#changeGroup('accept_request', { group, user })
  }

  rejectRequest(group: string, user: string): Promise<Answer<void>> {
    return this.#changeGroup('reject_request', { group, user })
  }

  async leaveGroup(group: string): Promise<Answer<void>> {
    const session = this.#session
    if (this.#leaving.has(group)) return refuse('busy', `you are leaving ${group} already`)
    this.#leaving.add(group)
    try {
      const left = await this.#changeGroup('leave_group', { group })
      if (left.ok) await session?.forgetGroup(group)
      return left
    } finally {
      this.#leaving.delete(group)
    }
  }

  listMembers(group: string): Promise<Answer<string[]>> {
    return this.#users('list_members', group)
  }

  removeMember(group: string, user: string): Promise<Answer<void>> {
    return this.#changeGroup('remove_member', { group, user })
  }

  async uploadFile(path: string, group: string): Promise<Answer<SharedFile>> {
    const session = this.#session
    if (session === undefined) return notLoggedIn()
    return session.shares.uploading(() => this.#upload(session, path, group))
  }

  async #upload(session: Session, path: string, group: string): Promise<Answer<SharedFile>> {
    const problem = plainNameProblem('group', group)
    if (problem !== undefined) return refuse('bad-name', problem)
    // Checks before hashing, so that a minute of work does not end in "no such group".
    const member = await this.#link.ask('list_members', { group })
    if (!member.ok) return member
    return session.shares.upload(path, group)
  }

  async listFiles(group: string): Promise<Answer<FileEntry[]>> {
    if (this.#session === undefined) return notLoggedIn()
    const problem = plainNameProblem('group', group)
    if (problem !== undefined) return noSuchGroup(group)
    return allFiles(this.#link, group)
  }

  async downloadFile(
    group: string,
    name: string,
    destination: string,
    { overwrite }: { overwrite: boolean },
  ): Promise<Answer<{ destination: string; waiting: boolean }>> {
    if (this.#session === undefined) return notLoggedIn()
    if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
    // Names are listed in NFC; a name copied from a Mac may be decomposed.
    const spelt = name.normalize('NFC')
    const problem = fileNameProblem(spelt)
    if (problem !== undefined) return refuse('bad-name', problem)
    return this.#session.downloads.begin(group, spelt, destination, overwrite)
  }

  async showDownloads(): Promise<DownloadView[]> {
    return this.#session?.downloads.views() ?? []
  }

  async pauseDownload(group: string, name: string): Promise<Answer<void>> {
    return this.#session?.downloads.pause(group, name.normalize('NFC')) ?? notLoggedIn()
  }

  async resumeDownload(group: string, name: string): Promise<Answer<void>> {
    return this.#session?.downloads.resumeOne(group, name.normalize('NFC')) ?? notLoggedIn()
  }

  async cancelDownload(group: string, name: string): Promise<Answer<void>> {
    return this.#session?.downloads.cancel(group, name.normalize('NFC')) ?? notLoggedIn()
  }

  async stopShare(group: string, name: string): Promise<Answer<{ isTold: boolean }>> {
    const session = this.#session
    if (session === undefined) return notLoggedIn()
    if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
    const spelt = name.normalize('NFC')
    const wasOnlyDownloaded = session.downloads.unshare(group, spelt) && !session.shares.has(group, spelt)
    if (wasOnlyDownloaded) return accept({ isTold: true })
    const problem = fileNameProblem(spelt)
    return problem === undefined ? session.shares.stop(group, spelt) : refuse('bad-name', problem)
  }

  async setLimit(direction: 'upload' | 'download', bytesPerSecond: number | undefined): Promise<void> {
    const bucket = direction === 'upload' ? this.#uploadBucket : this.#sessionParts.downloadBucket
    bucket.setRate(bytesPerSecond)
  }

  async downloadsSettled(group?: string, giveUpWithoutSeederMs?: number): Promise<void> {
    await this.#session?.downloads.settled(group, giveUpWithoutSeederMs)
  }

  async close(): Promise<void> {
    this.#closing = true
    // Suppresses the events that closing causes.
    this.#listeners.clear()
    const session = this.#session
    this.#session = undefined
    await session?.close()
    // Also ends a login that waits for a tracker.
    this.#link.stop()
    await Promise.all([this.#server.close(), this.#hashes.close(), this.#storing.close()])
  }

  #openSession(user: string): Promise<Session> {
    return this.#makeSession(user).catch(async (error: unknown) => {
      // Otherwise the trackers would keep this user logged in, and nobody could log in or out here.
      await this.#link.logout()
      throw error
    })
  }

  async #makeSession(user: string): Promise<Session> {
    const { community } = this.#link
    if (community !== undefined) return Session.open(user, community, this.#sessionParts)
    throw new Failure('connection-lost', 'the tracker went away during the login')
  }

  async #changeGroup<M extends Change>(
    method: M,
    params: ChangeParams<M> & { group: string; user?: string },
  ): Promise<Answer<void>> {
    if (this.#session === undefined) return notLoggedIn()
    const problem = plainNameProblem('group', params.group)
    if (problem !== undefined)
      return method === 'create_group' ? refuse('bad-name', problem) : noSuchGroup(params.group)
    if (params.user !== undefined && plainNameProblem('user', params.user) !== undefined) {
      return refuse('no-such-user', `there is no user ${params.user}`)
    }
    return this.#link.change(method, params)
  }

  async #users(method: 'list_requests' | 'list_members', group: string): Promise<Answer<string[]>> {
    if (this.#session === undefined) return notLoggedIn()
    if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
    return allUsers(this.#link, method, group)
  }
}
