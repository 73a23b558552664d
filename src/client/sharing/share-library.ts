// What this client shares: hashes, remembers, serves, registers, and takes up again after a restart. A share is
// remembered by path and group, and recognised as unchanged by its stamp, without reading it. It is forgotten
// only when its user says so, or when the trackers say no for good.

import { basename, resolve } from 'node:path'
import pLimit, { type LimitFunction } from 'p-limit'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { buildManifest, type Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'
import type { SharedFile as SharedFileInfo } from '../operations.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { RememberedShare, UserStore } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import { sizeOf, stampAt, type FileStamp } from './file-stamp.ts'
import { lookAtLocal } from './local-file.ts'
import { Registrar } from './registrar.ts'
import { ServedFiles, type Served } from './served-files.ts'
import { SharedFile } from './shared-file.ts'
import type { Offer, SourceRegistry } from './source-registry.ts'

export interface ShareParts {
  readonly link: TrackerLink
  readonly store: UserStore
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly sources: SourceRegistry
  /** Bounds the files that are hashed at once. */
  readonly hashing: LimitFunction
  readonly onNotice: (sentence: string) => void
}

/** Remembered shares that are looked at at once when a user logs in. */
const resumedAtOnce = 16
export class ShareLibrary {
  readonly #parts: ShareParts
  readonly #served = new ServedFiles()
  /** Uploads that are under way, the newest of each name: an older one has no say any more. */
  readonly #uploading = new Map<string, symbol>()
  readonly #registrar = new Registrar()
  readonly #abort = new AbortController()

  constructor(parts: ShareParts) {
    this.#parts = parts
  }

  has(group: string, name: string): boolean {
    return this.#parts.store.share({ group, name }) !== undefined
  }

  /** The path of a file that is being served. */
  pathOf(group: string, name: string): string | undefined {
    return this.#served.find({ group, name })?.file.path
  }

  /** Hashes the file and shares it in the group. */
  async upload(path: string, group: string): Promise<Answer<SharedFileInfo>> {
    if (path === '') return refuse('local-file', 'the path of a file is missing')
    const absolute = resolve(path)
    // A Mac spells its names in normal form D; others are to find the file under the usual spelling.
    const name = basename(absolute).normalize('NFC')
    const looked = await lookAtLocal(absolute, name)
    if (!looked.ok) return looked
    const key = keyOf({ group, name })
    const turn = Symbol(name)
    this.#uploading.set(key, turn)
    try {
      const hashed = await this.#hash(absolute, looked.value.sizeBytes, looked.value.stamp)
      if (this.#isClosed) return refuse('cancelled', `you logged out; ${name} is not shared`)
      if (!hashed.ok) return hashed
      const { fileId, sizeBytes } = hashed.value
      const share = { group, name, fileId, sizeBytes, path: absolute, stamp: looked.value.stamp }
      return await this.#share(share, hashed.value, () => this.#uploading.get(key) === turn)
    } finally {
      if (this.#uploading.get(key) === turn) this.#uploading.delete(key)
    }
  }

  async #share(
    share: RememberedShare & { stamp: FileStamp },
    manifest: Manifest,
    isWanted: () => boolean,
  ): Promise<Answer<SharedFileInfo>> {
    const { name, group, path, sizeBytes } = share
    const { store, manifests } = this.#parts
    const former = store.share(share)
    // Kept before others hear of the file: a full disk must not leave it listed and not served.
    await manifests.save(manifest)
    const registered = isWanted() ? await this.#register(share, false) : accept(undefined)
    if (!registered.ok || !isWanted()) {
      if (!store.isUsed(manifest.fileId)) await manifests.remove(manifest.fileId)
      if (this.#isClosed) return refuse('cancelled', `you logged out; ${name} is not shared`)
      return registered.ok
        ? refuse('cancelled', `${name} was withdrawn or shared anew meanwhile`)
        : registered
    }
    await store.rememberShare(share)
    if (this.#isClosed)
      return refuse('cancelled', `you logged out; ${name} is shared from your next login on`)
    if (!isWanted()) return refuse('cancelled', `${name} was withdrawn or shared anew meanwhile`)
    // "Sharing" is said when others can find it here: they may ask the tracker in the next moment.
    await this.#serve(share, manifest, share.stamp).announce()
    const isOther = former !== undefined && former.fileId !== share.fileId
    const replaces = isOther ? { path: former.path, sizeBytes: former.sizeBytes } : undefined
    return accept({
      name,
      group,
      sizeBytes,
      pieceCount: manifest.pieceCount,
      ...(replaces === undefined ? {} : { replaces: { ...replaces, isElsewhere: replaces.path !== path } }),
    })
  }

  /**
   * Takes over a finished download: serves it from its final place. Until it has reached the disk it
   * is remembered without a stamp, so that after a power failure it is hashed before it is shared.
   * Resolves when the file is served, or cannot be.
   */
  async adopt(
    file: Omit<RememberedShare, 'stamp'>,
    manifest: Manifest,
    flushed: Promise<void>,
  ): Promise<void> {
    const { store, onNotice } = this.#parts
    void store.downloadBecomesShare(file)
    // Listened to from the start: a failure that nobody waits for ends the program.
    const onDisk = flushed.then(
      () => true,
      (error: unknown) => {
        onNotice(`${file.path} may not have reached the disk: ${sentenceOf(error)}`)
        return false
      },
    )
    const stamp = await stampAt(file.path).catch(() => undefined)
    if (this.#isClosed || store.share(file)?.fileId !== file.fileId) return
    if (stamp === undefined) {
      // Moved or removed in this very moment.
      this.#sayNotShared(file, `${file.path} is not there`)
      return
    }
    const offer = this.#serve(file, manifest, stamp)
    this.#registerAndAnnounce(file, offer)
    void this.#stampLater(file, stamp, onDisk)
  }

  /** Takes up what was shared when the program last ended. */
  async resume(): Promise<void> {
    const { store } = this.#parts
    for (const file of store.withdrawals()) {
      this.#withdraw(file, true).catch(() => undefined)
    }
    const turns = pLimit(resumedAtOnce)
    await Promise.all(store.shares().map((share) => turns(() => this.#resumeOne(share))))
  }

  /** A tracker is back: tells it what it has not heard. */
  onTrackerUp(): void {
    this.#registrar.onTrackerUp()
  }

  /**
   * Withdraws the name for this user, wherever it was shared, and forgets it. `isTold`: the trackers know;
   * else they are told when one is back.
   */
  async stop(group: string, name: string): Promise<Answer<{ isTold: boolean }>> {
    const file = { group, name }
    const isMine = this.#parts.store.share(file) !== undefined || this.#uploading.delete(keyOf(file))
    if (!isMine) {
      const withdrawn = await this.#withdraw(file, false)
      if (withdrawn.ok) return accept({ isTold: true })
      const { code } = withdrawn.refusal
      return code === 'not-shared' || code === 'no-such-file'
        ? refuse('not-shared', `you do not share ${name} in ${group}`)
        : withdrawn
    }
    // Serving ends at once, whatever the trackers are doing; they hear of it for certain.
    this.#served.drop(file, 'it is not shared any more')
    await this.#parts.store.rememberWithdrawal(file)
    if (this.#isClosed) return accept({ isTold: false })
    const first = await this.#withdraw(file, false).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return undefined
    })
    if (first?.ok === true || (first !== undefined && first.refusal.code === 'cancelled')) {
      return accept({ isTold: true })
    }
    const isFinal =
      first !== undefined && first.refusal.code !== 'unavailable' && first.refusal.code !== 'busy'
    if (isFinal) {
      // Not shared there, or not a member: there is nothing left to withdraw.
      await this.#parts.store.forgetWithdrawal(file)
      return accept({ isTold: true })
    }
    this.#withdraw(file, true).catch(() => undefined)
    return accept({ isTold: false })
  }

  /** The user is not in the group any more. */
  forgetGroup(group: string): void {
    const { store } = this.#parts
    for (const share of store.shares()) {
      if (share.group !== group) continue
      this.#registrar.forget(share)
      this.#served.drop(share, 'its owner left the group')
      void store.forgetShare(share)
    }
    for (const file of store.withdrawals()) {
      if (file.group !== group) continue
      this.#registrar.forget(file)
      void store.forgetWithdrawal(file)
    }
  }

  /** This version is not in the group any more: replaced, or withdrawn from elsewhere. */
  onFileGone(file: FileVersion): void {
    const share = this.#parts.store.share(file)
    // What this client itself replaces or withdraws is no news.
    if (share?.fileId !== file.fileId || this.#registrar.isBusy(file)) return
    this.#served.drop(share, 'it was replaced or withdrawn')
    void this.#parts.store.forgetShare(share)
    this.#parts.onNotice(
      `${file.name} in ${file.group} was replaced or withdrawn; you do not share it any more`,
    )
  }

  /** Stops serving; what is shared stays remembered. */
  close(): void {
    this.#abort.abort(new Failure('file', 'you logged out'))
    this.#registrar.close()
    this.#served.close('its owner logged out')
  }

  get #isClosed(): boolean {
    return this.#abort.signal.aborted
  }

  async #hash(path: string, sizeBytes: number, stamp: FileStamp): Promise<Answer<Manifest>> {
    const { hashes, hashing } = this.#parts
    const { signal } = this.#abort
    try {
      const found = await hashing(() => hashes.hashFile(path, sizeBytes, signal))
      if ((await stampAt(path)) !== stamp)
        return refuse('file-changed', `${path} changed while it was read; try again`)
      return accept(buildManifest(sizeBytes, found))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return refuse('local-file', error.message)
    }
  }

  #register({ group, name, fileId, sizeBytes }: RememberedShare, isLasting: boolean): Promise<Answer<void>> {
    const ask = (): Promise<Answer<void>> =>
      this.#parts.link.change('share_file', { group, name, fileId, sizeBytes })
    return this.#registrar.share({ group, name }, ask, isLasting)
  }

  /** Registers as soon as a tracker can be reached; only a refusal for good ends the share. */
  #registerAndAnnounce(share: RememberedShare, offer: Offer | undefined): void {
    void this.#register(share, true).then(async (registered) => {
      if (registered.ok) {
        // Files of a disk that was away may be back since, with another offer.
        await (this.#served.find(share)?.offer ?? offer)?.announce()
        return
      }
      if (this.#isClosed || registered.refusal.code === 'cancelled') return
      if (this.#parts.store.share(share)?.fileId !== share.fileId) return
      this.#served.drop(share, registered.refusal.sentence)
      void this.#parts.store.forgetShare(share)
      const { name, group } = share
      this.#parts.onNotice(`${name} is not shared in ${group} any more: ${registered.refusal.sentence}`)
    })
  }

  async #withdraw(file: { group: string; name: string }, isLasting: boolean): Promise<Answer<void>> {
    const { group, name } = file
    const ask = (): Promise<Answer<void>> => this.#parts.link.change('unshare_file', { group, name })
    const withdrawn = await this.#registrar.withdraw(file, ask, isLasting)
    const isOver = withdrawn.ok || (isLasting && withdrawn.refusal.code !== 'cancelled')
    if (isOver) await this.#parts.store.forgetWithdrawal(file)
    return withdrawn
  }

  async #stampLater(file: RememberedShare, stamp: FileStamp, onDisk: Promise<boolean>): Promise<void> {
    if (!(await onDisk) || this.#isClosed) return
    if (this.#parts.store.share(file)?.fileId === file.fileId)
      await this.#parts.store.rememberShare({ ...file, stamp })
  }

  async #resumeOne(share: RememberedShare): Promise<void> {
    const problem = await this.#takeUp(share).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return error.message
    })
    if (problem !== undefined && !this.#isClosed) this.#sayNotShared(share, problem)
  }

  #sayNotShared({ group, name }: FileVersion, problem: string): void {
    this.#parts.onNotice(`${name} is not shared in ${group} at present: ${problem}`)
  }

  /** Undefined when it is served, or not wanted any more; else why not, as a sentence. */
  async #takeUp(share: RememberedShare): Promise<string | undefined> {
    const { store, manifests } = this.#parts
    const isWanted = (): boolean => !this.#isClosed && store.share(share)?.fileId === share.fileId
    if (!isWanted()) return undefined
    const stamp = await stampAt(share.path)
    if (stamp === undefined) return `${share.path} is not there`
    if (!isWanted() || this.#served.find(share) !== undefined) return undefined
    let manifest = manifests.load(share.fileId)
    // Another stamp may still be the same content: moved there and back, or with other permissions.
    if (manifest === undefined || share.stamp !== stamp) {
      const sizeBytes = sizeOf(stamp)
      if (sizeBytes !== share.sizeBytes) return `${share.path} changed; upload it again`
      const hashed = await this.#hash(share.path, sizeBytes, stamp)
      if (!isWanted() || this.#served.find(share) !== undefined) return undefined
      if (!hashed.ok) return hashed.refusal.sentence
      manifest = hashed.value
      if (manifest.fileId !== share.fileId) return `${share.path} changed; upload it again`
      await manifests.save(manifest)
      await store.rememberShare({ ...share, stamp })
      if (!isWanted() || this.#served.find(share) !== undefined) return undefined
    }
    this.#registerAndAnnounce(share, this.#serve(share, manifest, stamp))
    return undefined
  }

  /** Serves the file from now on; it is for the caller to have it announced. */
  #serve(share: RememberedShare, manifest: Manifest, stamp: FileStamp): Offer {
    const { sources, onNotice } = this.#parts
    const { path } = share
    const file: SharedFile = new SharedFile(path, manifest, stamp, {
      onChanged: () => {
        served.offer?.tellChanged()
        onNotice(
          `${path} changed on disk; only what is left of the shared version is given to others; upload it again`,
        )
      },
      onGone: () => {
        this.#served.drop(share, 'the file changed on disk')
        onNotice(`${path} was removed or replaced and is not shared any more; upload it again`)
      },
      onAway: (why) => {
        served.offer?.withdraw('the file cannot be read at present')
        served.offer = undefined
        onNotice(`${path} cannot be read (${why}); it is shared again when it can`)
      },
      onBack: () => {
        served.offer = sources.offer(share, file)
        void served.offer.announce()
        onNotice(`${path} can be read again and is shared`)
      },
    })
    const offer = sources.offer(share, file)
    const served: Served = { share, file, offer }
    this.#served.put(served)
    return offer
  }
}
