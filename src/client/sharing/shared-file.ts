// A complete file that is shared: serves its pieces as long as the file on disk is the one that was
// hashed. A changed file is never served from: its pieces would not match their hashes.

import { constants, fstatSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { Bitfield } from '../../common/bitfield.ts'
import { sentenceOf, systemCode } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { stampOf, type FileStamp } from './file-stamp.ts'
import type { PieceSource } from './piece-source.ts'

export class SharedFile implements PieceSource {
  readonly manifest: Manifest
  readonly have: Bitfield
  readonly path: string
  readonly #stamp: FileStamp
  readonly #onChanged: () => void
  #file: Promise<FileHandle> | undefined
  #changed = false
  #closed = false

  /** `onChanged` is called once, when the file is found not to be what it was. */
  constructor(path: string, manifest: Manifest, stamp: FileStamp, onChanged: () => void) {
    this.path = path
    this.manifest = manifest
    this.have = Bitfield.full(manifest.pieceCount)
    this.#stamp = stamp
    this.#onChanged = onChanged
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    if (this.#closed) return notShared()
    try {
      const file = await this.#opened()
      const length = pieceLength(this.manifest.sizeBytes, index)
      const { bytesRead } = await file.read(buffer, 0, length, pieceOffset(index))
      // Looked at after reading, not before: whoever writes after this look did not write what was read.
      // At once, without a thread: it takes microseconds, and is done for every piece.
      const opened = stampOf(fstatSync(file.fd, { bigint: true }))
      const named = stampOf(statSync(this.path, { bigint: true }))
      if (bytesRead === length && opened === this.#stamp && named === this.#stamp) return accept(undefined)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // Too many open files says nothing about this one: another time it can be read.
      if (['EMFILE', 'ENFILE'].includes(systemCode(error) ?? '')) {
        this.#file = undefined
        return refuse('busy', 'too many files are open')
      }
      return this.#refuseChanged(sentenceOf(error))
    }
    return this.#refuseChanged('the file changed on disk')
  }

  /** Reads that are under way are refused, without a word that the file changed. */
  async close(): Promise<void> {
    this.#closed = true
    const file = this.#file
    this.#file = undefined
    await file?.then((opened) => opened.close()).catch(() => undefined)
  }

  /** Without waiting, should somebody have put a pipe there. Opened at the first read and kept: most shared files are not asked for most of the time. */
  #opened(): Promise<FileHandle> {
    this.#file ??= open(this.path, constants.O_RDONLY | constants.O_NONBLOCK)
    return this.#file
  }

  #refuseChanged(sentence: string): Answer<void> {
    // A file that was closed under a read fails it as a file that is gone would.
    if (this.#closed) return notShared()
    if (!this.#changed) {
      this.#changed = true
      this.#onChanged()
    }
    return refuse('file-changed', sentence)
  }
}

function notShared(): Answer<void> {
  return refuse('not-shared', 'the file is not shared any more')
}
