// Looks at the tree of a folder as soon as its pieces are there: what cannot be written is not fetched.

import { Failure } from '../../common/failure.ts'
import { lengthOfPiece, type FolderFacts, type Manifest } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import { pieceCount } from '../../common/pieces.ts'
import { layingOut, type Layout } from '../../common/tree/layout.ts'
import { readTree, type TreeEntry } from '../../common/tree/tree.ts'
import { inSlices } from '../folder/in-slices.ts'
import type { PieceStore } from './piece-store.ts'

export interface FolderContents {
  readonly entries: readonly TreeEntry[]
  readonly layout: Layout
}

export class FolderTree {
  /** Rejects with a `protocol` failure as soon as the tree is known to be none, or not that of these pieces. */
  readonly isBad: Promise<never>
  readonly #store: PieceStore
  readonly #folder: FolderFacts
  readonly #keep: (tree: Buffer) => Promise<void>
  readonly #signal: AbortSignal
  #onBad: (error: unknown) => void = () => undefined
  #looked: Promise<void> | undefined

  /** `keep`: remembers a good tree, which whoever shares the folder needs. */
  constructor(
    store: PieceStore,
    folder: FolderFacts,
    keep: (tree: Buffer) => Promise<void>,
    signal: AbortSignal,
  ) {
    this.#store = store
    this.#folder = folder
    this.#keep = keep
    this.#signal = signal
    this.isBad = new Promise((_resolve, reject) => (this.#onBad = reject))
    // It may reject before anyone listens, and an unhandled rejection ends the program.
    this.isBad.catch(() => undefined)
    this.onHave()
  }

  /** Another piece is there. */
  onHave(): void {
    if (this.#looked !== undefined) return
    for (let index = 0; index < pieceCount(this.#folder.treeBytes); index++)
      if (!this.#store.have.has(index)) return
    this.checked().catch(this.#onBad)
  }

  /**
   * Resolves when the tree is that of these pieces, which have to be there, and is kept; rejects likewise, or with a `file`
   * failure when it cannot be read or kept.
   */
  checked(): Promise<void> {
    this.#looked ??= this.#look()
    return this.#looked
  }

  /** What is in the tree, whose pieces have to be there. It is kept. Rejects likewise. */
  async read(): Promise<FolderContents> {
    const bytes = await readTreeOf(this.#store, this.#folder)
    const contents = await checkTree(this.#store.manifest, this.#folder, bytes, this.#signal)
    this.#signal.throwIfAborted()
    await this.#keep(bytes)
    return contents
  }

  async #look(): Promise<void> {
    try {
      await this.read()
    } catch (error) {
      // What could not be read may be there later.
      if (error instanceof Failure && error.code === 'file') this.#looked = undefined
      throw error
    }
  }
}

/** The bytes of the tree. Rejects with a `file` failure. */
async function readTreeOf(store: PieceStore, { treeBytes }: FolderFacts): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let index = 0; index < pieceCount(treeBytes); index++) {
    const buffer = Buffer.alloc(pieceBytes)
    const read = await store.read(index, buffer)
    if (!read.ok) throw new Failure('file', read.refusal.sentence)
    parts.push(buffer.subarray(0, lengthOfPiece(store.manifest, index)))
  }
  return Buffer.concat(parts)
}

/** Rejects with a `protocol` failure for a tree that is none, or not that of the pieces; or with the signal's reason. */
export async function checkTree(
  manifest: Manifest,
  { treeBytes, files, offsets }: FolderFacts,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<FolderContents> {
  const entries = await inSlices(readTree(bytes), signal)
  if ('problem' in entries) throw new Failure('protocol', `it cannot be fetched: ${entries.problem}`)
  const layout = await inSlices(layingOut(entries, treeBytes), signal)
  const isThat =
    layout?.lengths.length === manifest.pieceCount &&
    layout.lengths.every((length, index) => length === (offsets[index + 1] ?? 0) - (offsets[index] ?? 0)) &&
    entries.filter(({ kind }) => kind !== 'folder').length === files
  if (layout === undefined || !isThat)
    throw new Failure('protocol', 'it cannot be fetched: the list of its files is not that of its pieces')
  return { entries, layout }
}
