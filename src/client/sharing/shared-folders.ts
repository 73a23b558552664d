// Folders as contents that are shared. What a folder consists of is kept beside its manifest, with the stamps of its
// files: so the next login looks at 100,000 files in a second, and hashes only what may have changed.

import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Failure } from '../../common/failure.ts'
import { pieceCountMax } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { readTree } from '../../common/tree/tree.ts'
import { FolderPieces, folderTree } from '../folder/folder-pieces.ts'
import { decodeStamps, encodeStamps, type FolderStamps } from '../folder/folder-stamps.ts'
import { inSlices } from '../folder/in-slices.ts'
import type { ScanOptions } from '../folder/scan.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { ScannedFolder } from '../workers/folder-pool.ts'
import { canRead } from './absent-file.ts'
import type { FileStamp } from './file-stamp.ts'
import type { HashingTurn } from './hashing-files.ts'
import {
  awayProblem,
  changedProblem,
  type ContentKind,
  type LocalContent,
  type NamedPath,
  type Problem,
  type TakeOptions,
} from './local-content.ts'
import { isItsTree, manifestOfFolder } from './folder-hashing.ts'
import type { FolderParts, KnownFolder } from './known-folder.ts'
import { verifyAgain } from './verify-again.ts'
import { SharedFolder } from './shared-folder.ts'

/** What is kept of a folder that was shared. */
interface Kept {
  readonly pieces: FolderPieces
  readonly stamps: FolderStamps | undefined
}

/** Hashing so much takes a millisecond. */
const hashedBytesAtOnce = 1024 * 1024

export class SharedFolders implements ContentKind {
  readonly #parts: FolderParts

  constructor(parts: FolderParts) {
    this.#parts = parts
  }

  take(file: NamedPath, _stamp: FileStamp, options: TakeOptions): Promise<Answer<LocalContent>> {
    const { hashing } = this.#parts
    return refusing(() => hashing.inTurn(file, 0, (turn) => this.#take(file.path, options, turn)))
  }

  async again(share: RememberedShare, isOver: () => boolean): Promise<LocalContent | Problem | undefined> {
    const { path, fileId } = share
    const { manifests, folders } = this.#parts
    if (!(await canRead(path, true))) return awayProblem(path)
    const manifest = manifests.load(fileId)
    const known = manifest && (await this.#kept(path, manifest, share.stamp))
    if (isOver()) return undefined
    if (manifest === undefined || known === undefined) return this.#takeAgain(share, isOver)
    const { pieces, stamps: kept } = known
    const now = await folders.stampsOf(pieces)
    if (isOver()) return undefined
    const verified = await refusing(() => verifyAgain({ share, manifest, pieces, kept, now }, this.#parts))
    if (isOver()) return undefined
    if (!verified.ok) return { sentence: verified.refusal.sentence, isAway: !(await canRead(path, true)) }
    if (verified.value === undefined) return changedProblem(path)
    return this.#content(verified.value, verified.value.stamps !== kept)
  }

  async adopt({ path }: NamedPath, manifest: Manifest): Promise<LocalContent | undefined> {
    const kept = await this.#kept(path, manifest, undefined)
    if (kept === undefined || !(await canRead(path, true))) return undefined
    const { pieces } = kept
    const stamps = await this.#parts.folders.stampsOf(pieces)
    return this.#content({ manifest, pieces, stamps, changed: [], lostPieces: [] }, true)
  }

  async #take(root: string, { skipSpecial }: TakeOptions, turn: HashingTurn): Promise<Answer<LocalContent>> {
    const { folders, hashes } = this.#parts
    const apart = await this.#apart()
    const scan = await folders.scan(root, { skipSpecial, apart }, turn.signal)
    if (!scan.ok) return scan
    const { entries, tree: bytes, spellings, stamps } = scan.value
    const tree = await folderTree(
      entries,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      spellings,
    )
    if (tree === undefined)
      return refuse('local-file', `${root} is too large: a folder may have ${pieceCountMax} pieces`)
    const pieces = new FolderPieces(root, tree)
    const hashed = await manifestOfFolder(pieces, stamps, await this.#before(root), hashes, turn)
    if (!hashed.ok) return hashed
    const folder = { ...hashed.value, pieces, stamps, lostPieces: [] }
    return accept({ ...(await this.#content(folder, true)), ...skippedIn(scan.value) })
  }

  /** What is known of the folder by another share of it, or an earlier version. */
  async #before(root: string): Promise<KnownFolder | undefined> {
    const { store, manifests } = this.#parts
    const share = store.shares().find(({ path, files }) => path === root && files !== undefined)
    const manifest = share && manifests.load(share.fileId)
    const kept = manifest && (await this.#kept(root, manifest, share.stamp))
    if (manifest === undefined || kept?.stamps === undefined) return undefined
    const { pieces, stamps } = kept
    return { manifest, pieces, stamps, changed: [], lostPieces: [] }
  }

  /** Without what was kept of it, the whole folder has to be hashed. */
  async #takeAgain(
    share: RememberedShare,
    isOver: () => boolean,
  ): Promise<LocalContent | Problem | undefined> {
    const { path, fileId } = share
    const taken = await this.take(share, '', { skipSpecial: true })
    if (isOver()) return undefined
    if (!taken.ok) return { sentence: taken.refusal.sentence, isAway: !(await canRead(path, true)) }
    return taken.value.manifest.fileId === fileId ? taken.value : changedProblem(path)
  }

  /**
   * By the tree that is kept; undefined when none is that of the manifest. Without stamps when those that are kept are
   * not the ones that the record of the share names.
   */
  async #kept(root: string, manifest: Manifest, stamp: FileStamp | undefined): Promise<Kept | undefined> {
    const { manifests } = this.#parts
    const bytes = manifests.loadTree(manifest.fileId)
    if (bytes === undefined || !(await isItsTree(manifest, bytes))) return undefined
    const entries = await inSlices(readTree(bytes))
    if ('problem' in entries) return undefined
    const stored = manifests.loadStamps(manifest.fileId)
    const decoded = stored && decodeStamps(stored, entries.length)
    const tree = await folderTree(entries, bytes, decoded?.spellings ?? [])
    if (tree === undefined) return undefined
    const isNamed = stored !== undefined && (await inSlices(stampOfFolder(stored))) === stamp
    return { pieces: new FolderPieces(root, tree), stamps: isNamed ? decoded?.stamps : undefined }
  }

  async #content(folder: KnownFolder, isNew: boolean): Promise<LocalContent> {
    const { manifests, folders } = this.#parts
    const { manifest, pieces, stamps } = folder
    const encoded = encodeStamps(stamps, pieces.tree.spellings)
    return {
      manifest,
      stamp: await inSlices(stampOfFolder(encoded)),
      isNew,
      tree: pieces.tree.bytes,
      save: async () => {
        await manifests.saveTree(manifest.fileId, pieces.tree.bytes)
        await manifests.saveStamps(manifest.fileId, encoded)
        await manifests.save(manifest)
      },
      serve: (events) => new SharedFolder(folder, folders, events),
    }
  }

  /** What must not be shared by mistake: our keys and passwords, and what is not there yet. */
  async #apart(): Promise<ScanOptions['apart']> {
    const { store, manifests } = this.#parts
    const unfinished = store.downloads().flatMap(({ part, unpacked }) => [part, unpacked])
    const data = await stat(manifests.dataFolder).catch(() => undefined)
    return [
      ...(data === undefined
        ? []
        : [[`${data.dev}:${data.ino}`, 'is the data folder of this client, with its key'] as const]),
      ...unfinished
        .filter((id) => id !== undefined)
        .map((id) => [id.split(':', 2).join(':'), 'is being downloaded'] as const),
    ]
  }
}

/** What the record of a share says of it: which stamps are kept for it. */
function* stampOfFolder(encoded: Uint8Array): Generator<void, FileStamp> {
  const hash = createHash('sha256')
  for (let at = 0; at < encoded.length; at += hashedBytesAtOnce) {
    hash.update(encoded.subarray(at, at + hashedBytesAtOnce))
    yield
  }
  return `folder:${hash.digest('hex')}`
}

function skippedIn({ skipped, skippedCount }: ScannedFolder): Pick<LocalContent, 'skipped'> {
  return skippedCount === 0 ? {} : { skipped: { paths: skipped, count: skippedCount } }
}

async function refusing<T>(work: () => Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return refuse('local-file', error.message)
  }
}
