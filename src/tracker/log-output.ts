// Writes the structured log to standard error. A line that cannot be written is dropped and counted, and the next one
// that can be says how many there were. A lost line is no reason to stop serving.

import { writeSync } from 'node:fs'
import { counted } from '../common/counted.ts'

/** Writes part of the text and returns how many bytes. Throws the system's error. */
export type WriteSome = (bytes: Buffer) => number

export class LogOutput {
  readonly #write: WriteSome
  #dropped = 0
  #untold = 0
  /** The rest of a line that was written in part. */
  #rest = Buffer.alloc(0)

  constructor(write: WriteSome = (bytes) => writeSync(2, bytes)) {
    this.#write = write
  }

  /** Lines that could not be written, since the start. */
  get droppedLines(): number {
    return this.#dropped
  }

  /** Never throws. `line` ends with a newline. */
  write(line: string): void {
    if (!this.#flush()) {
      this.#drop()
      return
    }
    this.#rest = Buffer.from(this.#lostLines() + line)
    const bytes = this.#rest.length
    if (this.#flush() || this.#rest.length < bytes) {
      this.#untold = 0
    } else {
      this.#rest = Buffer.alloc(0)
      this.#drop()
    }
  }

  /** A line about those that were dropped, if any were. */
  #lostLines(): string {
    if (this.#untold === 0) return ''
    const msg = `${counted(this.#untold, 'line')} of the log could not be written`
    return `${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`
  }

  #drop(): void {
    this.#dropped++
    this.#untold++
  }

  /** Whether nothing is left to write. */
  #flush(): boolean {
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#write(this.#rest))
      return true
    } catch {
      return false
    }
  }
}
