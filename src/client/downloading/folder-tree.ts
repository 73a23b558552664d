// Looks at the tree of a folder as soon as its pieces are there: what cannot be written is not fetched.

import { Failure } from '../../common/failure.ts'
import { lengthOfPiece, type FolderFacts } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import { pieceCount } from '../../common/pieces.ts'
import { layingOut } from '../../common/tree/layout.ts'
import { readTree } from '../../common/tree/tree.ts'
import {
  cannotBeFetched,
  isThatOfPieces,
  notThatOfPieces,
  type FolderContents,
} from '../folder/folder-contents.ts'
import { inSlices } from '../folder/in-slices.ts'
import type { PieceStore } from './piece-store.ts'

/** What a tree is used for when it is there. */
interface TreeUse {
  /** Remembers a good tree, which whoever shares the folder needs. */
  readonly keep: (tree: Buffer) => Promise<void>
  /**
   * Resolves to whether it was checked already, by a thread that needs it anyway. Rejects with a `protocol` failure when it
   * is bad.
   */
  readonly isChecked: (tree: Buffer) => Promise<boolean>
}

export class FolderTree {
  /** Rejects with a `protocol` failure as soon as the tree is known to be none, or not that of these pieces. */
  readonly isBad: Promise<never>
  readonly #store: PieceStore
  readonly #folder: FolderFacts
  readonly #use: TreeUse
  readonly #signal: AbortSignal
  #onBad: (error: unknown) => void = () => undefined
  #looked: Promise<void> | undefined

  constructor(store: PieceStore, folder: FolderFacts, use: TreeUse, signal: AbortSignal) {
    this.#store = store
    this.#folder = folder
    this.#use = use
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
    const contents = await checkTree(this.#folder, bytes, this.#signal)
    await this.#keep(bytes)
    return contents
  }

  async #look(): Promise<void> {
    try {
      const bytes = await readTreeOf(this.#store, this.#folder)
      if (!(await this.#use.isChecked(bytes))) await checkTree(this.#folder, bytes, this.#signal)
      await this.#keep(bytes)
    } catch (error) {
      // What could not be read may be there later.
      if (error instanceof Failure && error.code === 'file') this.#looked = undefined
      throw error
    }
  }

  #keep(tree: Buffer): Promise<void> {
    this.#signal.throwIfAborted()
    return this.#use.keep(tree)
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
  folder: FolderFacts,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<FolderContents> {
  const entries = await inSlices(readTree(bytes), signal)
  if ('problem' in entries) throw cannotBeFetched(entries.problem)
  const layout = await inSlices(layingOut(entries, folder.treeBytes), signal)
  const contents = layout && { entries, layout }
  if (contents === undefined || !isThatOfPieces(contents, folder)) throw cannotBeFetched(notThatOfPieces)
  return contents
}
