// The files that one downloader has opened, and the new pieces it has yet to be told of: a downloader that is behind
// with reading is told nothing more until it has caught up.

import { Bitfield } from '../../common/bitfield.ts'
import type { Channel } from '../../common/wire/channel.ts'
import { openedFilesMax } from './limits.ts'

/** The part of a channel that matters here. */
type Reader = Pick<Channel, 'isBehind' | 'isClosed' | 'whenDrained'>

export class OpenedFiles {
  readonly #reader: Reader
  readonly #tellHave: (fileId: string, index: number) => void
  /** By file id: the pieces it has yet to be told of; undefined for none. */
  readonly #untold = new Map<string, Bitfield | undefined>()
  #isWaiting = false

  constructor(reader: Reader, tellHave: (fileId: string, index: number) => void) {
    this.#reader = reader
    this.#tellHave = tellHave
  }

  has(fileId: string): boolean {
    return this.#untold.has(fileId)
  }

  /** From now on the downloader is told of each new piece. False when too many files are open. */
  open(fileId: string): boolean {
    if (this.#untold.size >= openedFilesMax && !this.has(fileId)) return false
    this.#untold.set(fileId, undefined)
    return true
  }

  /** False when it was not open. */
  close(fileId: string): boolean {
    return this.#untold.delete(fileId)
  }

  /** This client has one more piece of a file that is open. */
  onHave(fileId: string, index: number, pieceCount: number): void {
    const untold = this.#untold.get(fileId)
    if (untold === undefined && !this.#reader.isBehind) {
      this.#tellHave(fileId, index)
      return
    }
    const pieces = untold ?? new Bitfield(pieceCount)
    pieces.set(index)
    this.#untold.set(fileId, pieces)
    void this.#tellLater()
  }

  async #tellLater(): Promise<void> {
    if (this.#isWaiting) return
    this.#isWaiting = true
    await this.#reader.whenDrained()
    this.#isWaiting = false
    for (const [fileId, pieces] of this.#untold) {
      if (pieces !== undefined && !this.#tell(fileId, pieces)) return
    }
  }

  /** False when the reader is behind again, or gone. */
  #tell(fileId: string, pieces: Bitfield): boolean {
    for (let index = 0; pieces.count > 0; index++) {
      if (!pieces.has(index)) continue
      if (this.#reader.isClosed) return false
      if (this.#reader.isBehind) {
        void this.#tellLater()
        return false
      }
      pieces.clear(index)
      this.#tellHave(fileId, index)
    }
    this.#untold.set(fileId, undefined)
    return true
  }
}
