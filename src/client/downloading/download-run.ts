// Runs a download from start to end: manifest, part file, swarm, final name. One abort signal ends it at any
// point, and everything it opened is closed before `ended` resolves.

import { Failure } from '../../common/failure.ts'
import type { FolderFacts, Manifest } from '../../common/manifest.ts'
import { pieceCount } from '../../common/pieces.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { MapCell, VerifyingView } from '../operations.ts'
import type { LinkEvidence } from '../diagnosis/evidence.ts'
import { orAborted } from '../../common/abortable.ts'
import type { SwarmPeer } from './arrivals.ts'
import { choosePart, storeTree, type ChosenPart } from './chosen-part.ts'
import type { PartsHere } from './known-blocks.ts'
import type { PiecesFrom } from './pieces-from.ts'
import { sentenceAbout } from './contacts.ts'
import { isFar } from './lane-plan.ts'
import type { PeerLink } from './peer-link.ts'
import { keepManifest, manifestFor } from './manifest-for.ts'
import { Filling } from './filling.ts'
import { FromHere } from './from-here.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import { checkTree, FolderTree } from './folder-tree.ts'
import { PartFile } from './part-file.ts'
import { mapOf } from './piece-map.ts'
import { PieceStore } from './piece-store.ts'
import { Swarm } from './swarm.ts'
import type { Taking } from './taking.ts'
import { settleSwap } from './swap.ts'
import { keptFolder, treePieces } from './tree-store.ts'
import { isPublished, publishFolder } from './unpacking.ts'
import type { RunHost, RunParts } from './run-parts.ts'
import { Verifying } from './verifying.ts'

/** Up to this many (128 MiB), all peers are used from the start; for more, the one that gave the manifest may be enough. */
const smallPieces = 256
/** How often the lookup may ask the trackers, in milliseconds. */
const tickMs = 250
/** How often to check that the part file is still in place and that nobody else writes to it. */
const lookAtPartMs = 1000
/** After this long without a connection, the download counts as alone. */
const aloneAfterMs = 1000

/** With what fetching begins. */
interface Beginning {
  readonly taking: Taking | undefined
  readonly parts: PartsHere | undefined
  /** That over which the manifest came. */
  readonly link: PeerLink | undefined
}

export class DownloadRun {
  /** Resolves when the run has ended and closed everything. Rejects for bugs only. */
  readonly ended: Promise<void>
  readonly #parts: RunParts
  readonly #host: RunHost
  readonly #abort = new AbortController()
  readonly #verifying: Verifying
  readonly #fromHere: FromHere
  #swarm: Swarm | undefined
  #store: PieceStore | undefined
  #tree: FolderTree | undefined
  /** Of a folder whose part file is open. */
  #filling: Filling | undefined
  /** Of a download of a part, as soon as it is known. */
  #part: ChosenPart | undefined
  #lastLinkedAtMs = performance.now()

  constructor(parts: RunParts, host: RunHost) {
    this.#parts = parts
    this.#host = host
    this.#verifying = new Verifying(parts.hashes)
    this.#fromHere = new FromHere(parts, host, this.#abort.signal)
    this.ended = this.#run()
  }

  get linkCount(): number {
    return this.#swarm?.linkCount ?? 0
  }

  /** The peers that are connected. */
  get links(): LinkEvidence[] {
    return this.#swarm?.links ?? []
  }

  /** See `PieceStore`. */
  get storingForMs(): number {
    return this.#store?.storingForMs ?? 0
  }

  /** Bytes that are here, but not in the part file. */
  get lentBytes(): number {
    return this.#filling?.lentBytes ?? 0
  }

  get bytesPerSecond(): number {
    return this.#swarm?.bytesPerSecond ?? 0
  }

  /** The connected peers. */
  get peers(): SwarmPeer[] {
    return this.#swarm?.peers ?? []
  }

  /** How the pieces stand; empty while the part file is not open. */
  get map(): MapCell[] {
    return this.#store === undefined
      ? []
      : mapOf(this.#store, (index) => this.#swarm?.standingOf(index) ?? 'nowhere')
  }

  /** Verified pieces by peer in this run; undefined before the swarm exists. */
  get piecesByPeer(): ReadonlyMap<string, PiecesFrom> | undefined {
    return this.#swarm?.piecesByPeer
  }

  /** Number of pieces verified and written; undefined while unknown. */
  get piecesDone(): number | undefined {
    return this.#store?.have.count
  }

  /** What is being verified; undefined for nothing. */
  get verifying(): VerifyingView | undefined {
    return this.#verifying.view()
  }

  /** How long no peer has been connected, in milliseconds. */
  get aloneMs(): number {
    return this.linkCount > 0 ? 0 : performance.now() - this.#lastLinkedAtMs
  }

  /** Ends the run; see `ended`. */
  abort(): void {
    this.#abort.abort(new Failure('file', 'the download was stopped'))
  }

  /** Peers were found, or there is a newer ticket. */
  onNews(joined: readonly Peer[]): void {
    this.#swarm?.onTicket(this.#host.lookup.ticket)
    this.#swarm?.onPeers(joined)
  }

  onPeersLeft(keys: readonly string[]): void {
    this.#swarm?.onPeersLeft(keys)
  }

  async #run(): Promise<void> {
    const tick = setInterval(() => this.#onTick(), tickMs)
    let trouble: Failure | undefined
    try {
      await this.#steps()
    } catch (error) {
      // After an abort, ignore failures: the abort causes some, e.g. a closed connection.
      if (!(error instanceof Failure)) throw error
      if (!this.#abort.signal.aborted) trouble = error
    } finally {
      clearInterval(tick)
      trouble = (await this.#close(trouble)) ?? trouble
    }
    if (trouble !== undefined) this.#host.onTrouble(trouble)
  }

  async #steps(): Promise<void> {
    const { signal } = this.#abort
    // Before anything else: nobody may be found for long, and until then nothing would be at the destination.
    await settleSwap(this.#host.record, this.#parts.treeAt, 'new')
    const { manifest, link } = await manifestFor(this.#parts, this.#host, signal)
    let isLinkUsed = false
    try {
      if (!this.#host.step('manifest')) return
      const { name, within, destination } = this.#host.record
      if (within !== undefined && manifest.folder === undefined)
        throw this.#nothing(`${name} is a file now, not a folder`)
      const part = new PartFile(destination)
      if (await isPublished(manifest, part, this.#host.record, this.#verifying, signal)) {
        await this.#complete(manifest, Promise.resolve())
        return
      }
      const store = await this.#open(manifest, part)
      if (link !== undefined) keepManifest(this.#parts.manifests, manifest, this.#host)
      if (!store.isWhole) await this.#fromHere.open()
      for (;;) {
        if (!this.#isComplete(store)) {
          if (!this.#host.step('opened')) return
          await this.#fetch(store, isLinkUsed ? undefined : link)
          isLinkUsed = true
          if (!this.#isComplete(store)) await this.#chooseFetched(store)
        }
        if (!this.#host.step('whole')) return
        const published = await this.#publish(store)
        if (published !== undefined) {
          await this.#complete(manifest, published.flushed)
          return
        }
        this.#host.step('incomplete')
        await this.#recover(store)
      }
    } finally {
      if (!isLinkUsed) link?.close('not needed')
    }
  }

  /** Somebody has changed what was to be published. */
  async #recover(store: PieceStore): Promise<void> {
    const { path, destination } = store.part
    const [changed, what] = store.isWhole
      ? [path, 'it is verified again']
      : [destination, 'what is missing now is fetched']
    this.#host.onNotice(`${changed} was changed by another program; ${what}`)
    this.#fromHere.onChanged()
    if (!store.isWhole || (await store.recheck(this.#abort.signal))) this.#host.onLost(store)
    this.#lastLinkedAtMs = performance.now()
  }

  /** Whether all pieces are there, and it is known which they are. */
  #isComplete(store: PieceStore): boolean {
    return store.isWhole && (this.#host.record.within === undefined || this.#part !== undefined)
  }

  /** Chooses the part of the folder by the tree that has been fetched, and fetches it. */
  async #chooseFetched(store: PieceStore): Promise<void> {
    const { folder } = store.manifest
    if (folder === undefined) throw new Error('only a folder has parts')
    const chosen = await this.#choose(await this.#treeOf(store, folder).read())
    if (chosen === undefined) return
    store.want(chosen.pieces)
    this.#host.onSelected(chosen.selection.sizeBytes, store)
    await this.#fetch(store, undefined)
  }

  /** Undefined when the download is of the whole. Rejects when there is no such part: that ends it for good. */
  async #choose(contents: FolderContents): Promise<ChosenPart | undefined> {
    const { signal } = this.#abort
    const { name, within } = this.#host.record
    if (within === undefined) return undefined
    const chosen = await choosePart(contents, { name, within }, signal)
    if (!chosen.ok) throw this.#nothing(chosen.refusal.sentence)
    this.#part = chosen.value
    return chosen.value
  }

  #nothing(why: string): Failure {
    this.#host.onNothing(why)
    return new Failure('protocol', why)
  }

  /** Undefined when somebody else has written to the part file. */
  #publish(store: PieceStore): Promise<{ flushed: Promise<void> } | undefined> {
    const { record } = this.#host
    const { part } = store
    const { folder } = store.manifest
    const filling = this.#filling
    if (folder === undefined || filling === undefined) return part.publish(record.overwrite)
    const { destination, overwrite, replaces } = record
    const { treeAt } = this.#parts
    const tree = this.#tree ?? this.#treeOf(store, folder)
    const check = (): Promise<void> => tree.checked()
    return publishFolder({
      part,
      filling,
      destination,
      selection: this.#part?.selection,
      overwrite,
      replaces,
      treeAt,
      check,
      onMade: (id) => this.#host.onUnpacking(id),
    })
  }

  #treeOf(store: PieceStore, folder: FolderFacts): FolderTree {
    const { fileId, within } = this.#host.record
    const filling = within === undefined ? this.#filling : undefined
    const use = {
      keep: (tree: Buffer) => this.#parts.manifests.saveTree(fileId, tree),
      isChecked: async (tree: Buffer) => filling?.onTree(tree, store.have) ?? false,
    }
    return new FolderTree(store, folder, use, this.#abort.signal)
  }

  async #open(manifest: Manifest, part: PartFile): Promise<PieceStore> {
    const { storing, journal } = this.#parts
    const hashes = this.#verifying
    const { part: partId, within, overwrite } = this.#host.record
    const onHave = (index: number): void => {
      this.#tree?.onHave()
      this.#filling?.onHave(index)
      this.#host.onHave(store, index)
    }
    const { signal } = this.#abort
    const { folder } = manifest
    const kept = within === undefined ? undefined : await keptFolder(this.#parts.manifests, manifest.fileId)
    if (kept !== undefined && folder !== undefined)
      await this.#choose(await checkTree(folder, kept.tree, signal))
    const inTree = within === undefined ? undefined : folder && treePieces(manifest, folder.treeBytes)
    await this.#parts.remembered
    const replacesFile = overwrite && folder === undefined
    const options = { partId, signal, wanted: this.#part?.pieces ?? inTree, replacesFile }
    const store = await PieceStore.open(manifest, { part, journal, hashes, storing }, onHave, options)
    this.#store = store
    this.#filling = folder && this.#newFilling(folder, part)
    this.#lastLinkedAtMs = performance.now()
    this.#host.onPart(part.id)
    this.#host.onServing(store)
    if (this.#part !== undefined) this.#host.onSelected(this.#part.selection.sizeBytes, store)
    if (kept !== undefined) await storeTree(store, kept.tree)
    return store
  }

  #newFilling(folder: FolderFacts, part: PartFile): Filling {
    const { destination, unpacked: known, replaces } = this.#host.record
    const onMade = (id: string): Promise<void> => this.#host.onUnpacking(id)
    return new Filling({ folder, part: part.descriptor, destination, known, replaces, onMade })
  }

  /** Resolves when every piece that is wanted is verified, and written or lent. */
  async #fetch(store: PieceStore, link: PeerLink | undefined): Promise<void> {
    const taking = this.#fromHere.begin(store, this.#filling, link)
    try {
      const parts = await taking?.searched
      // Where all comes from here nobody need be asked.
      if (taking !== undefined && store.have.count + taking.coming.size >= store.wantedCount)
        await taking.ended
      if (store.isWhole) link?.close('not needed')
      else await this.#fetchRest(store, { taking, parts, link })
    } finally {
      await taking?.stop()
    }
  }

  /** Likewise, of peers what does not come from here. Makes the swarm in the turn of the call. */
  async #fetchRest(store: PieceStore, { taking, parts, link }: Beginning): Promise<void> {
    const { lookup, record, notes, rank, wishes } = this.#host
    const { folder } = store.manifest
    const first = folder && pieceCount(folder.treeBytes)
    let look: NodeJS.Timeout | undefined
    const fetched = new Promise<void>((resolve, reject) => {
      const swarm = new Swarm(
        this.#parts.network,
        store,
        { ticket: lookup.ticket, notes, rank, parts, fromHere: taking?.coming, first, wishes },
        {
          onComplete: resolve,
          onFailure: reject,
          onMisbehaved: (misdeed) => this.#host.onNotice(sentenceAbout(misdeed, record.name)),
          onTicketRefused: () => lookup.onTicketRefused(),
        },
      )
      this.#swarm = swarm
      taking?.onSwarm(swarm)
      taking?.ended.catch(reject)
      look = setInterval(() => void store.lookAtPart().catch(reject), lookAtPartMs)
    })
    this.#tree = folder && this.#treeOf(store, folder)
    const isSmall = store.wantedCount <= smallPieces
    // To a far peer another one would take round trips.
    if (link !== undefined && (!isSmall || isFar(link.pace.roundTripMs))) this.#swarm?.onLink(link, !isSmall)
    else link?.close('not needed')
    this.#swarm?.onPeers(lookup.peers)
    try {
      await orAborted(Promise.race([fetched, this.#tree?.isBad ?? fetched]), this.#abort.signal)
    } finally {
      clearInterval(look)
      // Keep the swarm: the number of pieces by peer is shown after the end too.
      this.#swarm?.stop()
    }
  }

  async #complete(manifest: Manifest, flushed: Promise<void>): Promise<void> {
    await this.#parts.journal.remove()
    if (this.#host.step('published')) await this.#host.onPublished(manifest, flushed)
  }

  #onTick(): void {
    if (this.linkCount > 0) this.#lastLinkedAtMs = performance.now()
    this.#host.lookup.onTick(performance.now(), this.aloneMs > aloneAfterMs)
  }

  /** Returns the failure if closing fails: a disk may report failed writes only then. */
  async #close(trouble: Failure | undefined): Promise<Failure | undefined> {
    this.#swarm?.stop()
    this.#fromHere.close()
    await this.#filling?.close(trouble !== undefined)
    try {
      await this.#store?.close()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return error
    }
    return undefined
  }
}
