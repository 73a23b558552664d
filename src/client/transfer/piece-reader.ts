// Reads pieces of one file, synchronously while they come from memory and in a thread while they come from
// disk. From memory a piece takes 0.1 ms. Going through a thread takes twice as long, half of that on the
// event loop; but a disk may take 10 ms, and the event loop must not block that long.

import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** A longer read came from disk or lost the processor; the system's count of disk reads tells which. */
const slowMs = 1
/** A read this long is slow in any case: file systems outside the kernel are missing from that count. */
const tooSlowMs = 20
/** Pieces to read in threads before the next synchronous attempt, at the start and after a slow read. */
const threadedMin = 16
/** That number doubles with each further slow read up to this; `threadedMin` fast reads in a row reset it. */
const threadedMax = 4096

export class PieceReader {
  readonly #nowMs: () => number
  readonly #diskReads: () => number
  /** Pieces still to read in threads. */
  #threaded = threadedMin
  #threadedNext = threadedMin
  #fastInRow = 0
  /** The count of disk reads when it was last looked at. */
  #diskReadsSeen: number

  /** `diskReads` returns how many disk reads this process has caused so far. */
  constructor(
    nowMs: () => number = () => performance.now(),
    diskReads: () => number = () => process.resourceUsage().fsRead,
  ) {
    this.#nowMs = nowMs
    this.#diskReads = diskReads
    this.#diskReadsSeen = diskReads()
  }

  /** Whether the next piece is read synchronously, by the calling thread. */
  get readsAtOnce(): boolean {
    return this.#threaded === 0
  }

  /** Reads `length` bytes at `position`; resolves to the bytes read. Rejects with the system's error. */
  async read(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<number> {
    if (!this.readsAtOnce) {
      this.#threaded--
      return (await file.read(buffer, 0, length, position)).bytesRead
    }
    const startedAtMs = this.#nowMs()
    const count = readSync(file.fd, buffer, 0, length, position)
    this.#onRead(this.#nowMs() - startedAtMs)
    return count
  }

  #onRead(tookMs: number): void {
    if (tookMs < slowMs || (tookMs < tooSlowMs && !this.#hasReadDisk())) {
      this.#fastInRow++
      if (this.#fastInRow === threadedMin) this.#threadedNext = threadedMin
      return
    }
    this.#fastInRow = 0
    this.#threaded = this.#threadedNext
    this.#threadedNext = Math.min(threadedMax, 2 * this.#threadedNext)
  }

  /** Whether this process has read any file from disk since the last call; other files waste a thread. */
  #hasReadDisk(): boolean {
    const before = this.#diskReadsSeen
    this.#diskReadsSeen = this.#diskReads()
    return this.#diskReadsSeen !== before
  }
}
