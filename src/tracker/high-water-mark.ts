// Remembers, outside the log, how far this tracker has seen it. A log that ends earlier has lost acknowledged
// entries: a write-ahead file was damaged or left out of a backup, or servers lost their disks. Engines repair such
// logs silently, and clients would find their groups gone.

import { closeSync, openSync, readFileSync, write } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../common/failure.ts'

/** A loss of entries that were acknowledged this shortly before a kill may go unnoticed. */
const noteEveryMs = 100
const digits = 16

export class HighWaterMark {
  readonly #path: string
  /** Undefined when it is closed. */
  #file: number | undefined
  readonly #before: number
  #noted = 0
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  /** `folder`: that of this tracker alone. Throws a `data` failure when the mark cannot be written there. */
  constructor(folder: string) {
    this.#path = join(folder, 'log-position')
    try {
      this.#before = positionIn(this.#path)
      this.#file = openSync(this.#path, this.#before === 0 ? 'w' : 'r+', 0o600)
    } catch (error) {
      throw new Failure('data', `cannot write ${this.#path}`, error)
    }
  }

  /** Throws a `data` failure for a log that ends before the position that was seen. */
  check(position: number): void {
    if (position >= this.#before) return
    throw new Failure(
      'data',
      `the log has lost entries (it ends at ${position}, and this tracker has seen ${this.#before}); restore a whole copy of it, or remove ${this.#path} to go on without them`,
    )
  }

  /** From now on remembers what `position` returns, which must be durable. */
  follow(position: () => number): void {
    this.#timer = setInterval(() => this.#note(position()), noteEveryMs)
    this.#timer.unref()
    this.#note(position())
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) closeSync(file)
  }

  /** Not flushed: after a power failure the mark may be too low, which can miss a loss but never report a false one. */
  #note(position: number): void {
    const file = this.#file
    if (file === undefined || position <= this.#noted || this.#writing !== undefined) return
    this.#noted = position
    const text = Buffer.from(`${String(position).padStart(digits)}\n`)
    this.#writing = new Promise<void>((resolve) => {
      // Errors are ignored: the log itself reports a full disk.
      write(file, text, 0, text.length, 0, () => resolve())
    }).then(() => (this.#writing = undefined))
  }
}

/** 0 when the file is missing or holds no position. */
function positionIn(path: string): number {
  try {
    const position = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(position) ? Math.max(0, position) : 0
  } catch {
    return 0
  }
}
