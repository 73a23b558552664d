// Shares files: hashes, remembers, serves and registers them, and resumes them at the next login. A stamp shows
// without reading whether a remembered file is unchanged. A share is forgotten only when its user stops it or the
// trackers refuse it for good.

import { basename, resolve } from 'node:path'
import { Failure, sentenceOf } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { HashingView, SharedFile as SharedFileInfo } from '../operations.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import { AbsentFile } from './absent-file.ts'
import { SharedFolders } from './shared-folders.ts'
import { versionBefore, versionReplaced } from './former-version.ts'
import { HashingFiles } from './hashing-files.ts'
import { HeldNotices } from './held-notices.ts'
import {
  recordOf,
  sharedInfo,
  type ContentKind,
  type LocalContent,
  type NamedPath,
  type Problem,
  type ServedContent,
  type TakeOptions,
} from './local-content.ts'
import { askToShare, untilTaken } from './share-registration.ts'
import { lookAtLocal } from './local-file.ts'
import { Registrar, sharedAnew, superseded } from './registrar.ts'
import { ServedFiles } from './served-files.ts'
import { evidenceOf, type OwnShareEvidence } from './share-evidence.ts'
import { SharedFiles } from './shared-files.ts'
import type { ShareParts } from './share-parts.ts'
import type { Offer } from './source-registry.ts'
import { UploadTurns } from './upload-turns.ts'
import { Withdrawals } from './withdrawals.ts'

/** Shares resumed at once at a login. With more, too many would finish in one turn of the loop. */
const resumedAtOnce = 4

export class ShareLibrary {
  readonly #parts: ShareParts
  readonly #served = new ServedFiles()
  readonly #uploads = new UploadTurns()
  readonly #notices = new HeldNotices()
  readonly #registrar = new Registrar()
  readonly #withdrawals: Withdrawals
  readonly #hashing: HashingFiles
  readonly #files: ContentKind
  readonly #folders: ContentKind
  #isClosed = false

  constructor(parts: ShareParts) {
    this.#parts = parts
    this.#hashing = new HashingFiles(parts.hashes, parts.hashing)
    this.#files = new SharedFiles(this.#hashing, parts.manifests)
    this.#folders = new SharedFolders({ ...parts, hashing: this.#hashing })
    this.#withdrawals = new Withdrawals(parts.link, parts.store, this.#registrar)
  }

  /** What is being hashed, in the order in which it began. */
  hashing(): HashingView[] {
    return this.#hashing.views()
  }

  /** What is remembered of a share, served or not; undefined when there is none. */
  shareOf(group: string, name: string): RememberedShare | undefined {
    return this.#parts.store.share({ group, name })
  }

  /** The path of a shared file; undefined while it is not served. */
  pathOf(group: string, name: string): string | undefined {
    const served = this.#served.find({ group, name })
    return served?.offer === undefined ? undefined : served.share.path
  }

  /** What keeps others from getting it; undefined for a name that is not shared here. Never rejects. */
  async evidence(file: { group: string; name: string }): Promise<OwnShareEvidence | undefined> {
    return evidenceOf(this.#parts.store.share(file), this.#served.find(file), this.#registrar)
  }

  /**
   * Runs an upload and what comes before it. Meanwhile holds back notices that a share must be uploaded again: this
   * may be that upload.
   */
  uploading<T>(upload: () => Promise<T>): Promise<T> {
    return this.#notices.during(upload)
  }

  /** Hashes the file or folder and shares it in the group. */
  async upload(
    path: string,
    group: string,
    options: TakeOptions = { skipSpecial: false },
  ): Promise<Answer<SharedFileInfo>> {
    if (path === '') return refuse('local-file', 'the path of a file is missing')
    const absolute = resolve(path)
    // A Mac spells names in normal form D; others should find the file under the usual spelling.
    const name = basename(absolute).normalize('NFC')
    const looked = await lookAtLocal(absolute, name)
    if (!looked.ok) return looked
    const turn = this.#uploads.begin({ group, name })
    try {
      const { isFolder, stamp } = looked.value
      const kind = isFolder ? this.#folders : this.#files
      const taken = await kind.take({ group, name, path: absolute }, stamp, options)
      if (this.#isClosed) return refuse('cancelled', `you logged out; ${name} is not shared`)
      if (!taken.ok) return turn.counts() ? taken : sharedAnew(name)
      const { manifest } = taken.value
      const share = { group, name, path: absolute, stamp: taken.value.stamp, ...recordOf(manifest) }
      return await this.#share(share, taken.value, turn.counts)
    } finally {
      turn.end()
    }
  }

  /** What is at a path now, by its content, without sharing it: `file` says for which name it is looked at. */
  async contentAt(file: NamedPath): Promise<Answer<LocalContent>> {
    const looked = await lookAtLocal(file.path, file.name)
    if (!looked.ok) return looked
    const kind = looked.value.isFolder ? this.#folders : this.#files
    return kind.take(file, looked.value.stamp, { skipSpecial: false, trustsStamp: true })
  }

  async #share(
    share: RememberedShare,
    content: LocalContent,
    isWanted: () => boolean,
  ): Promise<Answer<SharedFileInfo>> {
    const { name, path } = share
    const { store, manifests } = this.#parts
    const { manifest } = content
    const former = await versionBefore(share, this.#parts, this.#registrar)
    // Saved before others hear of the file, so that a full disk cannot leave it listed but not served.
    await content.save()
    const registered = isWanted() ? await this.#registerNow(share) : superseded()
    if (!registered.ok || !isWanted()) {
      if (!store.isUsed(manifest.fileId)) await manifests.remove(manifest.fileId)
      if (this.#isClosed) return refuse('cancelled', `you logged out; ${name} is not shared`)
      return !registered.ok && registered.refusal.code !== 'cancelled' ? registered : sharedAnew(name)
    }
    await store.rememberShare(share)
    if (this.#isClosed)
      return refuse('cancelled', `you logged out; ${name} will be shared after your next login`)
    // A newer upload may still fail. Until it is remembered, this one counts.
    if (!this.#isRemembered(share)) return sharedAnew(name)
    // Replies only when others can find the file here: they may ask the tracker at once.
    await this.#serve(share, content).announce()
    const info = sharedInfo(share, content)
    if (former === undefined || former.fileId === share.fileId) return accept(info)
    const isElsewhere = former.path !== path
    const version = await versionReplaced(share, this.#parts)
    const replaces = { path: former.path, sizeBytes: former.sizeBytes, isElsewhere, ...version }
    return accept({ ...info, replaces })
  }

  /**
   * Shares a finished download from its final place. Until the file is flushed it is remembered without a stamp,
   * so that after a power failure it is hashed before it is shared. Resolves when the file is served or cannot be.
   */
  async adopt(
    file: Omit<RememberedShare, 'stamp'>,
    manifest: Manifest,
    flushed: Promise<void>,
  ): Promise<void> {
    const { store, onNotice } = this.#parts
    void store.downloadBecomesShare(file)
    // Handled from the start: an unhandled rejection would end the program.
    const onDisk = isDone(flushed, (error) =>
      onNotice(`${file.path} may not have reached the disk: ${sentenceOf(error)}`),
    )
    const kind = manifest.folder === undefined ? this.#files : this.#folders
    const content = await kind.adopt(file, manifest)
    if (this.#isClosed || !this.#isRemembered(file)) return
    if (content === undefined) {
      // Moved or removed just now.
      this.#waitFor(file, 'the file cannot be read at the moment')
      this.#sayNotShared(file, `${file.path} is not there`)
      return
    }
    this.#serve(file, content)
    this.#registerAndAnnounce(file)
    void this.#stampLater(file, content, onDisk)
  }

  /** Resumes what was shared when the program last ended. */
  async resume(): Promise<void> {
    const { store } = this.#parts
    this.#withdrawals.resume()
    const shares = store.shares().values()
    const resumeNext = async (): Promise<void> => {
      for (const share of shares) await this.#resumeOne(share)
    }
    // The lanes share one iterator: creating thousands of promises at once would block the loop.
    await Promise.all(Array.from({ length: resumedAtOnce }, resumeNext))
  }

  /** A tracker is back: retries at once what failed before. */
  onTrackerUp(): void {
    this.#registrar.onTrackerUp()
  }

  /**
   * Withdraws the name for this user, on whatever machine it was shared, and forgets it. `isTold`: the trackers know;
   * otherwise they will be told when one answers.
   */
  async stop(group: string, name: string): Promise<Answer<{ isTold: boolean }>> {
    const file = { group, name }
    const { store } = this.#parts
    // A shared file may also be in the middle of a new upload: stop both.
    const wasUploading = this.#uploads.drop(file)
    if (!wasUploading && store.share(file) === undefined && !store.isWithdrawn(file))
      return this.#withdrawals.tellOfOther(file)
    this.#hashing.cancel(group, name)
    // Stops serving at once, whatever state the trackers are in.
    this.#served.drop(file, 'it is no longer shared')
    const isTold = await this.#withdrawals.tell(file)
    return accept({ isTold: isTold && !this.#isClosed })
  }

  /** The user has left the group or was removed: forgets its shares and withdrawals. */
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

  /** This version has left the group: it was replaced, or withdrawn on another machine. */
  onFileGone(file: FileVersion): void {
    const share = this.#parts.store.share(file)
    // Ignores what this client replaces or withdraws itself, and shares not registered yet: the answer to their
    // registration decides.
    if (share?.fileId !== file.fileId || !this.#registrar.isRegistered(file)) return
    this.#registrar.forget(file)
    this.#served.drop(share, 'it was replaced or withdrawn')
    void this.#parts.store.forgetShare(share)
    this.#parts.onNotice(`${file.name} in ${file.group} was replaced or withdrawn; you no longer share it`)
  }

  /** Stops serving and keeps the shares remembered. Resolves when nothing is served. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#hashing.close('you logged out')
    this.#registrar.close()
    return this.#served.close('its owner logged out')
  }

  #isRemembered({ group, name, fileId, path }: RememberedShare): boolean {
    const share = this.#parts.store.share({ group, name })
    return share?.fileId === fileId && share.path === path
  }

  /** Registers once, for a user who waits. On failure restores the earlier wish for this name. */
  async #registerNow(share: RememberedShare): Promise<Answer<void>> {
    const { store } = this.#parts
    let isDone = false
    try {
      const registered = await this.#registrar.share(share, () => askToShare(share, this.#parts.link), false)
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

  /** Registers the share in the background. Only a final refusal ends it. */
  #registerAndAnnounce(share: RememberedShare): void {
    const say = (sentence: string): void => this.#sayNotShared(share, sentence)
    void untilTaken(share, this.#parts.link, this.#registrar, say).then((registered) => {
      // The file may have gone away, or come back with another offer.
      if (registered.ok) return this.#served.find(share)?.offer?.announce()
      if (this.#isClosed || registered.refusal.code === 'cancelled') return undefined
      if (this.#parts.store.share(share)?.fileId !== share.fileId) return undefined
      this.#served.drop(share, registered.refusal.sentence)
      const { name, group } = share
      this.#parts.onNotice(`${name} is no longer shared in ${group}: ${registered.refusal.sentence}`)
      return this.#parts.store.forgetShare(share)
    })
  }

  async #stampLater(file: RememberedShare, content: LocalContent, onDisk: Promise<boolean>): Promise<void> {
    if (!(await onDisk) || this.#isClosed || !this.#isRemembered(file)) return
    if (content.isNew && !(await isDone(content.save()))) return
    if (!this.#isClosed && this.#isRemembered(file))
      await this.#parts.store.rememberShare({ ...file, ...recordOf(content.manifest), stamp: content.stamp })
  }

  /** Serves a remembered share again, or notifies the user why not. Returns whether it is served now. */
  async #resumeOne(share: RememberedShare): Promise<boolean> {
    const problem = await this.#takeUp(share).catch((error: unknown): Problem => {
      if (!(error instanceof Failure)) throw error
      return { sentence: error.message, isAway: true }
    })
    if (this.#isClosed || !this.#isRemembered(share)) return false
    if (problem === undefined) return true
    if (problem.isAway) this.#waitFor(share, 'the file cannot be read at the moment')
    else this.#served.drop(share, problem.sentence)
    this.#notices.say(() => {
      if (this.#isRemembered(share)) this.#sayNotShared(share, problem.sentence)
    })
    return false
  }

  #sayNotShared({ group, name }: FileVersion, problem: string): void {
    this.#parts.onNotice(`${name} is not shared in ${group} at the moment: ${problem}`)
  }

  /** Checks for the file now and then, and resumes the share when it is back. */
  #waitFor(share: RememberedShare, why: string): void {
    const takeUpAgain = async (): Promise<void> => {
      const remembered = this.#parts.store.share(share)
      if (remembered === undefined || !(await this.#resumeOne(remembered))) return
      this.#parts.onNotice(`${share.path} can be read again, and is shared`)
    }
    this.#served.put(
      {
        share,
        file: new AbsentFile(share.path, share.files !== undefined, () => void takeUpAgain()),
        offer: undefined,
      },
      why,
    )
  }

  /** Undefined when the share is served or no longer wanted. */
  async #takeUp(share: RememberedShare): Promise<Problem | undefined> {
    const isOver = (): boolean =>
      this.#isClosed || !this.#isRemembered(share) || this.#served.find(share)?.offer !== undefined
    if (isOver()) return undefined
    const kind = share.files === undefined ? this.#files : this.#folders
    const content = await kind.again(share, isOver)
    if (content === undefined || isOver()) return undefined
    if ('sentence' in content) return content
    if (content.isNew) await content.save()
    if (isOver()) return undefined
    const uploaded = this.#uploads.over(share)
    if (uploaded !== undefined) {
      // To register it now would supersede that upload, which may fail.
      void uploaded.then(() => this.#resumeOne(share))
      return undefined
    }
    // Not awaited: one save then covers many files.
    if (content.isNew)
      void this.#parts.store.rememberShare({ ...share, ...recordOf(content.manifest), stamp: content.stamp })
    this.#serve(share, content)
    this.#registerAndAnnounce(share)
    return undefined
  }

  /** Serves the content. The caller registers and announces it. */
  #serve(share: RememberedShare, content: LocalContent): Offer {
    const { sources, onNotice } = this.#parts
    const { path } = share
    const file: ServedContent = content.serve({
      onChanged: (changed) => {
        offer.tellChanged()
        onNotice(
          `${changed} changed on disk; others get only its unchanged parts; to share the new version, upload ${changed === path ? 'it' : path} again`,
        )
      },
      onGone: () => {
        this.#served.drop(share, 'the file changed on disk')
        onNotice(`${path} was removed or replaced, and is no longer shared; to share it, upload it again`)
      },
      onAway: (why) => {
        this.#waitFor(share, 'the file cannot be read at the moment')
        onNotice(`${path} cannot be read (${why}); it is shared again as soon as it can be read`)
      },
    })
    const offer = sources.offer(share, file)
    this.#served.put({ share, file, offer }, 'it was replaced by a new version')
    return offer
  }
}

/** False, and said, when it failed. */
function isDone(work: Promise<void>, say: (error: unknown) => void = () => undefined): Promise<boolean> {
  return work.then(
    () => true,
    (error: unknown) => {
      say(error)
      return false
    },
  )
}
