// What this client shares: hashes, remembers, serves, announces, and takes up again after a restart.
// A share is remembered by path and group, and recognised as unchanged by its stamp, without reading it.

import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { LimitFunction } from 'p-limit'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { pieceCountMax, pieceBytes } from '../../common/limits.ts'
import { buildManifest, type Manifest } from '../../common/manifest.ts'
import { fileNameProblem } from '../../common/names.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'
import type { SharedFile as SharedFileInfo } from '../operations.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { RememberedShare, UserStore } from '../storage/user-store.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import { sizeOf, stampAt, type FileStamp } from './file-stamp.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { SourceRegistry } from './piece-source.ts'
import { SharedFile } from './shared-file.ts'

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

export class ShareLibrary {
  readonly #parts: ShareParts
  /** Shares that are being served, by group and name. */
  readonly #served = new Map<string, SharedFile>()
  /** Shares that the trackers have not heard of yet, because none could be reached. */
  readonly #unregistered = new Map<string, RememberedShare>()
  /** Shares that this client itself is replacing or withdrawing: what the tracker tells of that is no news. */
  readonly #changing = new Set<string>()
  /** Finished downloads that are being taken over, by group and name. */
  readonly #adopting = new Map<string, Promise<void>>()
  #closed = false

  constructor(parts: ShareParts) {
    this.#parts = parts
  }

  has(group: string, name: string): boolean {
    return this.#parts.store.shares().some((share) => share.group === group && share.name === name)
  }

  /** The path of a file that is being served. */
  pathOf(group: string, name: string): string | undefined {
    return this.#served.get(keyOf({ group, name }))?.path
  }

  /** Hashes the file and shares it in the group. */
  async upload(path: string, group: string): Promise<Answer<SharedFileInfo>> {
    if (path === '') return refuse('local-file', 'the path of a file is missing')
    const absolute = resolve(path)
    // A Mac spells its names in normal form D; others are to find the file under the usual spelling.
    const name = basename(absolute).normalize('NFC')
    const looked = await lookAt(absolute, name)
    if (!looked.ok) return looked
    const hashed = await this.#hash(absolute, looked.value.sizeBytes, looked.value.stamp)
    if (!hashed.ok) return hashed
    // Hashing takes long: whoever is logged in by now may be somebody else.
    if (this.#closed) return refuse('cancelled', `you logged out; ${name} is not shared`)
    const manifest = hashed.value
    const share: RememberedShare = {
      group,
      name,
      fileId: manifest.fileId,
      sizeBytes: manifest.sizeBytes,
      path: absolute,
      stamp: looked.value.stamp,
    }
    // Kept before others hear of the file: a full disk must not leave it listed and not served.
    await this.#parts.manifests.save(manifest)
    const registered = await this.#register(share)
    if (!registered.ok) {
      if (!this.#isUsed(manifest.fileId)) await this.#parts.manifests.remove(manifest.fileId)
      return registered
    }
    await this.#parts.store.rememberShare(share)
    if (this.#closed) return refuse('cancelled', `you logged out; ${name} is shared from your next login on`)
    // "Sharing" is said when others can find it here: they may ask the tracker in the next moment.
    await this.#serve(share, manifest, looked.value.stamp)
    return accept({ name, group, sizeBytes: manifest.sizeBytes, pieceCount: manifest.pieceCount })
  }

  /**
   * Takes over a finished download: serves it from its final place. Until it has reached the disk it
   * is remembered without a stamp, so that after a power failure it is hashed before it is shared.
   */
  async adopt(
    file: Omit<RememberedShare, 'stamp'>,
    manifest: Manifest,
    flushed: Promise<void>,
  ): Promise<void> {
    void this.#parts.store.downloadBecomesShare(file)
    // Listened to from the start: a failure that nobody waits for ends the program.
    const onDisk = flushed.then(
      () => true,
      (error: unknown) => {
        this.#parts.onNotice(`${file.path} may not have reached the disk: ${sentenceOf(error)}`)
        return false
      },
    )
    const adopted = this.#takeOver(file, manifest)
    this.#adopting.set(
      keyOf(file),
      adopted.then(() => undefined),
    )
    const stamp = await adopted.finally(() => this.#adopting.delete(keyOf(file)))
    if (stamp === undefined || !(await onDisk) || this.#closed) return
    const remembered = this.#parts.store.shares().find((share) => keyOf(share) === keyOf(file))
    if (remembered?.fileId === file.fileId) await this.#parts.store.rememberShare({ ...file, stamp })
  }

  /** Serves a finished download and tells the trackers; its stamp, if there is something to serve. */
  async #takeOver(file: RememberedShare, manifest: Manifest): Promise<FileStamp | undefined> {
    const stamp = await stampAt(file.path).catch(() => undefined)
    if (this.#closed) return undefined
    if (stamp === undefined) {
      // Moved or removed in this very moment. Until now the download served it, and was announced.
      this.#parts.sources.withdraw(file.group, file.fileId, 'the file is gone')
      this.#parts.link.retract(file)
      this.#sayNotShared(file, `${file.path} is not there`)
      return undefined
    }
    void this.#serve(file, manifest, stamp)
    await this.#registerLater(file)
    return stamp
  }

  /** Takes up what was shared when the program last ended. */
  async resume(): Promise<void> {
    await Promise.all(this.#parts.store.shares().map((share) => this.#resumeOne(share)))
  }

  /** A tracker is back: tells it what it has not heard. */
  onTrackerUp(): void {
    for (const share of this.#unregistered.values()) void this.#registerLater(share)
  }

  /** Withdraws a share and forgets it. */
  async stop(group: string, name: string): Promise<Answer<void>> {
    // A download that has just finished: its registration must not overtake the withdrawal.
    await this.#adopting.get(keyOf({ group, name }))
    const share = this.#parts.store.shares().find((each) => each.group === group && each.name === name)
    if (share === undefined) return refuse('not-shared', `you do not share ${name} in ${group}`)
    const withdrawn = await this.#whileChanging(share, () =>
      this.#parts.link.change('unshare_file', { group, name }),
    )
    // Not shared there, or not a member: then there is nothing left to withdraw.
    if (!withdrawn.ok && withdrawn.refusal.code === 'unavailable') return withdrawn
    this.#drop(share, 'it is not shared any more')
    await this.#parts.store.forgetShare(share)
    return accept(undefined)
  }

  /** The user is not in the group any more. */
  forgetGroup(group: string): void {
    for (const share of this.#parts.store.shares()) {
      if (share.group !== group) continue
      this.#drop(share, 'its owner left the group')
      void this.#parts.store.forgetShare(share)
    }
  }

  /** This version is not in the group any more: replaced, or withdrawn from elsewhere. */
  onFileGone(file: FileVersion): void {
    const share = this.#parts.store.shares().find((each) => keyOf(each) === keyOf(file))
    if (share === undefined || share.fileId !== file.fileId) return
    this.#drop(share, 'it was replaced or withdrawn')
    void this.#parts.store.forgetShare(share)
    if (this.#changing.has(keyOf(file))) return
    this.#parts.onNotice(
      `${file.name} in ${file.group} was replaced or withdrawn; you do not share it any more`,
    )
  }

  /** Stops serving; what is shared stays remembered. */
  close(): void {
    this.#closed = true
    for (const share of this.#parts.store.shares()) this.#drop(share, 'its owner logged out')
  }

  async #hash(path: string, sizeBytes: number, stamp: FileStamp): Promise<Answer<Manifest>> {
    try {
      const hashes = await this.#parts.hashing(() => this.#parts.hashes.hashFile(path, sizeBytes))
      if ((await stampAt(path)) !== stamp)
        return refuse('file-changed', `${path} changed while it was read; try again`)
      return accept(buildManifest(sizeBytes, hashes))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return refuse('local-file', error.message)
    }
  }

  async #register(share: RememberedShare): Promise<Answer<void>> {
    const { group, name, fileId, sizeBytes } = share
    return this.#whileChanging(share, () =>
      this.#parts.link.change('share_file', { group, name, fileId, sizeBytes }),
    )
  }

  async #whileChanging<T>(share: FileVersion, change: () => Promise<T>): Promise<T> {
    this.#changing.add(keyOf(share))
    try {
      return await change()
    } finally {
      this.#changing.delete(keyOf(share))
    }
  }

  /** Registers as soon as a tracker can be reached; a refusal ends the share. */
  async #registerLater(share: RememberedShare): Promise<void> {
    this.#unregistered.set(keyOf(share), share)
    try {
      const registered = await this.#register(share)
      this.#unregistered.delete(keyOf(share))
      if (registered.ok) {
        if (this.#served.has(keyOf(share))) await this.#parts.link.announce(share, true)
        return
      }
      if (this.#closed) return
      this.#drop(share, registered.refusal.sentence)
      void this.#parts.store.forgetShare(share)
      this.#parts.onNotice(
        `${share.name} is not shared in ${share.group} any more: ${registered.refusal.sentence}`,
      )
    } catch (error) {
      // No tracker: `onTrackerUp` tries again.
      if (!(error instanceof Failure)) throw error
    }
  }

  async #resumeOne(share: RememberedShare): Promise<void> {
    const problem = await this.#takeUp(share).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return error.message
    })
    if (problem === undefined) return
    this.#sayNotShared(share, problem)
  }

  #sayNotShared({ group, name }: FileVersion, problem: string): void {
    this.#parts.onNotice(`${name} is not shared in ${group} at present: ${problem}`)
  }

  /** Undefined when it is served; else why not, as a sentence. */
  async #takeUp(share: RememberedShare): Promise<string | undefined> {
    const stamp = await stampAt(share.path)
    if (stamp === undefined) return `${share.path} is not there`
    let manifest = this.#parts.manifests.load(share.fileId)
    // Another stamp may still be the same content: moved there and back, or with other permissions.
    if (manifest === undefined || share.stamp !== stamp) {
      const sizeBytes = sizeOf(stamp)
      if (sizeBytes !== share.sizeBytes) return `${share.path} changed; upload it again`
      const hashed = await this.#hash(share.path, sizeBytes, stamp)
      if (!hashed.ok) return hashed.refusal.sentence
      manifest = hashed.value
      if (manifest.fileId !== share.fileId) return `${share.path} changed; upload it again`
      if (this.#closed) return undefined
      await this.#parts.manifests.save(manifest)
      await this.#parts.store.rememberShare({ ...share, stamp })
    }
    if (this.#closed) return undefined
    void this.#serve(share, manifest, stamp)
    await this.#registerLater(share)
    return undefined
  }

  #isUsed(fileId: string): boolean {
    const { store } = this.#parts
    return [...store.shares(), ...store.downloads()].some((record) => record.fileId === fileId)
  }

  /** Serves at once; resolves when a tracker knows. */
  async #serve(share: FileVersion & { path: string }, manifest: Manifest, stamp: FileStamp): Promise<void> {
    const former = this.#served.get(keyOf(share))
    if (former !== undefined) this.#unserve(share, former, 'it was replaced by a new version')
    const file = new SharedFile(share.path, manifest, stamp, {
      onChanged: () => {
        // Not a seeder any more, but a peer that has some of it.
        void this.#parts.link.announce(share, false)
        this.#parts.onNotice(
          `${share.path} changed on disk; only what is left of the shared version is given to others; upload it again`,
        )
      },
      onGone: () => {
        this.#drop(share, 'the file changed on disk')
        this.#parts.onNotice(
          `${share.path} was removed or replaced and is not shared any more; upload it again`,
        )
      },
    })
    this.#served.set(keyOf(share), file)
    this.#parts.sources.offer(share.group, file)
    await this.#parts.link.announce(share, true)
  }

  #drop(share: FileVersion, why: string): void {
    this.#unregistered.delete(keyOf(share))
    const file = this.#served.get(keyOf(share))
    if (file !== undefined) this.#unserve(share, file, why)
  }

  #unserve(share: FileVersion, file: SharedFile, why: string): void {
    this.#served.delete(keyOf(share))
    const version = { group: share.group, name: share.name, fileId: file.manifest.fileId }
    this.#parts.link.retract(version)
    // Another name in the group may have the same content.
    const twin = [...this.#served].some(
      ([key, other]) => key.startsWith(`${share.group}/`) && other.manifest.fileId === version.fileId,
    )
    if (!twin) this.#parts.sources.withdraw(share.group, version.fileId, why)
    void file.close()
  }
}

/** What can be said of the file before it is read; refuses what cannot be shared. */
async function lookAt(path: string, name: string): Promise<Answer<{ sizeBytes: number; stamp: FileStamp }>> {
  const problem = fileNameProblem(name)
  if (problem !== undefined) return refuse('bad-name', problem)
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return refuse('local-file', `${path} is a folder; a single file can be shared`)
    if (!stats.isFile()) return refuse('local-file', `${path} is not a regular file`)
    await access(path, constants.R_OK)
    if (stats.size === 0 && (await hasContent(path)))
      return refuse(
        'local-file',
        `${path} is made by the system while it is read; copy it and share the copy`,
      )
    if (stats.size > pieceCountMax * pieceBytes) return refuse('local-file', `${path} is larger than 128 GiB`)
    const stamp = await stampAt(path)
    if (stamp === undefined) return refuse('local-file', `there is no file ${path}`)
    return accept({ sizeBytes: stats.size, stamp })
  } catch (error) {
    const code = systemCode(error)
    if ((code === 'ENOENT' || code === 'ENOTDIR') && path.includes('\ufffd'))
      return refuse('local-file', `a name that is not valid UTF-8 cannot be typed; rename the file ${path}`)
    if (code === 'ENOENT' || code === 'ENOTDIR') return refuse('local-file', `there is no file ${path}`)
    if (code === 'ELOOP') return refuse('local-file', `${path} is a link that leads back to itself`)
    if (code === 'EACCES') return refuse('local-file', `${path} cannot be read: permission denied`)
    if (error instanceof Failure) return refuse('local-file', error.message)
    if (code === undefined) throw error
    // Links in a circle, a name that is too long, a disk that fails: something about this one path.
    return refuse('local-file', `${path} cannot be read: ${sentenceOf(error)}`)
  }
}

/** Files of /proc and the like have content and say that they have none. */
async function hasContent(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).bytesRead > 0
  } finally {
    await file.close()
  }
}
