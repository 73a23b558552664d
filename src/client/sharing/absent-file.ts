// A shared file that cannot be read at present: removed, or on a disk that is away. Says once when it can be
// read again. What is there then may be another file, which is for the library to find out.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'

export class AbsentFile {
  readonly #path: string
  readonly #onBack: () => void
  #isOver = false

  constructor(path: string, onBack: () => void) {
    this.#path = path
    this.#onBack = onBack
  }

  /** Looks whether the file is back. Never rejects. */
  async look(): Promise<void> {
    if (this.#isOver || !(await canRead(this.#path)) || this.#isOver) return
    this.#isOver = true
    this.#onBack()
  }

  close(): void {
    this.#isOver = true
  }
}

/** Whether there is a file at this path that may be read. Never rejects. */
export async function canRead(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false
    await access(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
