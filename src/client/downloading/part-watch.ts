// Detects every write by someone else to a part file, including writes during our own, which the seal cannot
// reveal. On Linux, watching a folder reports writes made through a name in it (inotify(7), fs.watch). We
// therefore open the file through a second name in another folder and remove both once it is open: every
// write reported for the part's name is someone else's.

import { createHash } from 'node:crypto'
import { constants, watch, type FSWatcher } from 'node:fs'
import { link, mkdir, open, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { systemCode } from '../../common/failure.ts'

/** A watch that does not report our own mark within this time no longer watches the right folder. */
const markWithinMs = 1000
const ownName = 'own'

export interface WatchedPart {
  /** The same file, opened through the name that nobody else has. */
  readonly file: FileHandle
  readonly watch: PartWatch
}

export class PartWatch {
  /**
   * A short-lived folder: it holds the second name, and creating it marks a point in the stream of events.
   */
  readonly #room: string
  readonly #watcher: FSWatcher
  #onMark: () => void = () => undefined

  private constructor(path: string, room: string, onTouched: () => void) {
    this.#room = room
    const [part, mark] = [basename(path), basename(room)]
    this.#watcher = watch(dirname(path), { persistent: false }, (_kind, name) => {
      // Also when it was moved: what happened under another name is not reported.
      if (name === part) onTouched()
      else if (name === mark) this.#onMark()
    })
    this.#watcher.on('error', () => this.close())
  }

  /**
   * Watches the part file that is open as `file`. Returns undefined where that is impossible: on other
   * systems, without hard links, or when the system has no watch left.
   */
  static async start(
    path: string,
    file: FileHandle,
    onTouched: () => void,
  ): Promise<WatchedPart | undefined> {
    if (process.platform !== 'linux') return undefined
    const name = createHash('sha256').update(basename(path)).digest('hex').slice(0, 16)
    const room = join(dirname(path), `.coterie-${name}`)
    let own: FileHandle | undefined
    try {
      own = await openByOtherName(path, room)
      if (await isSameFile(own, file)) return { file: own, watch: new PartWatch(path, room, onTouched) }
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
    await own?.close()
    return undefined
  }

  /** Resolves when everything done until now has been reported. One call at a time. */
  async caughtUp(): Promise<void> {
    const marked = this.#marked()
    try {
      await mkdir(this.#room, { mode: 0o700 })
      await rmdir(this.#room)
      // If the folder was moved and another one took its place, the mark is never reported.
      await Promise.race([marked, setTimeout(markWithinMs, undefined, { ref: false })])
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }

  close(): void {
    this.#watcher.close()
  }

  /** Resolves when the creation and the removal of the mark have both been reported. */
  #marked(): Promise<void> {
    return new Promise((resolve) => {
      let told = 0
      this.#onMark = () => {
        if (++told === 2) resolve()
      }
    })
  }
}

async function openByOtherName(path: string, room: string): Promise<FileHandle> {
  const own = join(room, ownName)
  // A killed program may have left both behind.
  await rm(own, { force: true })
  await rmdir(room).catch(() => undefined)
  await mkdir(room, { mode: 0o700 })
  try {
    await link(path, own)
    return await open(own, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } finally {
    await rm(own, { force: true })
    await rmdir(room)
  }
}

async function isSameFile(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [a, b] = await Promise.all([one.stat(), other.stat()])
  return a.ino === b.ino && a.dev === b.dev
}
