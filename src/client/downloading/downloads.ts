// Manages all downloads of the logged-in user: starts, stores and resumes them, and reports what happens to
// them to the trackers, the peer server, the library and the person.

import { sentenceOf } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { alreadyFetched, beginsAnew, goesOnAfterLogin, noSuchDownload } from '../answers.ts'
import { downloadName, keyOf, named, type Fetched, type Named } from '../file-key.ts'
import type { AwaitedDownloads, BegunDownload, DownloadView, LimitRule, Priority } from '../operations.ts'
import { recordOf, type LocalContent } from '../sharing/local-content.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { journalOf } from '../storage/progress-journal.ts'
import { treeOf, type PlanOptions } from './already-there.ts'
import { Beginnings } from './beginnings.ts'
import { claimRemembered } from './claiming.ts'
import { Download } from './download.ts'
import { DownloadOffers } from './download-offers.ts'
import { DownloadTable } from './download-table.ts'
import type { DownloadsParts } from './downloads-parts.ts'
import type { PartId } from './part-file.ts'
import { planDownload } from './plan.ts'
import { isAwaited, Settling } from './settling.ts'
import type { FoundFile } from './swarm-lookup.ts'
import { switchedSentence, switchOver } from './switch-over.ts'

const notAMember = { isOver: true, end: 'not-a-member' } as const

export class Downloads {
  readonly #parts: DownloadsParts
  readonly #table = new DownloadTable()
  readonly #offers: DownloadOffers
  readonly #beginning = new Beginnings()
  /** What is being cancelled, until its part file is gone. */
  readonly #removing = new Map<string, Promise<unknown>>()
  readonly #settling = new Settling()
  #closed = false

  constructor(parts: DownloadsParts) {
    this.#parts = parts
    this.#offers = new DownloadOffers(parts.sources)
  }

  /** Restores the downloads left unfinished when the program last ended; starts those that are not paused. */
  resume(): void {
    for (const record of this.#parts.store.downloads()) {
      if (this.#table.find(named(record)) !== undefined) continue
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
    const file = { group, name, within: options.within }
    const state = this.#table.find(named(file))?.state
    const isPaused = state === 'paused'
    if (isPaused || state === 'running' || this.#beginning.has(file))
      return alreadyFetched(group, downloadName(file), isPaused)
    return this.#beginning.during(file, () => this.#begin(file, destination, options))
  }

  async #begin(file: Fetched, destination: string, options: PlanOptions): Promise<Answer<BegunDownload>> {
    const { group, name } = file
    // One that is being cancelled: its part file may have the same name.
    await this.#removing.get(keyOf(file))
    const found = await this.#find(group, name)
    if (!found.ok) return found
    const planned = { ...this.#parts, downloads: this.all }
    const plan = await planDownload(file, found.value, destination, options, planned)
    if (!plan.ok) return plan
    if (plan.value.kind === 'adopt') return this.#adopt(file, plan.value.path, plan.value.content)
    const { record, waiting, folder, here } = plan.value
    if (folder !== undefined) await this.#parts.reader.keep(folder)
    const part = await this.#claim(record)
    if (!part.ok) return part
    const claimed = part.value === undefined ? record : { ...record, part: part.value }
    // The run goes to its peers meanwhile.
    const remembered = this.#parts.store.rememberDownload(claimed)
    if (!this.#closed) {
      this.#table.remove(named(file))
      this.#add(claimed, remembered).start(found.value, here)
    }
    await remembered
    if (this.#closed) return goesOnAfterLogin(downloadName(file))
    return accept({ destination: record.destination, waiting })
  }

  /** Shares what is there already. */
  async #adopt(
    { group, name }: Fetched,
    path: string,
    content: LocalContent,
  ): Promise<Answer<BegunDownload>> {
    await content.save()
    if (this.#closed) return refuse('cancelled', `you logged out; ${name} is not shared`)
    const { manifest } = content
    await this.#parts.shares.adopt({ group, name, path, ...recordOf(manifest) }, manifest, Promise.resolve())
    this.#forgetSwarm({ group, name })
    return accept({ destination: path, waiting: false, adopted: true })
  }

  get all(): readonly Download[] {
    return this.#table.all
  }

  /** `name`: of the download, as in all that follows: for a part of a folder with the part. */
  find(file: Named): Download | undefined {
    return this.#table.find(file)
  }

  /** Resolves when no download of this name is about to begin, or to go over to a new version. */
  begun(group: string, name: string): Promise<void> {
    return this.#beginning.over({ group, name })
  }

  views(): DownloadView[] {
    return this.#table.views()
  }

  /** The download of this name, unless it is complete: then the file is a share. */
  unfinished(group: string, name: string): Download | undefined {
    const download = this.find({ group, name })
    return download?.state === 'complete' ? undefined : download
  }

  /** Whether a download of this entry, or of a part of it, runs or is about to, and so needs to hear about its swarm. */
  needsSwarm(group: string, name: string): boolean {
    if (this.#table.of({ group, name }).some(({ state }) => state === 'running')) return true
    return this.#beginning.hasOf({ group, name })
  }

  /** Those of single downloads. */
  limits(): LimitRule[] {
    return this.#table.limits()
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
    if (this.#beginning.has(download.record)) return beginsAnew(group, name)
    if (!download.start()) return refuse('no-such-download', `${name} from ${group} is complete`)
    void this.#remember(download, { paused: false })
    return accept(undefined)
  }

  async cancel(group: string, name: string): Promise<Answer<void>> {
    const download = this.find({ group, name })
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state === 'complete' || download.isPublishing)
      return refuse('no-such-download', `${name} from ${group} is already complete`)
    if (this.#beginning.has(download.record)) return beginsAnew(group, name)
    await this.#remove(download)
    return accept(undefined)
  }

  /**
   * Stops serving the pieces of this entry, also of its parts, and does not share the completed file; false when there is
   * no such download.
   */
  unshare(group: string, name: string): boolean {
    const served = this.#table.unfinishedOf({ group, name }).filter(({ record }) => !record.unshared)
    for (const download of served) {
      void this.#remember(download, { unshared: true })
      this.#offers.withdraw(download)
    }
    return served.length > 0
  }

  /** Fails the downloads of a group that the user no longer belongs to. */
  async failGroup(group: string): Promise<void> {
    const failing: Promise<void>[] = []
    for (const download of this.all) {
      if (download.record.group !== group || download.state === 'complete') continue
      void this.#parts.store.forgetDownload(download.record)
      if (download.state !== 'failed')
        failing.push(download.fail(`you are no longer a member of ${group}`, notAMember))
    }
    await Promise.all(failing)
  }

  /** Looks up anew who has what: trackers have come or gone, or the network has changed. */
  findAgain(): void {
    for (const download of this.all) void download.findAgain()
  }

  onSwarmChanged(file: FileVersion, joined: readonly Peer[], left: readonly string[]): void {
    for (const download of this.#table.of(file))
      if (download.record.fileId === file.fileId) download.onSwarmChanged(joined, left)
  }

  onFileGone(file: FileVersion): void {
    for (const download of this.#table.of(file))
      if (download.record.fileId === file.fileId) void download.findAgain()
  }

  /** Resolves when none of these downloads runs: to true, or to false when the time is over. */
  settled(which: AwaitedDownloads = {}): Promise<boolean> {
    return this.#settling.until(() => this.all.filter((one) => isAwaited(one, which)), which)
  }

  /** Stops all downloads; unfinished ones stay stored. */
  async close(): Promise<void> {
    this.#closed = true
    const { all } = this
    // A download that is publishing completes, if it can.
    await Promise.all(all.map((download) => download.close('stopped')))
    for (const download of all) this.#offers.withdraw(download)
    this.#changed()
  }

  #add(record: RememberedDownload, remembered = Promise.resolve()): Download {
    const { network, manifests, hashes, storing, recipes, folder } = this.#parts
    const { group, name, fileId } = record
    const shownName = downloadName(record)
    const journal = journalOf(folder, record.destination, fileId)
    const contentAt = (path: string): Promise<Answer<LocalContent>> =>
      this.#parts.shares.contentAt({ group, name, path })
    const treeAt = (path: string): Promise<string | undefined> => treeOf(this.#parts.folders, path)
    const served = (): Manifest | undefined => this.#parts.sources.find(group, fileId)?.manifest
    const run = { network, manifests, hashes, storing, recipes, journal, remembered, served }
    const parts = { ...run, contentAt, treeAt }
    const download: Download = new Download(
      record,
      { ...parts, find: () => this.#find(group, name) },
      {
        onPart: (id) => void this.#remember(download, { part: id }),
        onUnpacking: (id) => this.#remember(download, { unpacked: id }),
        onSelected: (selectedBytes) => void this.#remember(download, { selectedBytes }),
        onServing: (store) => {
          if (!download.record.unshared) this.#offers.offer(download, store)
        },
        onHave: (_store, index) => this.#offers.tellHave(download, index),
        onLost: () => this.#offers.tellChanged(download),
        onStopped: () => {
          this.#offers.withdraw(download)
          this.#changed()
        },
        onComplete: (manifest, flushed) => this.#onComplete(download, manifest, flushed),
        onPaused: (why) => {
          this.#notice(`download of ${shownName} from ${group} paused: ${why}`)
          this.#changed()
        },
        onGoesOn: () => this.#notice(`download of ${shownName} from ${group} goes on`),
        onFailed: (why, isOver) => {
          if (isOver) void this.#parts.store.forgetDownload(record)
          this.#parts.onEvent({ kind: 'download-failed', group, name: shownName, why })
          this.#offers.withdraw(download)
          this.#changed()
        },
        onReplaced: (found) => void this.#switchOver(download, found).catch(this.#parts.onFailure),
        onNotice: (sentence) => this.#notice(sentence),
      },
    )
    this.#table.put(download)
    return download
  }

  async #switchOver(download: Download, found: FoundFile): Promise<void> {
    if (this.#beginning.has(download.record)) return
    const isOver = (): boolean => this.#closed || this.find(named(download.record)) !== download
    await this.#beginning.during(download.record, async () => {
      const next = await switchOver(download, found, { ...this.#parts, isOver })
      if (next === undefined) return
      this.#add(next).start(found)
      this.#notice(switchedSentence(next))
    })
  }

  /** Resolves when the download is no longer needed: the library serves the file, or nobody does. */
  async #onComplete(download: Download, manifest: Manifest, flushed: Promise<void>): Promise<void> {
    const { group, name, within, sizeBytes, selectedBytes, destination: path } = download.record
    // A part of a folder is no copy that others could have.
    const adopted =
      download.record.unshared || within !== undefined
        ? this.#letGo(download, flushed)
        : this.#parts.shares.adopt({ group, name, path, ...recordOf(manifest) }, manifest, flushed)
    this.#forgetSwarm(download.record)
    const seconds = Math.round(download.runningForMs / 1000)
    const shown = { ...named(download.record), sizeBytes: selectedBytes ?? sizeBytes }
    this.#parts.onEvent({ kind: 'download-complete', ...shown, seconds })
    this.#changed()
    await adopted
    this.#offers.withdraw(download)
  }

  /** Forgets a download that is not to be shared; all that remains is to report a late disk failure. */
  async #letGo(download: Download, flushed: Promise<void>): Promise<void> {
    this.#offers.withdraw(download)
    void this.#parts.store.forgetDownload(download.record)
    await flushed.catch((error: unknown) => {
      this.#notice(`${download.record.destination} may not have reached the disk: ${sentenceOf(error)}`)
    })
  }

  #find(group: string, name: string): Promise<Answer<FoundFile>> {
    return this.#parts.link.ask('find_file', { group, name })
  }

  /** Unless another download needs it. */
  #forgetSwarm({ group, name }: { group: string; name: string }): void {
    if (this.needsSwarm(group, name)) return
    // An unreachable tracker has already forgotten it.
    this.#parts.link.ask('forget_file', { group, name }).catch(() => undefined)
  }

  /**
   * Creates the part file, which claims this path against other programs and against another download that
   * reaches the same folder by a different path. A failed download that is requested again keeps its part
   * file at the same path; at another path it starts over.
   */
  async #claim(record: RememberedDownload): Promise<Answer<PartId | undefined>> {
    const former = this.#table.find(named(record))
    if (former?.state === 'failed') {
      if (former.record.destination === record.destination) return accept(former.record.part)
      await this.#remove(former)
    }
    if (this.#closed) return refuse('cancelled', `you logged out; ${downloadName(record)} is not downloaded`)
    return claimRemembered(record, this.#parts.store)
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
      if (this.#table.find(named(download.record)) === download) {
        void this.#parts.store.forgetDownload(download.record)
        this.#table.remove(named(download.record))
      }
      this.#changed()
    }
  }

  #remember(download: Download, change: Partial<RememberedDownload>): Promise<void> {
    download.record = { ...download.record, ...change }
    return this.#parts.store.rememberDownload(download.record)
  }

  #notice(sentence: string): void {
    this.#parts.onEvent({ kind: 'notice', sentence })
  }

  #changed(): void {
    this.#settling.onChange()
  }
}
