// A complete file that is shared. As long as the file on disk is as it was hashed, its pieces are served
// as they are read. Once it was written to, each is verified before it goes out: what is left of the
// shared version helps those who are getting it, and no bad piece leaves. A file that was removed, or
// that another has taken the place of, is not served at all.

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
import type { PieceSource } from './piece-source.ts'

/**
 * Removing a file, or putting another in its place, changes the times and the link count of the one that is
 * open, which is looked at after each read. A folder above it that is moved does not, nor does every file
 * system keep these: so the path itself is looked at too, this often.
 */
const pathLookMs = 100

export interface SharedFileEvents {
  /** The file was written to; told once. From here on `have` loses the pieces that are found changed. */
  onChanged(): void
  /** There is nothing to serve any more: another file is there, or not one piece of it is left. Told once. */
  onGone(): void
  /** It cannot be read at present, for this reason: removed, or on a disk that is away. Told once; not read again. */
  onAway(why: string): void
}

export class SharedFile implements PieceSource {
  readonly manifest: Manifest
  readonly have: Bitfield
  readonly path: string
  readonly #stamp: FileStamp
  readonly #events: SharedFileEvents
  readonly #reader = new PieceReader()
  #pathLookedAtMs = Number.NEGATIVE_INFINITY
  #changed = false
  #gone = false
  #away = false
  #closed = false

  constructor(path: string, manifest: Manifest, stamp: FileStamp, events: SharedFileEvents) {
    this.path = path
    this.manifest = manifest
    this.have = Bitfield.full(manifest.pieceCount)
    this.#stamp = stamp
    this.#events = events
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    if (this.#closed) return notShared()
    if (this.#away) return notReadable()
    try {
      return await openFiles.use(this, this.path, (file) => this.#read(file, index, buffer))
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // Too many open files says nothing about this one: another time it can be read.
      if (['EMFILE', 'ENFILE'].includes(systemCode(error) ?? ''))
        return refuse('busy', 'too many files are open')
      return this.#refuseAway(sentenceOf(error))
    }
  }

  /** Looks whether the file is still what it was, without reading it. Called every now and then. Never rejects. */
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

  /** Reads that are under way are refused, without a word that the file changed. */
  close(): void {
    this.#closed = true
    openFiles.close(this)
  }

  async #read(file: FileHandle, index: number, buffer: Buffer): Promise<Answer<void>> {
    const length = pieceLength(this.manifest.sizeBytes, index)
    const bytesRead = await this.#reader.read(file, buffer, length, pieceOffset(index))
    // Seen while this was being read.
    if (this.#gone) return refuse('file-changed', 'the file is gone')
    // Looked at after reading, not before: whoever writes after this look did not write what was read.
    // At once, without a thread: it takes microseconds, and is done for every piece.
    const stats = fstatSync(file.fd, { bigint: true })
    const opened = stampOf(stats)
    if (opened !== this.#stamp || stats.nlink === 0n || this.#isTimeForPath()) {
      const named = stampOf(statSync(this.path, { bigint: true }))
      if (!isOfSameFile(named, this.#stamp)) return this.#refuseGone('the file was replaced')
      if (opened !== this.#stamp || named !== this.#stamp) this.#noteChange()
    }
    if (bytesRead === length && !this.#changed) return accept(undefined)
    if (bytesRead === length && verifyPiece(this.manifest, index, buffer.subarray(0, length)))
      return accept(undefined)
    return this.#refuseChanged(index)
  }

  #isTimeForPath(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#pathLookedAtMs < pathLookMs) return false
    this.#pathLookedAtMs = nowMs
    return true
  }

  #noteChange(): void {
    // A file that was closed under a read may be anything by now.
    if (this.#changed || this.#closed) return
    this.#changed = true
    this.#events.onChanged()
  }

  #refuseChanged(index: number): Answer<void> {
    if (this.#closed) return notShared()
    this.#noteChange()
    this.have.clear(index)
    if (this.have.count === 0) return this.#refuseGone('nothing of the file is left')
    return refuse('piece-missing', 'the file changed on disk')
  }

  #refuseGone(sentence: string): Answer<void> {
    // A file that was closed under a read fails it as a file that is gone would.
    if (this.#closed) return notShared()
    if (!this.#gone) {
      this.#gone = true
      openFiles.close(this)
      this.#events.onGone()
    }
    return refuse('file-changed', sentence)
  }

  #refuseAway(sentence: string): Answer<void> {
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
  return refuse('file-changed', 'the file cannot be read at present')
}

function notShared(): Answer<void> {
  return refuse('not-shared', 'the file is not shared any more')
}
