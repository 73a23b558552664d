// A log that is gone with the process: for `--memory`, and for tests, where several trackers may follow
// the same one. Keeps the promises of the interface but the one about power failures.

import { Failure } from '../../common/failure.ts'
import type { CommandLog, LogFollower, LogSnapshot } from './command-log.ts'

export class MemoryLog implements CommandLog {
  readonly #followers: LogFollower[] = []
  #snapshot: LogSnapshot | undefined
  /** Those behind the snapshot. */
  #entries: string[] = []
  #closed = false

  follow(follower: LogFollower): Promise<void> {
    if (this.#snapshot !== undefined) follower.onSnapshot(this.#snapshot)
    const first = (this.#snapshot?.position ?? 0) + 1
    for (const [index, text] of this.#entries.entries()) follower.onEntry(first + index, text)
    this.#followers.push(follower)
    return Promise.resolve()
  }

  append(entries: readonly string[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Failure('data', 'the log is closed'))
    for (const text of entries) {
      this.#entries.push(text)
      const position = (this.#snapshot?.position ?? 0) + this.#entries.length
      for (const follower of this.#followers) follower.onEntry(position, text)
    }
    return Promise.resolve()
  }

  sync(): undefined {
    // Every entry was delivered when it was appended.
  }

  saveSnapshot(take: () => LogSnapshot): Promise<void> {
    const snapshot = take()
    const before = this.#snapshot?.position ?? 0
    if (snapshot.position > before) {
      this.#entries = this.#entries.slice(snapshot.position - before)
      this.#snapshot = snapshot
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}
