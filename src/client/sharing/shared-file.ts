// Reads the pieces of a shared file. While the file is as it was hashed, pieces are served without verifying. After
// somebody wrote to it, each piece is verified first: what is left of the shared version still helps downloaders, and
// no bad piece is sent. A file that was removed or replaced is not served.

import { fstatSync, statSync } from 'node:fs'
import { stat, type FileHandle } from 'node:fs/promises'
import { Bitfield } from '../../common/bitfield.ts'
import { sentenceOf, systemCode } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { verifyPiece } from '../hashing/piece-hash.ts'
import { PieceReader } from '../transfer/piece-reader.ts'
import { isOfSameFile, stampOf, type FileStamp } from './file-stamp.ts'
import { openFiles } from './open-files.ts'
import type { ContentEvents, OneFile, ServedContent } from './local-content.ts'

/**
 * Removing or replacing a file changes the times and link count of the open one, which are checked after each read.
 * Moving a folder above it does not, and some file systems do not keep them. So the path is checked too, this often.
 */
const pathLookMs = 100

export class SharedFile implements ServedContent, OneFile {
  readonly file: OneFile = this
  readonly looks = 1
  readonly changed: readonly string[] = []
  readonly manifest: Manifest
  readonly have: Bitfield
  readonly path: string
  readonly #stamp: FileStamp
  readonly #events: ContentEvents
  readonly #onClosed: () => void
  /** Made at the first read: few of thousands of shared files are ever requested. */
  #reader: PieceReader | undefined
  #pathLookedAtMs = Number.NEGATIVE_INFINITY
  #changed = false
  #gone = false
  #away = false
  #closed = false

  constructor(
    path: string,
    manifest: Manifest,
    stamp: FileStamp,
    events: ContentEvents,
    onClosed: () => void = () => undefined,
  ) {
    this.path = path
    this.manifest = manifest
    this.have = Bitfield.full(manifest.pieceCount)
    this.#stamp = stamp
    this.#events = events
    this.#onClosed = onClosed
  }

  read(index: number, buffer: Buffer): Promise<Answer<void>> {
    return this.#withFile((file) => this.#read(file, index, buffer))
  }

  async readAt(offset: number, into: Buffer): Promise<boolean> {
    if (this.#changed) return false
    const filled = await this.#withFile((file) => this.#fill(file, into, offset))
    return filled.ok && filled.value && !this.#changed
  }

  async lend<T>(use: (file: number) => Promise<T>): Promise<T | undefined> {
    const lent = await this.#withFile(async ({ fd }) => {
      const [used] = await Promise.allSettled([use(fd)])
      return accept(used)
    })
    if (!lent.ok) return undefined
    // That lies in what it was used for, not in this file.
    if (lent.value.status === 'rejected') throw lent.value.reason
    return lent.value.value
  }

  async look(): Promise<void> {
    if (this.#closed || this.#gone || this.#away) return
    try {
      const named = stampOf(await stat(this.path, { bigint: true }))
      if (this.#closed) return
      if (!isOfSameFile(named, this.#stamp)) {
        this.#refuseGone('the file was replaced')
        return
      }
      if (named !== this.#stamp) this.#noteChange()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#refuseAway(sentenceOf(error))
    }
  }

  close(): void {
    this.#closed = true
    openFiles.close(this)
    this.#onClosed()
  }

  async #withFile<T>(use: (file: FileHandle) => Promise<Answer<T>>): Promise<Answer<T>> {
    if (this.#closed) return notShared()
    if (this.#away) return notReadable()
    try {
      return await openFiles.use(this, this.path, use)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // Too many open files: says nothing about this one.
      if (['EMFILE', 'ENFILE'].includes(systemCode(error) ?? ''))
        return refuse('busy', 'too many files are open')
      return this.#refuseAway(sentenceOf(error))
    }
  }

  async #read(file: FileHandle, index: number, buffer: Buffer): Promise<Answer<void>> {
    const piece = buffer.subarray(0, pieceLength(this.manifest.sizeBytes, index))
    const filled = await this.#fill(file, piece, pieceOffset(index))
    if (!filled.ok) return filled
    if (filled.value && (!this.#changed || verifyPiece(this.manifest, index, piece))) return accept(undefined)
    return this.#refuseChanged(index)
  }

  /** Whether there are bytes for all of `into`. Looks then whether the file is what it was. Refuses when it is gone. */
  async #fill(file: FileHandle, into: Buffer, offset: number): Promise<Answer<boolean>> {
    this.#reader ??= new PieceReader()
    const bytesRead = await this.#reader.read(file, into, into.length, offset)
    // Another read has found that out meanwhile.
    if (this.#gone) return refuse('file-changed', 'the file is gone')
    // Checked after reading: a later write cannot have affected what was read.
    // Synchronous: it takes microseconds and happens for every piece.
    const stats = fstatSync(file.fd, { bigint: true })
    const opened = stampOf(stats)
    if (opened !== this.#stamp || stats.nlink === 0n || this.#isTimeForPath()) {
      const named = stampOf(statSync(this.path, { bigint: true }))
      if (!isOfSameFile(named, this.#stamp)) return this.#refuseGone('the file was replaced')
      if (opened !== this.#stamp || named !== this.#stamp) this.#noteChange()
    }
    return accept(bytesRead === into.length)
  }

  #isTimeForPath(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#pathLookedAtMs < pathLookMs) return false
    this.#pathLookedAtMs = nowMs
    return true
  }

  #noteChange(): void {
    // Once closed, the file may be anything.
    if (this.#changed || this.#closed) return
    this.#changed = true
    this.#events.onChanged(this.path)
  }

  #refuseChanged(index: number): Answer<never> {
    if (this.#closed) return notShared()
    this.#noteChange()
    this.have.clear(index)
    if (this.have.count === 0) return this.#refuseGone('nothing of the file is left')
    return refuse('piece-missing', 'the file changed on disk')
  }

  #refuseGone(sentence: string): Answer<never> {
    // Closing makes a read fail just as a missing file does.
    if (this.#closed) return notShared()
    if (!this.#gone) {
      this.#gone = true
      openFiles.close(this)
      this.#events.onGone()
    }
    return refuse('file-changed', sentence)
  }

  #refuseAway(sentence: string): Answer<never> {
    if (this.#closed) return notShared()
    if (!this.#away && !this.#gone) {
      this.#away = true
      openFiles.close(this)
      this.#events.onAway(sentence)
    }
    return notReadable()
  }
}

function notReadable(): Answer<never> {
  return refuse('file-changed', 'the file cannot be read at the moment')
}

function notShared(): Answer<never> {
  return refuse('not-shared', 'the file is no longer shared')
}
