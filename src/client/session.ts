// Holds the shares and downloads of a user from login to logout.

import type { LimitFunction } from 'p-limit'
import { Failure } from '../common/failure.ts'
import type { FileVersion } from '../common/protocol/fields.ts'
import { accept, type Answer } from '../common/refusal.ts'
import type { Identity } from '../common/security/identity.ts'
import type { ConnectTurns } from './downloading/connect-turns.ts'
import { Downloads } from './downloading/downloads.ts'
import { FolderReader } from './downloading/folder-reader.ts'
import { LanePlaces } from './downloading/lane-places.ts'
import { Precedence } from './downloading/precedence.ts'
import type { NetworkChanges } from './network/network-changes.ts'
import { neitherSharedNorDownloaded } from './answers.ts'
import type { ClientEvent, LimitRule } from './operations.ts'
import type { PeerRoutes } from './reach/peer-routes.ts'
import { WayRetries } from './reach/way-retries.ts'
import { OwnRequests } from './own-requests.ts'
import type { EntryLimits } from './sharing/entry-limits.ts'
import type { SourceRegistry } from './sharing/source-registry.ts'
import { ShareLibrary } from './sharing/share-library.ts'
import { ManifestStore } from './storage/manifest-store.ts'
import { SubscriptionStore } from './storage/subscription-store.ts'
import { UserStore } from './storage/user-store.ts'
import { fulfilment } from './subscriptions/fulfilment.ts'
import { Subscriptions } from './subscriptions/subscriptions.ts'
import type { TrackerLink } from './tracker-link/tracker-link.ts'
import type { TokenBucket } from '../common/token-bucket.ts'
import type { FolderPool } from './workers/folder-pool.ts'
import type { HashPool } from './workers/hash-pool.ts'
import type { RecipePool } from './workers/recipe-pool.ts'
import type { StorePool } from './workers/store-pool.ts'

export interface SessionParts {
  readonly identity: Identity
  readonly routes: PeerRoutes
  readonly changes: NetworkChanges
  readonly folder: string
  readonly link: TrackerLink
  readonly hashes: HashPool
  readonly folders: FolderPool
  readonly storing: StorePool
  readonly recipes: RecipePool
  readonly sources: SourceRegistry
  readonly downloadBucket: TokenBucket
  readonly entryLimits: EntryLimits
  readonly turns: ConnectTurns
  readonly hashing: LimitFunction
  /** A user does not share this content under this name any more. */
  readonly onUnshared: (by: { community: string; user: string }, file: FileVersion) => void
  readonly onEvent: (event: ClientEvent) => void
  /** Of a bug. */
  readonly onFailure: (error: unknown) => void
}

export class Session {
  readonly user: string
  readonly community: string
  readonly shares: ShareLibrary
  readonly downloads: Downloads
  readonly requests: OwnRequests
  readonly subscriptions: Subscriptions
  readonly folders: FolderReader
  readonly #store: UserStore
  readonly #entryLimits: EntryLimits

  private constructor(
    user: string,
    community: string,
    store: UserStore,
    parts: Pick<Session, 'shares' | 'downloads' | 'requests' | 'subscriptions' | 'folders'>,
    entryLimits: EntryLimits,
  ) {
    this.user = user
    this.community = community
    this.#entryLimits = entryLimits
    this.#store = store
    this.shares = parts.shares
    this.downloads = parts.downloads
    this.requests = parts.requests
    this.subscriptions = parts.subscriptions
    this.folders = parts.folders
  }

  /** Rejects with a `data` failure when the user's remembered shares cannot be read. */
  static async open(user: string, community: string, parts: SessionParts): Promise<Session> {
    const { identity, routes, changes, folder, link, hashes, sources, storing, onEvent } = parts
    const { folders, hashing, entryLimits } = parts
    const onNotice = (sentence: string): void => onEvent({ kind: 'notice', sentence })
    const manifests = new ManifestStore(folder)
    const store = await UserStore.open(folder, community, user, {
      onTrouble: onNotice,
      onUnused: (fileId) => manifests.remove(fileId),
      onUnshared: (file) => parts.onUnshared({ community, user }, file),
      onUnlimited: (file) => entryLimits.set(file, undefined),
    })
    for (const limit of store.uploadLimits()) entryLimits.set(limit, limit.bytesPerSecondMax)
    const shares = new ShareLibrary({ link, store, manifests, hashes, folders, sources, hashing, onNotice })
    const network = {
      identity,
      routes,
      changes,
      bucket: parts.downloadBucket,
      turns: parts.turns,
      precedence: new Precedence(),
      lanes: new LanePlaces(),
      retries: new WayRetries({ changes }),
    }
    const reader = new FolderReader({ network, manifests, storing })
    const remembered = { store, manifests, folder }
    const downloads = new Downloads({
      link,
      network,
      ...remembered,
      hashes,
      folders,
      storing,
      recipes: parts.recipes,
      sources,
      shares,
      reader,
      onEvent,
      onFailure: parts.onFailure,
    })
    const requests = new OwnRequests({ link, store, onEvent })
    const { onFailure } = parts
    const subscriptions = new Subscriptions(
      new SubscriptionStore(folder, community, user, onNotice),
      fulfilment({ link, shares, downloads, onNotice, onFailure }),
    )
    return new Session(
      user,
      community,
      store,
      { shares, downloads, requests, subscriptions, folders: reader },
      entryLimits,
    )
  }

  /** For whoever has just logged in. Rejects likewise, and has logged out at the trackers then. */
  static async openOrLogOut(user: string, parts: SessionParts): Promise<Session> {
    const { community } = parts.link
    try {
      if (community !== undefined) return await Session.open(user, community, parts)
      throw new Failure('connection-lost', 'the tracker went away during the login')
    } catch (error) {
      // Otherwise the trackers would keep this user logged in, and nobody could log in or out here.
      await parts.link.logout()
      throw error
    }
  }

  /**
   * Resumes the shares and downloads of earlier sessions, and tells what was decided meanwhile. Resolves when all shares
   * have been checked.
   */
  async resume(): Promise<void> {
    this.downloads.resume()
    this.subscriptions.lookAgain()
    await Promise.all([this.shares.resume(), this.requests.catchUp()])
  }

  /** What is shared, in this group if one is given: at most so many. */
  sharesIn(group: string | undefined, max: number): { readonly group: string; readonly name: string }[] {
    const all = this.#store.shares()
    return (group === undefined ? all : all.filter((share) => share.group === group)).slice(0, max)
  }

  /** Of single entries. */
  uploadLimits(): LimitRule[] {
    return this.#store.uploadLimits().map(({ group, name, bytesPerSecondMax }) => ({
      direction: 'upload',
      bytesPerSecond: bytesPerSecondMax,
      entry: { group, name },
    }))
  }

  /** Of an entry, in bytes a second; undefined for none. */
  uploadLimit(file: { group: string; name: string }): number | undefined {
    return this.#store.uploadLimit(file)
  }

  /** Undefined takes the limit away. It is remembered as long as the entry is shared or downloaded here. */
  async limitUploads(group: string, name: string, bytesPerSecond: number | undefined): Promise<Answer<void>> {
    if (!this.#store.isKnown({ group, name })) return neitherSharedNorDownloaded(group, name)
    this.#entryLimits.set({ group, name }, bytesPerSecond)
    await this.#store.limitUploads({ group, name }, bytesPerSecond)
    return accept(undefined)
  }

  /** Called when the user is no longer in the group. */
  async forgetGroup(group: string): Promise<void> {
    this.shares.forgetGroup(group)
    await this.subscriptions.forgetGroup(group)
    await this.downloads.failGroup(group)
  }

  /** Called when the account is gone. */
  async forgetAll(): Promise<void> {
    const known = [...this.#store.shares(), ...this.#store.downloads(), ...this.#store.withdrawals()]
    const groups = [...known, ...this.subscriptions.all].map(({ group }) => group)
    for (const group of new Set(groups)) await this.forgetGroup(group)
    for (const file of this.#store.shares()) await this.#store.forgetShare(file)
    for (const file of this.#store.downloads()) await this.#store.forgetDownload(file)
    for (const file of this.#store.withdrawals()) await this.#store.forgetWithdrawal(file)
    for (const group of this.#store.requests()) await this.#store.forgetRequest(group)
  }

  /** Stops serving and downloading; everything stays remembered. */
  async close(): Promise<void> {
    this.requests.close()
    this.folders.close()
    await Promise.all([this.subscriptions.close(), this.shares.close(), this.downloads.close()])
    this.#entryLimits.clear()
    await this.#store.close()
  }
}
