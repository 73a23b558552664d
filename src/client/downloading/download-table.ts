// The downloads of a user by their names. That of an entry is found by the entry's name, and that of a part of a folder by
// this, "/" and the part; so several parts of an entry and the whole may be fetched at once.

import { keyOf, named, type Named } from '../file-key.ts'
import type { DownloadView, LimitRule } from '../operations.ts'
import type { Download } from './download.ts'

export class DownloadTable {
  readonly #downloads = new Map<string, Download>()
  /** By the key of their entry. */
  readonly #ofEntry = new Map<string, Set<Download>>()

  /** In the order in which they came. */
  get all(): readonly Download[] {
    return [...this.#downloads.values()]
  }

  find(file: Named): Download | undefined {
    return this.#downloads.get(keyOf(file))
  }

  /** All downloads of an entry and of its parts. */
  of(entry: Named): Download[] {
    return [...(this.#ofEntry.get(keyOf(entry)) ?? [])]
  }

  /** Those of them that are neither complete nor failed. */
  unfinishedOf(entry: Named): Download[] {
    return this.of(entry).filter(({ state }) => state !== 'complete' && state !== 'failed')
  }

  views(): DownloadView[] {
    return this.all.map((download) => download.view())
  }

  /** Those of single downloads. */
  limits(): LimitRule[] {
    return this.all.flatMap(({ limit }) => limit ?? [])
  }

  /** In the place of one of the same name. */
  put(download: Download): void {
    const { record } = download
    const former = this.find(named(record))
    if (former !== undefined) this.#ofEntry.get(entryKeyOf(former))?.delete(former)
    this.#downloads.set(keyOf(record), download)
    const entry = entryKeyOf(download)
    const those = this.#ofEntry.get(entry) ?? new Set()
    this.#ofEntry.set(entry, those.add(download))
  }

  /** Nothing where there is none of this name. */
  remove(file: Named): void {
    const download = this.find(file)
    if (download === undefined) return
    this.#downloads.delete(keyOf(download.record))
    const entry = entryKeyOf(download)
    const those = this.#ofEntry.get(entry)
    those?.delete(download)
    if (those?.size === 0) this.#ofEntry.delete(entry)
  }
}

function entryKeyOf({ record: { group, name } }: Download): string {
  return keyOf({ group, name })
}
