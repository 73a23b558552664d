// Manages all downloads of the logged-in user: starts, stores and resumes them, and reports what happens to
// them to the trackers, the peer server, the library and the person.

import { sentenceOf } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { beginsAnew, noSuchDownload } from '../answers.ts'
import { keyOf } from '../file-key.ts'
import type { AwaitedDownloads, BegunDownload, DownloadView, LimitRule, Priority } from '../operations.ts'
import { recordOf, type LocalContent } from '../sharing/local-content.ts'
import type { Offer } from '../sharing/source-registry.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { journalOf } from '../storage/progress-journal.ts'
import { treeOf, type PlanOptions } from './already-there.ts'
import { claimPlace } from './destination.ts'
import { Download } from './download.ts'
import type { DownloadsParts } from './downloads-parts.ts'
import type { PartId } from './part-file.ts'
import { planDownload } from './plan.ts'
import { isAwaited, Settling } from './settling.ts'
import type { FoundFile } from './swarm-lookup.ts'
import { switchedSentence, switchOver } from './switch-over.ts'

const notAMember = { isOver: true, end: 'not-a-member' } as const

export class Downloads {
  readonly #parts: DownloadsParts
  readonly #downloads = new Map<string, Download>()
  /** What running downloads serve. */
  readonly #offers = new Map<Download, Offer>()
  /** Downloads about to begin: a second call is refused before the first has its answer. */
  readonly #beginning = new Set<string>()
  /** What is being cancelled, until its part file is gone. */
  readonly #removing = new Map<string, Promise<unknown>>()
  readonly #settling = new Settling()
  #closed = false

  constructor(parts: DownloadsParts) {
    this.#parts = parts
  }

  /** Restores the downloads left unfinished when the program last ended; starts those that are not paused. */
  resume(): void {
    for (const record of this.#parts.store.downloads()) {
      if (this.#downloads.has(keyOf(record))) continue
      const download = this.#add(record)
      if (!record.paused) download.start()
    }
  }

  async begin(
    group: string,
    name: string,
    destination: string,
    options: PlanOptions,
  ): Promise<Answer<BegunDownload>> {
    const key = keyOf({ group, name })
    const former = this.#downloads.get(key)
    const isUnfinished = former !== undefined && former.state !== 'complete' && former.state !== 'failed'
    if (isUnfinished || this.#beginning.has(key)) {
      const how =
        former?.state === 'paused'
          ? 'paused; continue it with resume_download, or give it up with cancel_download'
          : 'already being downloaded'
      return refuse('local-file', `${name} from ${group} is ${how}`)
    }
    this.#beginning.add(key)
    try {
      return await this.#begin({ group, name }, destination, options)
    } finally {
      this.#beginning.delete(key)
    }
  }

  async #begin(
    file: { group: string; name: string },
    destination: string,
    options: PlanOptions,
  ): Promise<Answer<BegunDownload>> {
    const { group, name } = file
    // One that is being cancelled: its part file may have the same name.
    await this.#removing.get(keyOf(file))
    const found = await this.#find(group, name)
    if (!found.ok) return found
    const plan = await planDownload(file, found.value, destination, options, {
      ...this.#parts,
      downloads: this.all,
    })
    if (!plan.ok) return plan
    if (plan.value.kind === 'adopt') return this.#adopt(file, plan.value.path, plan.value.content)
    const { record, waiting } = plan.value
    const part = await this.#claim(record.destination, file)
    if (!part.ok) return part
    const claimed = part.value === undefined ? record : { ...record, part: part.value }
    await this.#parts.store.rememberDownload(claimed)
    if (this.#closed)
      return refuse('cancelled', `you logged out; ${name} will be downloaded after your next login`)
    this.#downloads.delete(keyOf(file))
    this.#add(claimed).start(found.value)
    return accept({ destination: record.destination, waiting })
  }

  /** Shares what is there already. */
  async #adopt(
    file: { group: string; name: string },
    path: string,
    content: LocalContent,
  ): Promise<Answer<BegunDownload>> {
    await content.save()
    if (this.#closed) return refuse('cancelled', `you logged out; ${file.name} is not shared`)
    const { manifest } = content
    await this.#parts.shares.adopt({ ...file, path, ...recordOf(manifest) }, manifest, Promise.resolve())
    this.#forgetSwarm(file)
    return accept({ destination: path, waiting: false, adopted: true })
  }

  get all(): readonly Download[] {
    return [...this.#downloads.values()]
  }

  find(file: { group: string; name: string }): Download | undefined {
    return this.#downloads.get(keyOf(file))
  }

  views(): DownloadView[] {
    return this.all.map((download) => download.view())
  }

  /** The download of this name, unless it is complete: then the file is a share. */
  unfinished(group: string, name: string): Download | undefined {
    const download = this.#downloads.get(keyOf({ group, name }))
    return download?.state === 'complete' ? undefined : download
  }

  /** Whether a download of it runs or is about to, and so needs to hear about its swarm. */
  needsSwarm(group: string, name: string): boolean {
    const key = keyOf({ group, name })
    return this.#beginning.has(key) || this.#downloads.get(key)?.state === 'running'
  }

  /** Those of single downloads. */
  limits(): LimitRule[] {
    return this.all.flatMap(({ limit }) => limit ?? [])
  }

  async pause(group: string, name: string): Promise<Answer<void>> {
    const download = this.find({ group, name })
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state !== 'running')
      return refuse('no-such-download', `${name} from ${group} is not running`)
    if (download.isPublishing)
      return refuse('no-such-download', `${name} from ${group} has just become complete`)
    // Do both at once: in between, another call could resume it.
    await Promise.all([download.pause(), this.#remember(download, { paused: true })])
    return accept(undefined)
  }

  /** Of this download alone; undefined means no limit. It is remembered with the download. */
  async limit(group: string, name: string, bytesPerSecondMax: number | undefined): Promise<Answer<void>> {
    const download = this.#open(group, name)
    if (!download.ok) return download
    download.value.setLimit(bytesPerSecondMax)
    await this.#remember(download.value, { bytesPerSecondMax })
    return accept(undefined)
  }

  /** Which downloads go first; without a priority nothing changes. It is remembered with the download. */
  async prioritize(group: string, name: string, priority?: Priority): Promise<Answer<Priority>> {
    const download = this.#open(group, name)
    if (!download.ok) return download
    if (priority === undefined) return accept(download.value.priority)
    download.value.setPriority(priority)
    await this.#remember(download.value, { priority })
    return accept(priority)
  }

  #open(group: string, name: string): Answer<Download> {
    const download = this.find({ group, name })
    if (download === undefined) return noSuchDownload(group, name)
    if (download.isOpen) return accept(download)
    return refuse('no-such-download', `${name} from ${group} is ${download.state}`)
  }

  resumeOne(group: string, name: string): Answer<void> {
    const download = this.find({ group, name })
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state === 'running')
      return refuse('no-such-download', `${name} from ${group} is already running`)
    if (this.#beginning.has(keyOf(download.record))) return beginsAnew(group, name)
    if (!download.start()) return refuse('no-such-download', `${name} from ${group} is complete`)
    void this.#remember(download, { paused: false })
    return accept(undefined)
  }

  async cancel(group: string, name: string): Promise<Answer<void>> {
    const download = this.find({ group, name })
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state === 'complete' || download.isPublishing)
      return refuse('no-such-download', `${name} from ${group} is already complete`)
    if (this.#beginning.has(keyOf(download.record))) return beginsAnew(group, name)
    await this.#remove(download)
    return accept(undefined)
  }

  /** Stops serving the pieces and does not share the completed file; false when there is no such download. */
  unshare(group: string, name: string): boolean {
    const download = this.find({ group, name })
    if (download === undefined || download.state === 'complete' || download.state === 'failed') return false
    if (download.record.unshared) return false
    void this.#remember(download, { unshared: true })
    this.#stopServing(download)
    return true
  }

  /** Fails the downloads of a group that the user no longer belongs to. */
  async failGroup(group: string): Promise<void> {
    const failing: Promise<void>[] = []
    for (const download of this.#downloads.values()) {
      if (download.record.group !== group || download.state === 'complete') continue
      void this.#parts.store.forgetDownload(download.record)
      if (download.state !== 'failed')
        failing.push(download.fail(`you are no longer a member of ${group}`, notAMember))
    }
    await Promise.all(failing)
  }

  onTrackerUp(): void {
    for (const download of this.#downloads.values()) void download.findAgain()
  }

  onSwarmChanged(file: FileVersion, joined: readonly Peer[], left: readonly string[]): void {
    const download = this.find(file)
    if (download?.record.fileId === file.fileId) download.onSwarmChanged(joined, left)
  }

  onFileGone(file: FileVersion): void {
    const download = this.find(file)
    if (download?.record.fileId === file.fileId) void download.findAgain()
  }

  /** Resolves when none of these downloads runs: to true, or to false when the time is over. */
  settled(which: AwaitedDownloads = {}): Promise<boolean> {
    return this.#settling.until(() => this.all.filter((one) => isAwaited(one, which)), which)
  }

  /** Stops all downloads; unfinished ones stay stored. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#downloads.values()]
    // A download that is publishing completes, if it can.
    await Promise.all(all.map((download) => download.close('stopped')))
    for (const download of all) this.#stopServing(download)
    this.#changed()
  }

  #add(record: RememberedDownload): Download {
    const { network, manifests, hashes, storing, folder } = this.#parts
    const { group, name, fileId } = record
    const journal = journalOf(folder, record.destination, fileId)
    const contentAt = (path: string): Promise<Answer<LocalContent>> =>
      this.#parts.shares.contentAt({ group, name, path })
    const treeAt = (path: string): Promise<string | undefined> => treeOf(this.#parts.folders, path)
    const parts = { network, manifests, hashes, storing, journal, contentAt, treeAt }
    const download: Download = new Download(
      record,
      { ...parts, find: () => this.#find(group, name) },
      {
        onPart: (id) => void this.#remember(download, { part: id }),
        onUnpacking: (id) => this.#remember(download, { unpacked: id }),
        onServing: (store) => {
          if (download.record.unshared) return
          const offer = this.#parts.sources.offer(record, store)
          this.#offers.set(download, offer)
          // The registry delays the announcement until there is a piece.
          void offer.announce()
        },
        onHave: (_store, index) => this.#offers.get(download)?.tellHave(index),
        onLost: () => this.#offers.get(download)?.tellChanged(),
        onStopped: () => {
          this.#stopServing(download)
          this.#changed()
        },
        onComplete: (manifest, flushed) => this.#onComplete(download, manifest, flushed),
        onPaused: (why) => {
          const sentence = `download of ${name} from ${group} paused: ${why}`
          this.#parts.onEvent({ kind: 'notice', sentence })
          this.#changed()
        },
        onGoesOn: () => {
          this.#parts.onEvent({ kind: 'notice', sentence: `download of ${name} from ${group} goes on` })
        },
        onFailed: (why, isOver) => {
          if (isOver) void this.#parts.store.forgetDownload(record)
          this.#parts.onEvent({ kind: 'download-failed', group, name, why })
          this.#stopServing(download)
          this.#changed()
        },
        onReplaced: (found) => void this.#switchOver(download, found).catch(this.#parts.onFailure),
        onNotice: (sentence) => this.#parts.onEvent({ kind: 'notice', sentence }),
      },
    )
    this.#downloads.set(keyOf(record), download)
    return download
  }

  async #switchOver(download: Download, found: FoundFile): Promise<void> {
    const key = keyOf(download.record)
    if (this.#beginning.has(key)) return
    this.#beginning.add(key)
    const isOver = (): boolean => this.#closed || this.#downloads.get(key) !== download
    const next = await switchOver(download, found, { ...this.#parts, isOver })
    this.#beginning.delete(key)
    if (next === undefined) return
    this.#add(next).start(found)
    this.#parts.onEvent({ kind: 'notice', sentence: switchedSentence(next) })
  }

  /** Resolves when the download is no longer needed: the library serves the file, or nobody does. */
  async #onComplete(download: Download, manifest: Manifest, flushed: Promise<void>): Promise<void> {
    const { group, name, sizeBytes, destination: path } = download.record
    const adopted = download.record.unshared
      ? this.#letGo(download, flushed)
      : this.#parts.shares.adopt({ group, name, path, ...recordOf(manifest) }, manifest, flushed)
    this.#forgetSwarm(download.record)
    const seconds = Math.round(download.runningForMs / 1000)
    this.#parts.onEvent({ kind: 'download-complete', group, name, sizeBytes, seconds })
    this.#changed()
    await adopted
    this.#stopServing(download)
  }

  /** Forgets a download that is not to be shared; all that remains is to report a late disk failure. */
  async #letGo(download: Download, flushed: Promise<void>): Promise<void> {
    this.#stopServing(download)
    void this.#parts.store.forgetDownload(download.record)
    await flushed.catch((error: unknown) => {
      const sentence = `${download.record.destination} may not have reached the disk: ${sentenceOf(error)}`
      this.#parts.onEvent({ kind: 'notice', sentence })
    })
  }

  #find(group: string, name: string): Promise<Answer<FoundFile>> {
    return this.#parts.link.ask('find_file', { group, name })
  }

  #forgetSwarm({ group, name }: { group: string; name: string }): void {
    // An unreachable tracker has already forgotten it.
    this.#parts.link.ask('forget_file', { group, name }).catch(() => undefined)
  }

  /**
   * Creates the part file, which claims this path against other programs and against another download that
   * reaches the same folder by a different path. A failed download that is requested again keeps its part
   * file at the same path; at another path it starts over.
   */
  async #claim(path: string, file: { group: string; name: string }): Promise<Answer<PartId | undefined>> {
    const former = this.find(file)
    if (former?.state === 'failed') {
      if (former.record.destination === path) return accept(former.record.part)
      await this.#remove(former)
    }
    if (this.#closed) return refuse('cancelled', `you logged out; ${file.name} is not downloaded`)
    return claimPlace(path)
  }

  /** Forgets the download even when its part file cannot be removed; otherwise nobody could get rid of it. */
  async #remove(download: Download): Promise<void> {
    const key = keyOf(download.record)
    const discarded = download.discard()
    const removed = Promise.allSettled([discarded])
    this.#removing.set(key, removed)
    try {
      await discarded
    } finally {
      if (this.#removing.get(key) === removed) this.#removing.delete(key)
      this.#forgetSwarm(download.record)
      if (this.#downloads.get(key) === download) {
        void this.#parts.store.forgetDownload(download.record)
        this.#downloads.delete(key)
      }
      this.#changed()
    }
  }

  #remember(download: Download, change: Partial<RememberedDownload>): Promise<void> {
    download.record = { ...download.record, ...change }
    return this.#parts.store.rememberDownload(download.record)
  }

  #stopServing(download: Download): void {
    this.#offers.get(download)?.withdraw('it is no longer shared')
    this.#offers.delete(download)
  }

  #changed(): void {
    this.#settling.onChange()
  }
}
