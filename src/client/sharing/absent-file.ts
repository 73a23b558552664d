// Waits for a shared file or folder that was removed or whose disk is away, and reports once that it can be read again. The
// library then checks whether it is the same file.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'

export class AbsentFile {
  readonly looks = 1
  readonly changed: readonly string[] = []
  readonly #path: string
  readonly #isFolder: boolean
  readonly #onBack: () => void
  #isOver = false

  constructor(path: string, isFolder: boolean, onBack: () => void) {
    this.#path = path
    this.#isFolder = isFolder
    this.#onBack = onBack
  }

  /** Checks whether the file is back. Never rejects. */
  async look(): Promise<void> {
    if (this.#isOver || !(await canRead(this.#path, this.#isFolder)) || this.#isOver) return
    this.#isOver = true
    this.#onBack()
  }

  close(): void {
    this.#isOver = true
  }
}

/** Whether there is a file, or a folder, at this path that may be read. Never rejects. */
export async function canRead(path: string, isFolder = false): Promise<boolean> {
  try {
    const stats = await stat(path)
    if (!(isFolder ? stats.isDirectory() : stats.isFile())) return false
    await access(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
