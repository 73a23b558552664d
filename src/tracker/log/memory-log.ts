// A log in memory, for `--memory` and for tests, where several trackers may follow the same one. Keeps all promises
// of the interface except durability.

import { Failure } from '../../common/failure.ts'
import type { CommandLog, Kept, LogFollower, LogSnapshot, SnapshotToKeep } from './command-log.ts'

export class MemoryLog implements CommandLog {
  readonly isCurrent = true
  readonly #followers: LogFollower[] = []
  #snapshot: LogSnapshot | undefined
  /** The sections of the snapshot, if it has any. */
  readonly #sections = new Map<string, string>()
  /** The entries behind the snapshot. */
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

  saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
    const before = this.#snapshot?.position ?? 0
    const snapshot = take({ position: before, ofSections: this.#sections.size === 0 ? 0 : before })
    if (snapshot === undefined || snapshot.position <= before) return Promise.resolve()
    this.#entries = this.#entries.slice(snapshot.position - before)
    this.#snapshot =
      'text' in snapshot ? snapshot : { position: snapshot.position, sections: this.#keep(snapshot.changed) }
    return Promise.resolve()
  }

  #keep(changed: Iterable<readonly [string, string | undefined]>): Iterable<readonly [string, string]> {
    for (const [key, text] of changed) {
      if (text === undefined) this.#sections.delete(key)
      else this.#sections.set(key, text)
    }
    return [...this.#sections].sort(([one], [other]) => (one < other ? -1 : 1))
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}
