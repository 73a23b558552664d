// Opens shared files when they are read. Closes the least recently used when too many are open, and those that nobody
// has read for a while: a client may share more files than it may have open.

import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
  usedAtMs: number
  /** The last user closes it. */
  isOver: boolean
}

/** Fits a limit of 120 descriptors, most of which connections take. */
const openMax = 32
const idleMs = 10_000

export class OpenFiles {
  /** The least recently used first. */
  readonly #files = new Map<object, OpenFile>()
  #sweep: NodeJS.Timeout | undefined

  get count(): number {
    return this.#files.size
  }

  /** Runs `use` with the owner's file open. Rejects with the system's error when it cannot be opened. */
  async use<T>(owner: object, path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#take(owner, path)
    file.users++
    try {
      return await use(await file.handle)
    } finally {
      file.users--
      file.usedAtMs = performance.now()
      if (file.isOver && file.users === 0) void closeQuietly(file)
      this.#closeSurplus()
    }
  }

  /** Closes the owner's file as soon as nobody uses it. */
  close(owner: object): void {
    const file = this.#files.get(owner)
    if (file === undefined) return
    this.#files.delete(owner)
    file.isOver = true
    if (file.users === 0) void closeQuietly(file)
  }

  #take(owner: object, path: string): OpenFile {
    const known = this.#files.get(owner)
    if (known !== undefined) {
      this.#files.delete(owner)
      this.#files.set(owner, known)
      return known
    }
    // O_NONBLOCK: opening a pipe that somebody put there must not hang.
    const handle = open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const file = { handle, users: 0, usedAtMs: performance.now(), isOver: false }
    this.#files.set(owner, file)
    handle.catch(() => {
      if (this.#files.get(owner) === file) this.#files.delete(owner)
    })
    this.#sweep ??= setInterval(() => this.#closeIdle(), idleMs / 2).unref()
    return file
  }

  #closeSurplus(): void {
    for (const [owner, file] of this.#files) {
      if (this.#files.size <= openMax) return
      if (file.users === 0) this.close(owner)
    }
  }

  #closeIdle(): void {
    const beforeMs = performance.now() - idleMs
    for (const [owner, file] of this.#files)
      if (file.users === 0 && file.usedAtMs < beforeMs) this.close(owner)
    if (this.#files.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}

/** Ignores a file that could not be opened, or that the system has closed. */
async function closeQuietly({ handle }: OpenFile): Promise<void> {
  await handle.then((file) => file.close()).catch(() => undefined)
}

/** Shared by the whole process, because the limit is. */
export const openFiles = new OpenFiles()
