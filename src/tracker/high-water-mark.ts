// How far this tracker has seen the log, remembered beside the log and not in it. A log that ends before
// that has lost what was acknowledged: a write-ahead file that was damaged or left out of a backup, servers
// that lost their disks. Engines repair such logs without a word, and clients would find their groups gone.

import { closeSync, openSync, readFileSync, write } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../common/failure.ts'

/** What is acknowledged within so long before a kill may be lost unnoticed. */
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

  /** `folder`: that of this tracker alone. Throws a `data` failure when nothing can be kept in it. */
  constructor(folder: string) {
    this.#path = join(folder, 'log-position')
    try {
      this.#before = positionIn(this.#path)
      this.#file = openSync(this.#path, this.#before === 0 ? 'w' : 'r+', 0o600)
    } catch (error) {
      throw new Failure('data', `cannot write ${this.#path}`, error)
    }
  }

  /** Throws a `data` failure for a log that ends before what was seen of it. */
  check(position: number): void {
    if (position >= this.#before) return
    throw new Failure(
      'data',
      `the log has lost entries (it ends at ${position}, and this tracker has seen ${this.#before}); restore a whole copy of it, or remove ${this.#path} to go on without them`,
    )
  }

  /** Remembers from now on what this says. Only what is durable may be said. */
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

  /** Not flushed: after a power failure it may say less, and then less is noticed, never more. */
  #note(position: number): void {
    const file = this.#file
    if (file === undefined || position <= this.#noted || this.#writing !== undefined) return
    this.#noted = position
    const text = Buffer.from(`${String(position).padStart(digits)}\n`)
    this.#writing = new Promise<void>((resolve) => {
      // Of an error nothing is made: of a disk that is full the log speaks.
      write(file, text, 0, text.length, 0, () => resolve())
    }).then(() => (this.#writing = undefined))
  }
}

/** 0 when there is none, or it cannot be read as one. */
function positionIn(path: string): number {
  try {
    const position = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(position) ? Math.max(0, position) : 0
  } catch {
    return 0
  }
}
