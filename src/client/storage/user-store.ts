// Remembers a user's shares, unfinished downloads, unreported withdrawals and undecided join requests in a community
// between runs.

import { join } from 'node:path'
import * as v from 'valibot'
import { makePrivateFolder } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { FileVersion, SizeBytes } from '../../common/protocol/fields.ts'
import { files } from '../../common/protocol/tracker-fields.ts'
import { keyOf, type Fetched } from '../file-key.ts'
import { JournaledRecords } from './journaled-records.ts'

const RememberedShare = v.object({
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  /** How many a folder has; absent for a single file. */
  ...files,
  path: v.string(),
  /** Of a small file, the encoded manifest in base64; absent where it is kept by itself. */
  manifest: v.optional(v.string()),
  /** The stamp at the time of hashing. Without one, the file is hashed again before it is shared. */
  stamp: v.optional(v.string()),
})
export type RememberedShare = v.InferOutput<typeof RememberedShare>

const RememberedDownload = v.object({
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  destination: v.string(),
  overwrite: v.boolean(),
  paused: v.boolean(),
  /** Do not serve the part file, and do not share the complete file. */
  unshared: v.boolean(),
  /** Its own limit, in bytes a second; absent for none. */
  bytesPerSecondMax: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  /** Absent for the normal one. */
  priority: v.optional(v.picklist(['high', 'normal', 'low'])),
  /** The identity of the part file; absent in files of earlier versions. */
  part: v.optional(v.string()),
  ...files,
  /** Of a part of a folder: its path or pattern in the folder. */
  within: v.optional(v.string()),
  /** How many bytes the chosen files have, where that is known. */
  selectedBytes: v.optional(SizeBytes),
  /** A file that may have pieces of it, such as an earlier version. */
  from: v.optional(v.string()),
  /** The identity of the folder that was filled last, which is about to get its final name. */
  unpacked: v.optional(v.string()),
  /** The folder at the destination that is to be replaced: its identity, and the SHA-256 of its tree. */
  replaces: v.optional(v.object({ id: v.string(), tree: v.string() })),
})
export type RememberedDownload = v.InferOutput<typeof RememberedDownload>

/** A name to withdraw as soon as a tracker is reachable. */
const Withdrawal = v.object({ group: FileVersion.entries.group, name: FileVersion.entries.name })
export type Withdrawal = v.InferOutput<typeof Withdrawal>

/** The upload limit of an entry that is shared or downloaded. */
const RememberedLimit = v.object({
  ...Withdrawal.entries,
  bytesPerSecondMax: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
})
export type RememberedUploadLimit = v.InferOutput<typeof RememberedLimit>

const schemas = {
  shares: RememberedShare,
  downloads: RememberedDownload,
  withdrawals: Withdrawal,
  /** The groups that the user has asked to join. */
  requests: v.string(),
  uploadLimits: RememberedLimit,
}

/** Where what users have in this community is remembered. */
export function communityFolder(folder: string, community: string): string {
  return join(folder, 'users', community.replace(/[^A-Za-z0-9_-]/g, '_'))
}

export interface UserStoreEvents {
  /** The file could not be written; `sentence` says why. */
  onTrouble(sentence: string): void
  /** No remembered share or download has this content any more. */
  onUnused(fileId: string): Promise<void>
  /** This content is not remembered as shared under this name any more. */
  onUnshared?(file: FileVersion): void
  /** The upload limit of an entry is forgotten, as the entry is neither shared nor downloaded any more. */
  onUnlimited?(file: Withdrawal): void
}

export class UserStore {
  readonly #path: string
  readonly #records: JournaledRecords<typeof schemas>
  /** By file id: how many shares and downloads have this content. */
  readonly #uses = new Map<string, number>()

  readonly #events: UserStoreEvents

  private constructor(path: string, events: UserStoreEvents) {
    this.#path = path
    this.#records = new JournaledRecords(path, schemas, (error) =>
      events.onTrouble(`cannot save the list of shares and downloads in ${path}: ${sentenceOf(error)}`),
    )
    this.#events = events
  }

  /** Rejects with a `data` failure for a damaged file, rather than silently forgetting the shares. */
  static async open(
    folder: string,
    community: string,
    user: string,
    events: UserStoreEvents,
  ): Promise<UserStore> {
    const place = communityFolder(folder, community)
    makePrivateFolder(place)
    const store = new UserStore(join(place, `${user}.json`), events)
    await store.#load()
    return store
  }

  shares(): RememberedShare[] {
    return [...this.#records.of('shares').values()]
  }

  share(file: { group: string; name: string }): RememberedShare | undefined {
    return this.#records.of('shares').get(keyOf(file))
  }

  withdrawals(): Withdrawal[] {
    return [...this.#records.of('withdrawals').values()]
  }

  /** Whether this name still has to be withdrawn at the trackers. */
  isWithdrawn(file: { group: string; name: string }): boolean {
    return this.#records.of('withdrawals').has(keyOf(file))
  }

  /** Whether any remembered share or download has this content. */
  isUsed(fileId: string): boolean {
    return this.#uses.has(fileId)
  }

  downloads(): RememberedDownload[] {
    return [...this.#records.of('downloads').values()]
  }

  /** Resolves when the change is durable, like every change here. */
  rememberShare(share: RememberedShare): Promise<void> {
    this.#records.drop('withdrawals', nameOf(share))
    return this.#remember('shares', share)
  }

  forgetShare(file: { group: string; name: string }): Promise<void> {
    return this.#forget('shares', nameOf(file))
  }

  /** Forgets the share and remembers that the trackers must be told. */
  rememberWithdrawal(file: Withdrawal): Promise<void> {
    this.#records.put('withdrawals', nameOf(file))
    return this.share(file) === undefined ? this.#records.save() : this.forgetShare(file)
  }

  async forgetWithdrawal(file: Withdrawal): Promise<void> {
    if (this.#records.drop('withdrawals', nameOf(file)) !== undefined) await this.#records.save()
  }

  /** Groups that the user asked to join, as far as is known without an answer, in the order of asking. */
  requests(): string[] {
    return [...this.#records.of('requests').values()]
  }

  async rememberRequest(group: string): Promise<void> {
    if (this.#records.of('requests').has(group)) return
    this.#records.put('requests', group)
    await this.#records.save()
  }

  async forgetRequest(group: string): Promise<void> {
    if (this.#records.drop('requests', group) !== undefined) await this.#records.save()
  }

  rememberDownload(download: RememberedDownload): Promise<void> {
    return this.#remember('downloads', download)
  }

  forgetDownload({ group, name, within }: Fetched): Promise<void> {
    return this.#forget('downloads', { group, name, within })
  }

  /** Whether there is a share or download of this name, or of a part of it. */
  isKnown({ group, name }: { group: string; name: string }): boolean {
    if (this.share({ group, name }) !== undefined) return true
    return this.downloads().some((one) => one.group === group && one.name === name)
  }

  uploadLimits(): RememberedUploadLimit[] {
    return [...this.#records.of('uploadLimits').values()]
  }

  uploadLimit(file: { group: string; name: string }): number | undefined {
    return this.#records.of('uploadLimits').get(keyOf(file))?.bytesPerSecondMax
  }

  /** Undefined takes the limit away. It goes with the last share or download of the name: there has to be one. */
  limitUploads(file: Withdrawal, bytesPerSecondMax: number | undefined): Promise<void> {
    if (bytesPerSecondMax === undefined) this.#records.drop('uploadLimits', nameOf(file))
    else this.#records.put('uploadLimits', { ...nameOf(file), bytesPerSecondMax })
    return this.#records.save()
  }

  /** Turns a finished download into a share in one step, so that no crash can lose it in between. */
  async downloadBecomesShare(share: RememberedShare): Promise<void> {
    const download = this.#records.drop('downloads', nameOf(share))
    await this.rememberShare(share)
    // Released only now, so that the content is in use throughout.
    await this.#release(download)
  }

  /** Resolves when all changes so far are durable. */
  saved(): Promise<void> {
    return this.#records.saved()
  }

  /** Likewise, and leaves one file that has all. */
  close(): Promise<void> {
    return this.#records.close()
  }

  async #load(): Promise<void> {
    try {
      await this.#records.load()
    } catch (error) {
      if (systemCode(error) !== undefined) throw new Failure('data', `cannot read ${this.#path}`, error)
      throw new Failure(
        'data',
        `${this.#path} is damaged; move it away to begin without remembered shares`,
        error,
      )
    }
    for (const { fileId } of [...this.shares(), ...this.downloads()]) this.#use(fileId)
  }

  #use(fileId: string): void {
    this.#uses.set(fileId, (this.#uses.get(fileId) ?? 0) + 1)
  }

  async #remember<K extends 'shares' | 'downloads'>(
    kind: K,
    record: { shares: RememberedShare; downloads: RememberedDownload }[K],
  ): Promise<void> {
    const former = this.#records.put(kind, record)
    this.#use(record.fileId)
    if (kind === 'shares' && former !== undefined && former.fileId !== record.fileId)
      this.#events.onUnshared?.(former)
    await this.#records.save()
    await this.#release(former)
  }

  async #forget(kind: 'shares' | 'downloads', file: Fetched): Promise<void> {
    const former = this.#records.drop(kind, file)
    if (former === undefined) return
    if (kind === 'shares') this.#events.onUnshared?.(former)
    if (this.uploadLimit(nameOf(former)) !== undefined && !this.isKnown(former)) {
      this.#records.drop('uploadLimits', nameOf(former))
      this.#events.onUnlimited?.(nameOf(former))
    }
    await this.#records.save()
    await this.#release(former)
  }

  /** Called after a record was removed or replaced by another version. */
  async #release(former: FileVersion | undefined): Promise<void> {
    if (former === undefined) return
    const uses = (this.#uses.get(former.fileId) ?? 0) - 1
    if (uses > 0) this.#uses.set(former.fileId, uses)
    else {
      this.#uses.delete(former.fileId)
      await this.#events.onUnused(former.fileId)
    }
  }
}

function nameOf({ group, name }: Withdrawal): Withdrawal {
  return { group, name }
}
