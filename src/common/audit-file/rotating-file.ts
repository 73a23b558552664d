// Appends lines to a file, and begins a new one when it is full; the last few are kept as <file>.1, <file>.2 and so on.
// Lines wait in memory while the disk is slow or full, up to a bound; further ones are dropped and counted.

import { open, rename, type FileHandle } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { counted } from '../counted.ts'
import { sentenceOf, systemCode } from '../failure.ts'
import {
  auditBytesAtOnce,
  auditBytesWaitingMax,
  auditClosePatienceMs,
  auditFileBytesMax,
  auditFilesKept,
  auditRetryMs,
} from './limits.ts'

export interface RotatingFileOptions {
  readonly path: string
  /** A line that says how many were dropped; it follows the lines that were written before. */
  readonly lineOfDropped: (count: number) => string
  /** Told when lines cannot be written, and when it goes on after some were dropped. */
  readonly onTrouble: (sentence: string) => void
  readonly fileBytesMax?: number
  readonly bytesWaitingMax?: number
  readonly retryMs?: number
  /** For tests: writes part of the bytes and resolves to how many. */
  readonly write?: (handle: FileHandle, bytes: Buffer) => Promise<number>
}

export class RotatingFile {
  readonly #options: Required<RotatingFileOptions>
  #waiting: string[] = []
  /** Of what waits, and of what is being written. */
  #bytesWaiting = 0
  /** What is left of the lines that are being written. */
  #rest = Buffer.alloc(0)
  #file: { readonly handle: FileHandle; bytes: number } | undefined
  #untold = 0
  #writing: Promise<void> | undefined
  readonly #closing = new AbortController()
  #mayWrite = false

  constructor(options: RotatingFileOptions) {
    this.#options = {
      fileBytesMax: auditFileBytesMax,
      bytesWaitingMax: auditBytesWaitingMax,
      retryMs: auditRetryMs,
      write: async (handle, bytes) => (await handle.write(bytes)).bytesWritten,
      ...options,
    }
  }

  /** Before that, lines only wait. */
  begin(): void {
    this.#mayWrite = true
    this.#writeSoon()
  }

  /** Never throws and never blocks. `line` ends with a newline. */
  add(line: string): void {
    this.#tellDropped()
    if (this.#untold > 0 || !this.#take(line)) {
      if (this.#untold++ === 0)
        this.#say('is written too slowly or not at all; lines of the audit are dropped')
    }
    this.#writeSoon()
  }

  /** Writes what waits, if the disk takes it soon. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.race([this.#writing, setTimeout(auditClosePatienceMs, undefined, { ref: false })])
    const left = this.#waiting.length + (this.#rest.length > 0 ? 1 : 0) + this.#untold
    if (left > 0 && this.#mayWrite) this.#say(`lacks at least ${counted(left, 'line')}`)
    // One that hangs is left to the end of the process.
    if (this.#writing === undefined) await this.#closeFile()
  }

  /** Whether there was room for it. */
  #take(line: string): boolean {
    const bytes = Buffer.byteLength(line)
    if (this.#bytesWaiting + bytes > this.#options.bytesWaitingMax) return false
    this.#waiting.push(line)
    this.#bytesWaiting += bytes
    return true
  }

  /** In the place of the lines that are missing, when there is room for many others. */
  #tellDropped(): void {
    if (this.#untold === 0 || this.#bytesWaiting > this.#options.bytesWaitingMax / 2) return
    this.#take(this.#options.lineOfDropped(this.#untold))
    this.#say(`goes on; ${counted(this.#untold, 'line was', 'lines were')} dropped`)
    this.#untold = 0
  }

  #say(what: string): void {
    this.#options.onTrouble(`${this.#options.path} ${what}`)
  }

  #writeSoon(): void {
    if (this.#mayWrite && this.#bytesWaiting > 0) this.#writing ??= this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    while (this.#bytesWaiting > 0) {
      try {
        await this.#writeSome()
        this.#tellDropped()
      } catch (error) {
        this.#say(`cannot be written: ${sentenceOf(error)}`)
        // Opened anew by the next try: it may have been on a disk that is gone.
        await this.#closeFile()
        if (this.#closing.signal.aborted) break
        await this.#pause()
      }
    }
    // In the same turn that saw nothing left, so that no line waits for a run that is over.
    this.#writing = undefined
  }

  async #writeSome(): Promise<void> {
    if (this.#rest.length === 0) this.#takeOut()
    this.#file ??= await this.#open()
    // Never within a line: while lines are written in parts, this sum stays the same.
    const { bytes } = this.#file
    if (bytes > 0 && bytes + this.#rest.length > this.#options.fileBytesMax) await this.#rotate()
    const written = await this.#options.write(this.#file.handle, this.#rest)
    this.#rest = this.#rest.subarray(written)
    this.#bytesWaiting -= written
    this.#file.bytes += written
  }

  #takeOut(): void {
    let [count, bytes] = [0, 0]
    for (const line of this.#waiting) {
      bytes += Buffer.byteLength(line)
      if (count > 0 && bytes > Math.min(auditBytesAtOnce, this.#options.fileBytesMax)) break
      count++
    }
    this.#rest = Buffer.from(this.#waiting.splice(0, count).join(''))
  }

  async #open(): Promise<{ handle: FileHandle; bytes: number }> {
    const handle = await open(this.#options.path, 'a', 0o600)
    return { handle, bytes: (await handle.stat()).size }
  }

  /** The oldest file is replaced. */
  async #rotate(): Promise<void> {
    await this.#closeFile()
    const { path } = this.#options
    for (let number = auditFilesKept; number > 1; number--)
      await rename(`${path}.${number - 1}`, `${path}.${number}`).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error
      })
    await rename(path, `${path}.1`)
    this.#file = await this.#open()
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.handle.close().catch(() => undefined)
  }

  /** Until the next try. Cut short when the tracker ends. */
  async #pause(): Promise<void> {
    const { signal } = this.#closing
    await setTimeout(this.#options.retryMs, undefined, { ref: false, signal }).catch(() => undefined)
  }
}
