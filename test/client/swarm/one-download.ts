// One real download against peers that a test brings along; no tracker, no other client.

import { createCipheriv } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { ConnectTurns } from '../../../src/client/downloading/connect-turns.ts'
import { Download } from '../../../src/client/downloading/download.ts'
import type { PieceStore } from '../../../src/client/downloading/piece-store.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { LanePlaces } from '../../../src/client/downloading/lane-places.ts'
import { Precedence } from '../../../src/client/downloading/precedence.ts'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import type { RememberedDownload } from '../../../src/client/storage/user-store.ts'
import { journalOf } from '../../../src/client/storage/progress-journal.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { treeOf } from '../../../src/client/downloading/already-there.ts'
import { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { buildManifest, type Manifest } from '../../../src/common/manifest.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept, type Answer } from '../../../src/common/refusal.ts'
import type { LocalContent } from '../../../src/client/sharing/local-content.ts'
import { oneLibrary } from '../sharing/one-library.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { FakeSeeder, type Behaviour } from './fake-seeder.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { routesHere } from '../routes-here.ts'
import { WayRetries } from '../../../src/client/reach/way-retries.ts'

const patienceMs = 12_000

export interface Sample {
  readonly content: Buffer
  readonly manifest: Manifest
}

function sampleOf(content: Buffer): Sample {
  const hashes: Buffer[] = []
  for (let at = 0; at < content.length; at += pieceBytes) {
    hashes.push(hashPiece(content.subarray(at, at + pieceBytes)))
  }
  return { content, manifest: buildManifest(content.length, Buffer.concat(hashes)) }
}

/** The one that was made last: hashing a large one takes longer than many a test. */
let lastSample: Sample | undefined

/** Content that is the same at every run. */
function sampleOfSize(sizeBytes: number): Sample {
  if (lastSample?.content.length === sizeBytes) return lastSample
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 5), Buffer.alloc(16))
  lastSample = sampleOf(cipher.update(Buffer.alloc(sizeBytes)))
  return lastSample
}

export class OneDownload {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-swarm-'))
  readonly content: Buffer
  readonly destination: string
  readonly manifest: Manifest
  readonly notices: string[] = []
  /** Pieces in the order in which they were verified and written. */
  readonly had: number[] = []
  readonly download: Download
  /** Anybody may be far away, also on this machine. */
  readonly lanes = new LanePlaces(() => true)
  readonly #identity = makeIdentity()
  readonly routes = routesHere(new Protection(this.#identity.forTls, 'beyond'))
  readonly #attempts = { attempts: new AbortController().signal }
  readonly retries = new WayRetries({ changes: this.#attempts, random: () => 0 })
  onServing: (store: PieceStore) => void = () => undefined
  /** The folder that was filled last. */
  unpackedId: string | undefined
  /** Which file the part file is, once it was opened. */
  partId: string | undefined
  onHave: (index: number) => unknown = () => undefined
  onUnpacking: () => void = () => undefined
  /** Before the tree of a folder is looked at, such as one that has stepped aside. */
  onTreeAt: () => Promise<void> = () => Promise.resolve()
  /** Set it before the download starts. */
  remembered: Promise<void> = Promise.resolve()
  /** Its manifest, where this client serves the content already. */
  served: Manifest | undefined
  readonly #hashes: HashPool
  readonly #part: Partial<RememberedDownload>
  readonly #recipes: RecipePool
  readonly #storing: StorePool
  readonly #peers: Peer[] = []
  #flushed = Promise.resolve()
  readonly #waiters = new Set<() => void>()

  /**
   * Of content that is the same at every run, where there is none given; of a folder, with its manifest. A `pool` of the
   * build has workers. `part`: what else is remembered of it, such as which part of the folder is
   * wanted.
   */
  constructor(
    sizeBytes: number,
    content?: Buffer | Sample,
    destination?: string,
    pool = new HashPool(),
    part: Partial<RememberedDownload> = {},
    recipes = new RecipePool(),
    storing = new StorePool(),
  ) {
    this.#storing = storing
    this.#part = part
    this.#recipes = recipes
    this.#hashes = pool
    const given = content !== undefined && 'manifest' in content ? content : content && sampleOf(content)
    const sample = given ?? sampleOfSize(sizeBytes)
    this.content = sample.content
    this.manifest = sample.manifest
    this.destination = destination ?? join(this.folder, 'file.bin')
    this.download = this.#make()
    onTestFinished(async () => {
      await this.#flushed
      await this.download.pause()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** From whom how many pieces came. */
  get piecesByUser(): Record<string, number> {
    return Object.fromEntries(this.download.view().piecesByPeer.map(([name, n]) => [name.split('@')[0], n]))
  }

  async seeder(user: string, behaviour?: Behaviour): Promise<FakeSeeder> {
    const onAsked = (): void => this.#wake()
    const seeder = await FakeSeeder.start(
      user,
      this.content,
      this.manifest,
      Object.assign(behaviour ?? {}, { onAsked }),
    )
    this.#peers.push(seeder.peer)
    onTestFinished(() => seeder.stop())
    return seeder
  }

  /** With the peers that are there now; whoever comes later is told by `joins`. */
  start(): void {
    this.download.start()
  }

  joins(seeder: FakeSeeder): void {
    this.download.onSwarmChanged([seeder.peer], [])
  }

  /** What is reached by a relay is tried again a second later. */
  changeNetwork(): void {
    this.#attempts.attempts = new AbortController().signal
  }

  /** Waits for something that an event of the download, or a request to a seeder, brings about. */
  async until(what: string, isThere: () => boolean): Promise<void> {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      this.#wake()
    }, patienceMs)
    try {
      while (!isThere()) {
        if (timedOut) throw new Error(this.#inVain(what))
        await new Promise<void>((resolve) => this.#waiters.add(resolve))
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits until the view says that this is what the download waits for; there is no event for it. */
  async untilWhy(why: string | undefined): Promise<void> {
    await vi.waitFor(
      () => {
        if (this.download.view().why !== why) throw new Error(this.#inVain(String(why)))
      },
      { timeout: patienceMs, interval: 10 },
    )
  }

  async untilComplete(): Promise<void> {
    await this.until('the whole file', () => this.download.state === 'complete')
  }

  isIdentical(): boolean {
    return readFileSync(this.destination).equals(this.content)
  }

  /** Everything that a finished download must have cleaned up. */
  leftOver(): string[] {
    const journals = join(this.folder, 'journals')
    const files = existsSync(journals) ? readdirSync(journals) : []
    return [...files, ...readdirSync(this.folder).filter((name) => name.endsWith('.part'))]
  }

  #make(): Download {
    const identity = this.#identity
    const { fileId, sizeBytes } = this.manifest
    const files = this.manifest.folder?.files
    const { folder, destination } = this
    const network = {
      identity,
      routes: this.routes,
      changes: new NetworkChanges(),
      bucket: new TokenBucket(undefined),
      turns: new ConnectTurns(),
      precedence: new Precedence(),
      lanes: this.lanes,
      retries: this.retries,
    }
    const record = { group: 'g', name: 'file.bin', fileId, sizeBytes, destination }
    const notice = (sentence: string): void => {
      this.notices.push(sentence)
      this.#wake()
    }
    return new Download(
      { ...record, files, overwrite: false, paused: false, unshared: false, ...this.#part },
      {
        network,
        manifests: new ManifestStore(folder),
        hashes: this.#hashes,
        storing: this.#storing,
        recipes: this.#recipes,
        journal: journalOf(folder, destination, fileId),
        remembered: Promise.resolve().then(() => this.remembered),
        served: () => this.served,
        contentAt: (path) => this.#contentAt(path),
        treeAt: async (path) => {
          await this.onTreeAt()
          return treeOf(new FolderPool(), path)
        },
        find: () =>
          Promise.resolve(
            accept({
              fileId,
              sizeBytes,
              peers: [...this.#peers],
              ticket: identity.publicKey,
              expiresMs: Date.now() + 600_000,
            }),
          ),
      },
      {
        onPart: (id) => (this.partId = id),
        onUnpacking: async (id) => this.#onUnpacking(id),
        onSelected: (selectedBytes) => (this.download.record = { ...this.download.record, selectedBytes }),
        onServing: (store) => this.onServing(store),
        onHave: (_store, index) => {
          this.had.push(index)
          this.onHave(index)
          this.#wake()
        },
        onComplete: async (_manifest, flushed) => {
          this.#flushed = flushed
          this.#wake()
          await flushed
        },
        onPaused: (why) => notice(`paused: ${why}`),
        onGoesOn: () => notice('goes on'),
        onReplaced: () => notice('replaced'),
        onFailed: (why) => notice(`failed: ${why}`),
        onNotice: notice,
      },
    )
  }

  /** What a library takes for what is there, though nothing of it is shared. */
  async #contentAt(path: string): Promise<Answer<LocalContent>> {
    const { library } = await oneLibrary(this.folder, this.#hashes)
    return library.contentAt({ group: 'g', name: 'file.bin', path })
  }

  #onUnpacking(id: string): void {
    this.unpackedId = id
    this.download.record = { ...this.download.record, unpacked: id }
    this.onUnpacking()
  }

  #inVain(what: string): string {
    return `waited in vain for ${what}: ${JSON.stringify([this.notices, this.had])}`
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}
