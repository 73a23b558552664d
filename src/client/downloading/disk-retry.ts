// Waits until a disk that failed a download is usable again: space was freed, the folder is back, or it
// became writable. Checks before restarting the download, because a restart verifies everything already
// there.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode, type Failure } from '../../common/failure.ts'
import { freeBytesFor } from './destination.ts'

/** Delay before the next check, in milliseconds: first and longest. */
const firstLookMs = 2000
const longestLookMs = 30_000

/**
 * Errors that waiting does not fix: a name that is taken or too long, a link, a file system for smaller
 * files.
 */
const lasting = new Set(['EEXIST', 'ELOOP', 'ENAMETOOLONG', 'EISDIR', 'EINVAL', 'EFBIG'])

/**
 * Whether the failure may pass, because something external failed: a disk, a worker. A failure without a
 * cause is our own decision and needs a person's attention.
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

  /** `path`: the file that could not be written; `bytes`: its final size. */
  constructor(path: string, bytes: number, goOn: () => void) {
    this.#path = path
    this.#bytes = bytes
    this.#goOn = goOn
  }

  /**
   * Checks repeatedly from now on, at intervals that grow until `onProgress`. `elsewhereBytes`: of the file, which need no room.
   */
  begin(elsewhereBytes = 0): void {
    this.stop()
    this.#timer = setTimeout(() => void this.#look(elsewhereBytes), this.#waitMs)
    this.#waitMs = Math.min(longestLookMs, 2 * this.#waitMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** A write succeeded: the next failure starts with the shortest delay again. */
  onProgress(): void {
    this.#waitMs = firstLookMs
  }

  async #look(elsewhereBytes: number): Promise<void> {
    const timer = this.#timer
    const isFine = await canTake(this.#path, this.#bytes - elsewhereBytes)
    // Stopped or restarted during the check.
    if (this.#timer !== timer) return
    if (isFine) this.#goOn()
    else this.begin(elsewhereBytes)
  }
}

/** Whether the file can be written and there is room for the missing part. */
async function canTake(path: string, bytes: number): Promise<boolean> {
  try {
    const there = await stat(path).catch(() => undefined)
    await access(there === undefined ? dirname(path) : path, constants.W_OK)
    // A sparse file occupies only the blocks written to it.
    const takenBytes = Math.min(bytes, (there?.blocks ?? 0) * 512)
    return (await freeBytesFor(path)) >= bytes - takenBytes
  } catch {
    return false
  }
}
