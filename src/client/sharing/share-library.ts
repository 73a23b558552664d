// What this client shares: hashes, remembers, serves, registers, and takes up again after a restart. A share is
// remembered by path and group, and recognised as unchanged by its stamp, without reading it. It is forgotten
// only when its user says so, or when the trackers say no for good.

import { basename, resolve } from 'node:path'
import { Failure, sentenceOf } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'
import type { SharedFile as SharedFileInfo } from '../operations.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import { AbsentFile, canRead } from './absent-file.ts'
import { sizeOf, stampAt, type FileStamp } from './file-stamp.ts'
import { hashUnchanged, lookAtLocal } from './local-file.ts'
import { isFinalForShare, isPassing, Registrar, superseded } from './registrar.ts'
import { ServedFiles } from './served-files.ts'
import { SharedFile } from './shared-file.ts'
import type { ShareParts } from './share-parts.ts'
import type { Offer } from './source-registry.ts'
import { Withdrawals } from './withdrawals.ts'

/** Remembered shares that are taken up at once when a user logs in: more would come in one turn of the loop. */
const resumedAtOnce = 4
/** Why a remembered share is not served. `isAway`: its file cannot be read at present, and is waited for. */
interface Problem {
  readonly sentence: string
  readonly isAway: boolean
}

export class ShareLibrary {
  readonly #parts: ShareParts
  readonly #served = new ServedFiles()
  /** Uploads that are under way, the newest of each name: an older one has no say any more. */
  readonly #uploading = new Map<string, symbol>()
  readonly #registrar = new Registrar()
  readonly #withdrawals: Withdrawals
  readonly #abort = new AbortController()

  constructor(parts: ShareParts) {
    this.#parts = parts
    this.#withdrawals = new Withdrawals(parts.link, parts.store, this.#registrar)
  }

  has(group: string, name: string): boolean {
    return this.#parts.store.share({ group, name }) !== undefined
  }

  /** The path of a file that is being served. */
  pathOf(group: string, name: string): string | undefined {
    const served = this.#served.find({ group, name })
    return served?.offer === undefined ? undefined : served.share.path
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
    const registered = isWanted() ? await this.#registerNow(share) : superseded()
    if (!registered.ok || !isWanted()) {
      if (!store.isUsed(manifest.fileId)) await manifests.remove(manifest.fileId)
      if (this.#isClosed) return refuse('cancelled', `you logged out; ${name} is not shared`)
      const isRefused = !registered.ok && registered.refusal.code !== 'cancelled'
      return isRefused ? registered : refuse('cancelled', `${name} was withdrawn or shared anew meanwhile`)
    }
    await store.rememberShare(share)
    if (this.#isClosed)
      return refuse('cancelled', `you logged out; ${name} is shared from your next login on`)
    // A newer upload that has only begun may still fail: until it is remembered, this one counts.
    if (!this.#isRemembered(share)) return sharedAnew(name)
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
    if (this.#isClosed || !this.#isRemembered(file)) return
    if (stamp === undefined) {
      // Moved or removed in this very moment.
      this.#waitFor(file, 'the file cannot be read at present')
      this.#sayNotShared(file, `${file.path} is not there`)
      return
    }
    this.#serve(file, manifest, stamp)
    this.#registerAndAnnounce(file)
    void this.#stampLater(file, stamp, onDisk)
  }

  /** Takes up what was shared when the program last ended. */
  async resume(): Promise<void> {
    const { store } = this.#parts
    this.#withdrawals.resume()
    const shares = store.shares().values()
    const resumeNext = async (): Promise<void> => {
      for (const share of shares) await this.#resumeOne(share)
    }
    // One iterator for all: thousands of promises at once would stop the loop.
    await Promise.all(Array.from({ length: resumedAtOnce }, resumeNext))
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
    const { store } = this.#parts
    // A file that is shared may also be on its way to be shared anew: both end.
    const wasUploading = this.#uploading.delete(keyOf(file))
    if (!wasUploading && store.share(file) === undefined && !store.isWithdrawn(file))
      return this.#withdrawals.tellOfOther(file)
    // Serving ends at once, whatever the trackers are doing; they hear of it for certain.
    this.#served.drop(file, 'it is not shared any more')
    const isTold = await this.#withdrawals.tell(file)
    return accept({ isTold: isTold && !this.#isClosed })
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
    // What this client itself replaces or withdraws is no news. Of a share that is not registered yet nothing
    // is told: its registration will be answered.
    if (share?.fileId !== file.fileId || !this.#registrar.isRegistered(file)) return
    this.#registrar.forget(file)
    this.#served.drop(share, 'it was replaced or withdrawn')
    void this.#parts.store.forgetShare(share)
    this.#parts.onNotice(
      `${file.name} in ${file.group} was replaced or withdrawn; you do not share it any more`,
    )
  }

  /** Stops serving; what is shared stays remembered. Resolves when nothing is served any more. */
  close(): Promise<void> {
    this.#abort.abort(new Failure('file', 'you logged out'))
    this.#registrar.close()
    return this.#served.close('its owner logged out')
  }

  get #isClosed(): boolean {
    return this.#abort.signal.aborted
  }

  #hash(path: string, sizeBytes: number, stamp: FileStamp): Promise<Answer<Manifest>> {
    const { hashes, hashing } = this.#parts
    const { signal } = this.#abort
    return hashing(() => hashUnchanged(path, stamp, () => hashes.hashFile(path, sizeBytes, signal)))
  }

  #isRemembered({ group, name, fileId, path }: RememberedShare): boolean {
    const share = this.#parts.store.share({ group, name })
    return share?.fileId === fileId && share.path === path
  }

  /** Registers while its user waits for the answer. What was wished before for this name is wished again after a no. */
  async #registerNow(share: RememberedShare): Promise<Answer<void>> {
    const { store } = this.#parts
    const { group, name, fileId, sizeBytes } = share
    let isDone = false
    try {
      const ask = (): Promise<Answer<void>> =>
        this.#parts.link.change('share_file', { group, name, fileId, sizeBytes })
      const registered = await this.#registrar.share(share, ask, false)
      isDone = registered.ok || registered.refusal.code === 'cancelled'
      return registered
    } finally {
      const former = store.share(share)
      if (!isDone && !this.#isClosed && !this.#registrar.isWished(share)) {
        if (store.isWithdrawn(share)) this.#withdrawals.keepTelling(share)
        else if (former !== undefined) this.#registerAndAnnounce(former)
      }
    }
  }

  /** Registers until the trackers accept it or refuse it for good. Says once when one refuses it for another reason. */
  #register({ group, name, fileId, sizeBytes }: RememberedShare): Promise<Answer<void>> {
    let isSaid = false
    return this.#registrar.share(
      { group, name },
      async () => {
        const answer = await this.#parts.link.change('share_file', { group, name, fileId, sizeBytes })
        if (answer.ok || isSaid || isPassing(answer.refusal.code) || isFinalForShare(answer.refusal.code))
          return answer
        isSaid = true
        this.#sayNotShared({ group, name, fileId }, answer.refusal.sentence)
        return answer
      },
      true,
    )
  }

  /** Registers as soon as a tracker can be reached; only a refusal for good ends the share. */
  #registerAndAnnounce(share: RememberedShare): void {
    void this.#register(share).then((registered) => {
      // The file may be away by now, or back with another offer.
      if (registered.ok) return this.#served.find(share)?.offer?.announce()
      if (this.#isClosed || registered.refusal.code === 'cancelled') return undefined
      if (this.#parts.store.share(share)?.fileId !== share.fileId) return undefined
      this.#served.drop(share, registered.refusal.sentence)
      const { name, group } = share
      this.#parts.onNotice(`${name} is not shared in ${group} any more: ${registered.refusal.sentence}`)
      return this.#parts.store.forgetShare(share)
    })
  }

  async #stampLater(file: RememberedShare, stamp: FileStamp, onDisk: Promise<boolean>): Promise<void> {
    if (!(await onDisk) || this.#isClosed) return
    if (this.#isRemembered(file)) await this.#parts.store.rememberShare({ ...file, stamp })
  }

  /** Whether it is served now. */
  async #resumeOne(share: RememberedShare): Promise<boolean> {
    const problem = await this.#takeUp(share).catch((error: unknown): Problem => {
      if (!(error instanceof Failure)) throw error
      return { sentence: error.message, isAway: true }
    })
    if (this.#isClosed || !this.#isRemembered(share)) return false
    if (problem === undefined) return true
    if (problem.isAway) this.#waitFor(share, 'the file cannot be read at present')
    else this.#served.drop(share, problem.sentence)
    this.#sayNotShared(share, problem.sentence)
    return false
  }

  #sayNotShared({ group, name }: FileVersion, problem: string): void {
    this.#parts.onNotice(`${name} is not shared in ${group} at present: ${problem}`)
  }

  /** Looks for the file every now and then, and takes the share up again when it is back. */
  #waitFor(share: RememberedShare, why: string): void {
    const takeUpAgain = async (): Promise<void> => {
      const remembered = this.#parts.store.share(share)
      if (remembered === undefined || !(await this.#resumeOne(remembered))) return
      this.#parts.onNotice(`${share.path} can be read again and is shared`)
    }
    this.#served.put(
      { share, file: new AbsentFile(share.path, () => void takeUpAgain()), offer: undefined },
      why,
    )
  }

  /** Undefined when it is served, or not wanted any more. */
  async #takeUp(share: RememberedShare): Promise<Problem | undefined> {
    const { store, manifests } = this.#parts
    const isOver = (): boolean =>
      this.#isClosed || !this.#isRemembered(share) || this.#served.find(share)?.offer !== undefined
    const changed: Problem = { sentence: `${share.path} changed; upload it again`, isAway: false }
    if (isOver()) return undefined
    const stamp = await stampAt(share.path)
    if (isOver()) return undefined
    if (stamp === undefined) return { sentence: `${share.path} is not there`, isAway: true }
    let manifest = manifests.load(share.fileId)
    // Another stamp may still be the same content: moved there and back, or with other permissions.
    if (manifest === undefined || share.stamp !== stamp) {
      const sizeBytes = sizeOf(stamp)
      if (sizeBytes !== share.sizeBytes) return changed
      const hashed = await this.#hash(share.path, sizeBytes, stamp)
      if (isOver()) return undefined
      if (!hashed.ok) return { sentence: hashed.refusal.sentence, isAway: !(await canRead(share.path)) }
      manifest = hashed.value
      if (manifest.fileId !== share.fileId) return changed
      await manifests.save(manifest)
      if (isOver()) return undefined
      // Not waited for: a save writes all that was found by then, of thousands of files too.
      void store.rememberShare({ ...share, stamp })
    }
    this.#serve(share, manifest, stamp)
    this.#registerAndAnnounce(share)
    return undefined
  }

  /** Serves the file from now on; it is for the caller to have it announced. */
  #serve(share: RememberedShare, manifest: Manifest, stamp: FileStamp): Offer {
    const { sources, onNotice } = this.#parts
    const { path } = share
    const file: SharedFile = new SharedFile(path, manifest, stamp, {
      onChanged: () => {
        offer.tellChanged()
        onNotice(
          `${path} changed on disk; only what is left of the shared version is given to others; upload it again`,
        )
      },
      onGone: () => {
        this.#served.drop(share, 'the file changed on disk')
        onNotice(`${path} was removed or replaced and is not shared any more; upload it again`)
      },
      onAway: (why) => {
        this.#waitFor(share, 'the file cannot be read at present')
        onNotice(`${path} cannot be read (${why}); it is shared again when it can`)
      },
    })
    const offer = sources.offer(share, file)
    this.#served.put({ share, file, offer }, 'it was replaced by a new version')
    return offer
  }
}

function sharedAnew(name: string): Answer<never> {
  return refuse('cancelled', `${name} was withdrawn or shared anew meanwhile`)
}
