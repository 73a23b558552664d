// Waits until a disk that failed a download takes it again: room was made, the folder is back, it may be
// written to. Looks before it lets the download begin anew, since that verifies what is there already.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode, type Failure } from '../../common/failure.ts'
import { freeBytesFor } from './destination.ts'

/** The time until the next look, in milliseconds: first and longest. */
const firstLookMs = 2000
const longestLookMs = 30_000

/** What no waiting mends: a name that is taken or too long, a link, a file system for smaller files. */
const lasting = new Set(['EEXIST', 'ELOOP', 'ENAMETOOLONG', 'EISDIR', 'EINVAL', 'EFBIG'])

/**
 * Whether the trouble may pass, because something outside failed: a disk, a worker. A failure without a cause
 * is our own decision, for a person to look at.
 */
export function canPass({ cause }: Failure): boolean {
  return cause !== undefined && !lasting.has(systemCode(cause) ?? '')
}

export class DiskRetry {
  readonly #path: string
  readonly #bytes: number
  readonly #goOn: () => void
  #waitMs = firstLookMs
  #timer: NodeJS.Timeout | undefined

  /** `path`: the file that could not be written, which is to have `bytes` in the end. */
  constructor(path: string, bytes: number, goOn: () => void) {
    this.#path = path
    this.#bytes = bytes
    this.#goOn = goOn
  }

  /** Looks again and again from now on, at growing intervals if the trouble comes back each time. */
  begin(): void {
    this.stop()
    this.#timer = setTimeout(() => void this.#look(), this.#waitMs)
    this.#waitMs = Math.min(longestLookMs, 2 * this.#waitMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The disk took something: the next trouble is a new one. */
  onProgress(): void {
    this.#waitMs = firstLookMs
  }

  async #look(): Promise<void> {
    const timer = this.#timer
    const isFine = await canTake(this.#path, this.#bytes)
    // Stopped, or begun again, while it was looked.
    if (this.#timer !== timer) return
    if (isFine) this.#goOn()
    else this.begin()
  }
}

/** Whether the file can be written and there is room for what it lacks. */
async function canTake(path: string, bytes: number): Promise<boolean> {
  try {
    const there = await stat(path).catch(() => undefined)
    await access(there === undefined ? dirname(path) : path, constants.W_OK)
    // A sparse file takes only what was written to it.
    const takenBytes = Math.min(bytes, (there?.blocks ?? 0) * 512)
    return (await freeBytesFor(path)) >= bytes - takenBytes
  } catch {
    return false
  }
}
