// The upload limits of single entries. Each sends one piece after the other, beside the uploads that have no limit of their
// own, which need not wait for it.

import { keyOf } from '../file-key.ts'
import { TokenBucket } from '../../common/token-bucket.ts'
import type { SourceRegistry } from './source-registry.ts'

export interface EntryLimit {
  readonly bucket: TokenBucket
  /** A piece of the entry is being sent. */
  isTaken: boolean
}

interface Named {
  readonly group: string
  readonly name: string
}

export class EntryLimits {
  readonly #sources: Pick<SourceRegistry, 'namesOf'>
  readonly #limits = new Map<string, EntryLimit>()

  constructor(sources: Pick<SourceRegistry, 'namesOf'>) {
    this.#sources = sources
  }

  /** Undefined takes the limit away, also from what is being sent. */
  set(file: Named, bytesPerSecond: number | undefined): void {
    const key = keyOf(file)
    const limit = this.#limits.get(key)
    if (limit !== undefined) limit.bucket.setRate(bytesPerSecond)
    else if (bytesPerSecond !== undefined)
      this.#limits.set(key, { bucket: new TokenBucket(bytesPerSecond), isTaken: false })
    if (bytesPerSecond === undefined) this.#limits.delete(key)
  }

  /** Takes all away. */
  clear(): void {
    for (const { bucket } of this.#limits.values()) bucket.setRate(undefined)
    this.#limits.clear()
  }

  /** The lowest of those that the names of this content have. */
  find(group: string, fileId: string): EntryLimit | undefined {
    if (this.#limits.size === 0) return undefined
    let lowest: EntryLimit | undefined
    for (const name of this.#sources.namesOf(group, fileId)) {
      const limit = this.#limits.get(keyOf({ group, name }))
      if (limit !== undefined && rateOf(limit) < rateOf(lowest)) lowest = limit
    }
    return lowest
  }
}

function rateOf(limit: EntryLimit | undefined): number {
  return limit?.bucket.bytesPerSecond ?? Infinity
}
