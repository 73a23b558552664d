// All downloads of the user that is logged in: begins, remembers, resumes, and tells the others
// (trackers, peer server, library, person) what becomes of them.

import { basename } from 'node:path'
import { sentenceOf } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'
import type { ClientEvent, DownloadView } from '../operations.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { StorePool } from '../workers/store-pool.ts'
import type { SourceRegistry } from '../sharing/piece-source.ts'
import type { ShareLibrary } from '../sharing/share-library.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import type { RememberedDownload, UserStore } from '../storage/user-store.ts'
import { journalOf } from '../storage/progress-journal.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import { checkRoom, placeFor } from './destination.ts'
import { Download, type FoundFile } from './download.ts'
import { PartFile } from './part-file.ts'
import type { SwarmNetwork } from './swarm.ts'

export interface DownloadsParts {
  readonly link: TrackerLink
  readonly network: SwarmNetwork
  readonly store: UserStore
  readonly manifests: ManifestStore
  readonly hashes: HashPool
  readonly storing: StorePool
  readonly sources: SourceRegistry
  readonly shares: ShareLibrary
  /** Where journals are kept. */
  readonly folder: string
  readonly onEvent: (event: ClientEvent) => void
}

export class Downloads {
  readonly #parts: DownloadsParts
  readonly #downloads = new Map<string, Download>()
  #settledWaiters: (() => void)[] = []
  #giveUpAfterMs: number | undefined
  readonly #watch: NodeJS.Timeout
  #closed = false

  constructor(parts: DownloadsParts) {
    this.#parts = parts
    this.#watch = setInterval(() => this.#giveUp(), 500)
  }

  /** Takes up what was unfinished when the program last ended. */
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
    overwrite: boolean,
  ): Promise<Answer<{ destination: string; waiting: boolean }>> {
    const former = this.#downloads.get(keyOf({ group, name }))
    if (former !== undefined && former.state !== 'complete' && former.state !== 'failed') {
      const how =
        former.state === 'paused'
          ? 'paused; resume_download or cancel_download it'
          : 'being downloaded already'
      return refuse('local-file', `${name} from ${group} is ${how}`)
    }
    const found = await this.#find(group, name)
    if (!found.ok) return found
    const others = found.value.peers.filter((peer) => peer.key !== this.#parts.network.identity.publicKey)
    const own = this.#parts.shares.pathOf(group, name)
    if (own !== undefined && others.length === 0) {
      return refuse('local-file', `nobody else online has ${name}; this client shares it itself, from ${own}`)
    }
    const place = await this.#place(destination, { group, name }, overwrite)
    if (!place.ok) return place
    const room = await checkRoom(place.value, found.value.sizeBytes)
    if (!room.ok) return room
    if (former?.state === 'failed') await this.#replaceFailed(former, place.value)
    const record: RememberedDownload = {
      group,
      name,
      fileId: found.value.fileId,
      sizeBytes: found.value.sizeBytes,
      destination: place.value,
      overwrite,
      paused: false,
      unshared: false,
    }
    await this.#parts.store.rememberDownload(record)
    this.#downloads.delete(keyOf(record))
    this.#add(record).start(found.value)
    return accept({ destination: place.value, waiting: others.length === 0 })
  }

  views(): DownloadView[] {
    return [...this.#downloads.values()].map((download) => download.view())
  }

  async pause(group: string, name: string): Promise<Answer<void>> {
    const download = this.#running(group, name, 'running')
    if (!download.ok) return download
    if (download.value.isPublishing)
      return refuse('no-such-download', `${name} from ${group} is just complete`)
    await download.value.pause()
    await this.#remember(download.value, { paused: true })
    this.#stopServing(download.value)
    this.#changed()
    return accept(undefined)
  }

  resumeOne(group: string, name: string): Answer<void> {
    const download = this.#downloads.get(keyOf({ group, name }))
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state === 'running')
      return refuse('no-such-download', `${name} from ${group} is running already`)
    if (download.state === 'complete') return refuse('no-such-download', `${name} from ${group} is complete`)
    void this.#remember(download, { paused: false })
    download.start()
    return accept(undefined)
  }

  async cancel(group: string, name: string): Promise<Answer<void>> {
    const download = this.#downloads.get(keyOf({ group, name }))
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state === 'complete' || download.isPublishing)
      return refuse('no-such-download', `${name} from ${group} is complete already`)
    await this.#remove(download)
    return accept(undefined)
  }

  /** Neither serves what is there nor shares the file when it is complete; false when there is no such download. */
  unshare(group: string, name: string): boolean {
    const download = this.#downloads.get(keyOf({ group, name }))
    if (download === undefined || download.state === 'complete' || download.state === 'failed') return false
    if (download.record.unshared) return false
    void this.#remember(download, { unshared: true })
    this.#stopServing(download)
    return true
  }

  /** The user is not in the group any more. */
  async failGroup(group: string): Promise<void> {
    for (const download of this.#downloads.values()) {
      if (download.record.group !== group || download.state === 'complete') continue
      void this.#parts.store.forgetDownload(download.record)
      if (download.state !== 'failed') await download.fail(`you are not a member of ${group}`)
    }
  }

  onTrackerUp(): void {
    for (const download of this.#downloads.values()) void download.findAgain()
  }

  onSwarmChanged(file: FileVersion, joined: readonly Peer[], left: readonly string[]): void {
    const download = this.#downloads.get(keyOf(file))
    if (download?.record.fileId === file.fileId) download.onSwarmChanged(joined, left)
  }

  onFileGone(file: FileVersion): void {
    const download = this.#downloads.get(keyOf(file))
    if (download?.record.fileId === file.fileId) void download.findAgain()
  }

  /** Resolves when no download (of this group) runs. */
  async settled(group?: string): Promise<void> {
    while (this.#runningCount(group) > 0) {
      await new Promise<void>((resolve) => this.#settledWaiters.push(resolve))
    }
  }

  giveUpAfter(ms: number): void {
    this.#giveUpAfterMs = ms
  }

  /** Stops all; what is unfinished stays remembered. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#watch)
    for (const download of this.#downloads.values()) {
      if (download.state === 'running') await download.pause('stopped')
      this.#stopServing(download)
    }
    this.#changed()
  }

  #add(record: RememberedDownload): Download {
    const { link, network, manifests, hashes, storing, folder } = this.#parts
    const { group, name, fileId } = record
    const journal = journalOf(folder, record.destination, fileId)
    const parts = { network, manifests, hashes, storing, journal }
    const download: Download = new Download(
      record,
      { ...parts, find: () => this.#find(group, name) },
      {
        onServing: (store) => {
          if (!this.#serves(download)) return
          this.#parts.sources.offer(group, store)
          if (store.have.count > 0) void link.announce(record, false)
        },
        onHave: (store, index) => {
          if (!this.#serves(download)) return
          // From its first verified piece on a downloader is worth asking.
          if (store.have.count === 1) void link.announce(record, false)
          this.#parts.sources.tellHave(group, fileId, index)
        },
        onComplete: (manifest, flushed) => this.#onComplete(download, manifest, flushed),
        onPaused: (why) => {
          this.#parts.onEvent({
            kind: 'notice',
            sentence: `download of ${name} from ${group} paused: ${why}`,
          })
          this.#stopServing(download)
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
        onNotice: (sentence) => this.#parts.onEvent({ kind: 'notice', sentence }),
      },
    )
    this.#downloads.set(keyOf(record), download)
    return download
  }

  /** Resolves when the download itself is not needed any more: the library serves the file, or nobody. */
  async #onComplete(download: Download, manifest: Manifest, flushed: Promise<void>): Promise<void> {
    const { group, name, fileId, sizeBytes, destination } = download.record
    const adopted = download.record.unshared
      ? this.#letGo(download, flushed)
      : this.#parts.shares.adopt({ group, name, fileId, sizeBytes, path: destination }, manifest, flushed)
    this.#forgetSwarm(download.record)
    this.#parts.onEvent({ kind: 'download-complete', group, name })
    this.#changed()
    await adopted
  }

  /** A download that is not to be shared: all that is left to do is to hear of a disk that fails. */
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

  #forgetSwarm({ group, name }: FileVersion): void {
    // A tracker that cannot be reached has forgotten it already.
    this.#parts.link.ask('forget_file', { group, name }).catch(() => undefined)
  }

  /** The final path for a destination as a person gives it; refuses one that cannot be. */
  async #place(
    destination: string,
    { group, name }: { group: string; name: string },
    overwrite: boolean,
  ): Promise<Answer<string>> {
    const place = await placeFor(destination, name, overwrite)
    if (!place.ok) return place
    const path = place.value
    for (const other of this.#downloads.values()) {
      if (other.state === 'complete' || other.record.destination !== path) continue
      // Only a failed one can be this very file. Any other that failed may go on, and two that write to
      // one part file would publish a mixture.
      if (keyOf(other.record) === keyOf({ group, name })) continue
      const what = `${path} is where ${other.record.name} is being downloaded to`
      const { group: from, name: failed } = other.record
      const advice = `; that failed: cancel_download ${from} ${failed}, or choose another name`
      return refuse('local-file', other.state === 'failed' ? what + advice : what)
    }
    if (!overwrite && (await new PartFile(path).exists()) && !this.#isRemembered(path)) {
      return refuse('local-file', `${basename(path)}.part is in the way; remove it, or add --overwrite`)
    }
    return place
  }

  #isRemembered(destination: string): boolean {
    return this.#parts.store.downloads().some((record) => record.destination === destination)
  }

  /** A failed download that is asked for again: at the same place it goes on, elsewhere it begins anew. */
  async #replaceFailed(former: Download, destination: string): Promise<void> {
    if (former.record.destination === destination) await former.pause()
    else await this.#remove(former)
  }

  async #remove(download: Download): Promise<void> {
    try {
      await download.discard()
    } finally {
      // Forgotten also when its part file cannot be removed: else nobody would ever get rid of it.
      this.#stopServing(download)
      this.#forgetSwarm(download.record)
      void this.#parts.store.forgetDownload(download.record)
      this.#downloads.delete(keyOf(download.record))
      this.#changed()
    }
  }

  #remember(download: Download, change: Partial<RememberedDownload>): Promise<void> {
    download.record = { ...download.record, ...change }
    return this.#parts.store.rememberDownload(download.record)
  }

  /** A copy that is shared already, and whole, is better than the one that is being fetched. */
  #serves({ record }: Download): boolean {
    return !record.unshared && this.#parts.shares.pathOf(record.group, record.name) === undefined
  }

  #stopServing({ record }: Download): void {
    if (this.#parts.shares.pathOf(record.group, record.name) !== undefined) return
    this.#parts.sources.withdraw(record.group, record.fileId, 'it is not shared any more')
    this.#parts.link.retract(record)
  }

  #running(group: string, name: string, state: 'running'): Answer<Download> {
    const download = this.#downloads.get(keyOf({ group, name }))
    if (download === undefined) return noSuchDownload(group, name)
    if (download.state !== state) return refuse('no-such-download', `${name} from ${group} is not running`)
    return accept(download)
  }

  #runningCount(group?: string): number {
    let count = 0
    for (const { state, record } of this.#downloads.values()) {
      if (state === 'running' && (group === undefined || record.group === group)) count++
    }
    return count
  }

  #giveUp(): void {
    if (this.#giveUpAfterMs === undefined || this.#closed) return
    for (const download of this.#downloads.values()) {
      if (download.state !== 'running' || download.withoutPeersMs < this.#giveUpAfterMs) continue
      const seconds = Math.round(this.#giveUpAfterMs / 1000)
      void download.fail(`no seeder could be reached for ${seconds} s; it resumes at the next login`)
    }
  }

  #changed(): void {
    for (const waiter of this.#settledWaiters.splice(0)) waiter()
  }
}

function noSuchDownload(group: string, name: string): Answer<never> {
  return refuse('no-such-download', `there is no download of ${name} from ${group}`)
}
