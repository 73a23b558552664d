// Waits for a shared file that was removed or whose disk is away, and reports once that it can be read again. The
// library then checks whether it is the same file.

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

  /** Checks whether the file is back. Never rejects. */
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
