// Remembers a user's shares, unfinished downloads, unreported withdrawals and undecided join requests in a community
// between runs.
// Uses one JSON file, replaced as a whole, so that a crash leaves the old or the new one.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as v from 'valibot'
import { makePrivateFolder, replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { FileVersion, SizeBytes } from '../../common/protocol/fields.ts'
import { files } from '../../common/protocol/tracker-fields.ts'
import { keyOf } from '../file-key.ts'

const RememberedShare = v.object({
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  /** How many a folder has; absent for a single file. */
  ...files,
  path: v.string(),
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

/** Records are validated separately: thousands at once would block the event loop. */
const Remembered = v.object({
  version: v.literal(1),
  shares: v.array(v.unknown()),
  downloads: v.array(v.unknown()),
  /** Absent in files of earlier versions. */
  withdrawals: v.optional(v.array(v.unknown()), []),
  /** The groups that the user has asked to join. */
  requests: v.optional(v.array(v.string()), []),
  /** Absent in files of earlier versions. */
  uploadLimits: v.optional(v.array(v.unknown()), []),
})

/** Where what users have in this community is remembered. */
export function communityFolder(folder: string, community: string): string {
  return join(folder, 'users', community.replace(/[^A-Za-z0-9_-]/g, '_'))
}

/** Records to validate per turn of the event loop, which takes about 3 ms. */
const recordsPerTurn = 250

export interface UserStoreEvents {
  /** The file could not be written; `sentence` says why. */
  onTrouble(sentence: string): void
  /** No remembered share or download has this content any more. */
  onUnused(fileId: string): Promise<void>
  /** The upload limit of an entry is forgotten, as the entry is neither shared nor downloaded any more. */
  onUnlimited?(file: Withdrawal): void
}

export class UserStore {
  readonly #path: string
  readonly #shares = new Map<string, RememberedShare>()
  readonly #downloads = new Map<string, RememberedDownload>()
  readonly #withdrawals = new Map<string, Withdrawal>()
  readonly #requests = new Set<string>()
  readonly #uploadLimits = new Map<string, RememberedUploadLimit>()
  /** By file id: how many shares and downloads have this content. */
  readonly #uses = new Map<string, number>()

  readonly #events: UserStoreEvents
  #lastSave: Promise<void> = Promise.resolve()
  /** The next save, which covers all changes until it begins. */
  #nextSave: Promise<void> | undefined

  private constructor(path: string, events: UserStoreEvents) {
    this.#path = path
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
    return [...this.#shares.values()]
  }

  share(file: { group: string; name: string }): RememberedShare | undefined {
    return this.#shares.get(keyOf(file))
  }

  withdrawals(): Withdrawal[] {
    return [...this.#withdrawals.values()]
  }

  /** Whether this name still has to be withdrawn at the trackers. */
  isWithdrawn(file: { group: string; name: string }): boolean {
    return this.#withdrawals.has(keyOf(file))
  }

  /** Whether any remembered share or download has this content. */
  isUsed(fileId: string): boolean {
    return this.#uses.has(fileId)
  }

  downloads(): RememberedDownload[] {
    return [...this.#downloads.values()]
  }

  /** Resolves when the change is durable, like every change here. */
  rememberShare(share: RememberedShare): Promise<void> {
    this.#withdrawals.delete(keyOf(share))
    return this.#remember(this.#shares, share)
  }

  forgetShare(file: { group: string; name: string }): Promise<void> {
    return this.#forget(this.#shares, keyOf(file))
  }

  /** Forgets the share and remembers that the trackers must be told. */
  rememberWithdrawal({ group, name }: Withdrawal): Promise<void> {
    this.#withdrawals.set(keyOf({ group, name }), { group, name })
    return this.#shares.has(keyOf({ group, name })) ? this.forgetShare({ group, name }) : this.#save()
  }

  forgetWithdrawal(file: Withdrawal): Promise<void> {
    return this.#withdrawals.delete(keyOf(file)) ? this.#save() : Promise.resolve()
  }

  /** Groups that the user asked to join, as far as is known without an answer, in the order of asking. */
  requests(): string[] {
    return [...this.#requests]
  }

  rememberRequest(group: string): Promise<void> {
    if (this.#requests.has(group)) return Promise.resolve()
    this.#requests.add(group)
    return this.#save()
  }

  forgetRequest(group: string): Promise<void> {
    return this.#requests.delete(group) ? this.#save() : Promise.resolve()
  }

  rememberDownload(download: RememberedDownload): Promise<void> {
    return this.#remember(this.#downloads, download)
  }

  forgetDownload(file: { group: string; name: string; within?: string | undefined }): Promise<void> {
    return this.#forget(this.#downloads, keyOf(file))
  }

  /** Whether there is a share or download of this name, or of a part of it. */
  isKnown({ group, name }: { group: string; name: string }): boolean {
    if (this.#shares.has(keyOf({ group, name }))) return true
    return this.downloads().some((one) => one.group === group && one.name === name)
  }

  uploadLimits(): RememberedUploadLimit[] {
    return [...this.#uploadLimits.values()]
  }

  uploadLimit(file: { group: string; name: string }): number | undefined {
    return this.#uploadLimits.get(keyOf(file))?.bytesPerSecondMax
  }

  /** Undefined takes the limit away. It goes with the last share or download of the name: there has to be one. */
  limitUploads({ group, name }: Withdrawal, bytesPerSecondMax: number | undefined): Promise<void> {
    const key = keyOf({ group, name })
    if (bytesPerSecondMax === undefined) this.#uploadLimits.delete(key)
    else this.#uploadLimits.set(key, { group, name, bytesPerSecondMax })
    return this.#save()
  }

  /** Turns a finished download into a share in one step, so that no crash can lose it in between. */
  async downloadBecomesShare(share: RememberedShare): Promise<void> {
    const download = this.#downloads.get(keyOf(share))
    this.#downloads.delete(keyOf(share))
    await this.rememberShare(share)
    // Released only now, so that the content is in use throughout.
    await this.#release(download)
  }

  /** Resolves when all changes so far are durable. */
  async saved(): Promise<void> {
    await this.#nextSave
    await this.#lastSave
  }

  async #load(): Promise<void> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return
      throw new Failure('data', `cannot read ${this.#path}`, error)
    }
    try {
      const { shares, downloads, withdrawals, requests, uploadLimits } = v.parse(Remembered, JSON.parse(text))
      await inTurns(shares, (record) => this.#put(this.#shares, v.parse(RememberedShare, record)))
      await inTurns(downloads, (record) => this.#put(this.#downloads, v.parse(RememberedDownload, record)))
      await inTurns(withdrawals, (record) => {
        const file = v.parse(Withdrawal, record)
        this.#withdrawals.set(keyOf(file), file)
      })
      for (const group of requests) this.#requests.add(group)
      await inTurns(uploadLimits, (record) => {
        const limit = v.parse(RememberedLimit, record)
        this.#uploadLimits.set(keyOf(limit), limit)
      })
    } catch (error) {
      throw new Failure(
        'data',
        `${this.#path} is damaged; move it away to begin without remembered shares`,
        error,
      )
    }
  }

  /** Returns the record that this one replaced, if any. */
  #put<R extends FileVersion>(records: Map<string, R>, record: R): R | undefined {
    const former = records.get(keyOf(record))
    records.set(keyOf(record), record)
    this.#uses.set(record.fileId, (this.#uses.get(record.fileId) ?? 0) + 1)
    return former
  }

  async #remember<R extends FileVersion>(records: Map<string, R>, record: R): Promise<void> {
    const former = this.#put(records, record)
    await this.#save()
    await this.#release(former)
  }

  async #forget(records: Map<string, FileVersion>, key: string): Promise<void> {
    const former = records.get(key)
    if (!records.delete(key)) return
    const limit = former && this.#uploadLimits.get(keyOf({ group: former.group, name: former.name }))
    if (limit !== undefined && !this.isKnown(limit)) {
      this.#uploadLimits.delete(keyOf(limit))
      this.#events.onUnlimited?.(limit)
    }
    await this.#save()
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

  #save(): Promise<void> {
    if (this.#nextSave === undefined) {
      this.#nextSave = this.#lastSave.then(() => this.#write())
      this.#lastSave = this.#nextSave
    }
    return this.#nextSave
  }

  async #write(): Promise<void> {
    this.#nextSave = undefined
    const remembered = {
      version: 1,
      shares: this.shares(),
      downloads: this.downloads(),
      withdrawals: this.withdrawals(),
      requests: this.requests(),
      uploadLimits: this.uploadLimits(),
    }
    try {
      await replaceFile(this.#path, `${JSON.stringify(remembered, null, 1)}\n`)
    } catch (error) {
      this.#events.onTrouble(
        `cannot save the list of shares and downloads in ${this.#path}: ${sentenceOf(error)}`,
      )
    }
  }
}

async function inTurns<T>(all: readonly T[], each: (one: T) => void): Promise<void> {
  for (const [index, one] of all.entries()) {
    if (index > 0 && index % recordsPerTurn === 0) await setImmediate()
    each(one)
  }
}
