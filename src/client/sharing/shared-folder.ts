// Reads the pieces of a shared folder: those of its tree from memory, the others from its files. A piece is verified
// before it is sent when one of its files is not what it was; so what is left of the shared version still helps
// downloaders. Files are looked at in turn, a few each second.

import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Bitfield } from '../../common/bitfield.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { lengthOfPiece, type Manifest } from '../../common/manifest.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { isStampOf } from '../folder/folder-stamps.ts'
import { verifyPiece } from '../hashing/piece-hash.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import type { ContentEvents, ServedContent } from './local-content.ts'
import type { KnownFolder } from './known-folder.ts'

export class SharedFolder implements ServedContent {
  readonly file = undefined
  readonly manifest: Manifest
  readonly have: Bitfield
  readonly looks: number
  readonly #folder: KnownFolder
  readonly #pool: FolderPool
  readonly #events: ContentEvents
  /** Files that are not what they were, by their numbers in the tree. */
  readonly #changed: Set<number>
  /** The entry that is looked at next. */
  #next = 0
  #isToldChanged = false
  #away = false
  #gone = false
  #closed = false

  constructor(folder: KnownFolder, pool: FolderPool, events: ContentEvents) {
    this.#folder = folder
    this.#pool = pool
    this.#events = events
    this.manifest = folder.manifest
    this.looks = Math.max(1, folder.pieces.tree.entries.length)
    this.#changed = new Set(folder.changed)
    this.have = Bitfield.full(folder.manifest.pieceCount)
    for (const piece of folder.lostPieces) this.have.clear(piece)
    // Not at once: whoever makes this has yet to offer it.
    if (this.#changed.size > 0) void setImmediate().then(() => this.#tellChanged())
  }

  /** The paths of files that are not what they were. */
  get changed(): string[] {
    return [...this.#changed].map((entry) => this.#folder.pieces.pathOf(entry))
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    if (this.#closed) return notShared()
    if (this.#away) return notReadable()
    const { pieces, stamps } = this.#folder
    const { bytes, layout } = pieces.tree
    if (index < layout.treePieces) {
      bytes.copy(buffer, 0, index * pieceBytes, (index + 1) * pieceBytes)
      return accept(undefined)
    }
    try {
      const faults = await this.#pool.read(pieces, index, stamps, buffer)
      if (this.#closed) return notShared()
      if (faults.length === 0) return accept(undefined)
      if (!(await this.#isThere())) return notReadable()
      for (const { entry } of faults) this.#noteChange(entry)
      const isWhole = faults.every(({ state }) => state === 'changed')
      const length = lengthOfPiece(this.manifest, index)
      if (isWhole && verifyPiece(this.manifest, index, buffer.subarray(0, length))) return accept(undefined)
      return this.#lose(index)
    } catch (error) {
      // Too many open files, or the thread that reads was ended: says nothing about the folder.
      if (error instanceof Failure || ['EMFILE', 'ENFILE'].includes(systemCode(error) ?? ''))
        return refuse('busy', 'the folder cannot be read at the moment')
      throw error
    }
  }

  async look(): Promise<void> {
    if (this.#closed || this.#gone || this.#away) return
    const { pieces, stamps } = this.#folder
    const { entries } = pieces.tree
    const entry = this.#next
    this.#next = (entry + 1) % this.looks
    const { kind } = entries[entry] ?? { kind: 'folder' }
    if (kind === 'folder' || this.#changed.has(entry)) {
      // Where there are no files, the folder itself has to be looked at.
      await this.#isThere()
      return
    }
    try {
      const stats = await lstat(join(pieces.root, pieces.pathOf(entry)), { bigint: true })
      if (!this.#closed && !isStampOf(stamps, entry, stats)) this.#noteChange(entry)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      if (await this.#isThere()) this.#noteChange(entry)
    }
  }

  close(): void {
    this.#closed = true
  }

  /** Whether the folder itself is there; tells once when it is not. */
  async #isThere(): Promise<boolean> {
    let why: string
    try {
      if ((await stat(this.#folder.pieces.root)).isDirectory()) return true
      why = 'it is no folder any more'
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      why = sentenceOf(error)
    }
    if (this.#closed || this.#away || this.#gone) return false
    this.#away = true
    this.#events.onAway(why)
    return false
  }

  #noteChange(entry: number): void {
    if (this.#closed) return
    this.#changed.add(entry)
    this.#tellChanged()
  }

  #tellChanged(): void {
    const [first] = this.#changed
    if (this.#isToldChanged || this.#closed || first === undefined) return
    this.#isToldChanged = true
    this.#events.onChanged(join(this.#folder.pieces.root, this.#folder.pieces.pathOf(first)))
  }

  #lose(index: number): Answer<void> {
    this.have.clear(index)
    if (this.have.count > this.#folder.pieces.tree.layout.treePieces)
      return refuse('piece-missing', 'a file of the folder changed on disk')
    if (!this.#gone) {
      this.#gone = true
      this.#events.onGone()
    }
    return refuse('file-changed', 'nothing of the folder is left')
  }
}

function notReadable(): Answer<never> {
  return refuse('file-changed', 'the folder cannot be read at the moment')
}

function notShared(): Answer<never> {
  return refuse('not-shared', 'the folder is not shared any more')
}
