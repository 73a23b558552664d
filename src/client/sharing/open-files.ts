// The shared files that are open. A file is opened when it is asked for; the least recently used are closed
// when there are too many, and all that nobody has asked for in a while: a client may share more files than
// it may have open.

import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
  usedAtMs: number
  /** To be closed by its last user. */
  isOver: boolean
}

/** Few enough for a limit of 120 descriptors, of which connections take most. */
const openMax = 32
const idleMs = 10_000

export class OpenFiles {
  /** The least recently used first. */
  readonly #files = new Map<object, OpenFile>()
  #sweep: NodeJS.Timeout | undefined

  get count(): number {
    return this.#files.size
  }

  /** Runs `use` with the file of this owner, open. Rejects with the system's error when it cannot be opened. */
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

  /** Closes the file of this owner once nobody uses it. */
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
    // Without waiting, should somebody have put a pipe there.
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

/** One that could not be opened, or that the system has closed, leaves nothing to do. */
async function closeQuietly({ handle }: OpenFile): Promise<void> {
  await handle.then((file) => file.close()).catch(() => undefined)
}

/** Of this process: descriptors are counted by process. */
export const openFiles = new OpenFiles()
