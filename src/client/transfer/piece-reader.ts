// Reads pieces of one file: at once where that costs less than asking a thread for it, else in a thread.
// A piece that the system has in memory is read in a tenth of a millisecond. To wake a thread and be woken
// by it takes twice as long, and half of that on the event loop; but a disk may take ten milliseconds,
// which the loop must not stand still for.

import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** A read that took longer was no copy from memory, or somebody else had the processor. Which of both, the system's count says … */
const slowMs = 1
/** … but it does not count what a file system outside the kernel reads: a read that took this long was slow in any case. */
const tooSlowMs = 20
/** So many pieces are read in threads before the next is tried at once: in the beginning, and after one that was slow. */
const threadedMin = 16
/** Twice as many after each further slow one, and at most so many, until as many as `threadedMin` in a row were fast. */
const threadedMax = 4096

export class PieceReader {
  readonly #nowMs: () => number
  readonly #diskReads: () => number
  /** Pieces that are still to be read in threads. */
  #threaded = threadedMin
  #threadedNext = threadedMin
  #fastInRow = 0
  /** As they were counted after the last slow read. */
  #diskReadsSeen: number

  /** `diskReads` counts what this process has had read from disks so far. */
  constructor(
    nowMs: () => number = () => performance.now(),
    diskReads: () => number = () => process.resourceUsage().fsRead,
  ) {
    this.#nowMs = nowMs
    this.#diskReads = diskReads
    this.#diskReadsSeen = diskReads()
  }

  /** Whether the next piece is read at once, by the thread that asks. */
  get readsAtOnce(): boolean {
    return this.#threaded === 0
  }

  /** Reads `length` bytes at `position` to the start of the buffer; how many there were. Rejects with the system's error. */
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

  /** Since the last time it was asked. Others of this process may have: then threads are used once too often. */
  #hasReadDisk(): boolean {
    const before = this.#diskReadsSeen
    this.#diskReadsSeen = this.#diskReads()
    return this.#diskReadsSeen !== before
  }
}
