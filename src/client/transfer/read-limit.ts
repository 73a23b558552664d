// How fast may be read: by the limit of all downloads and by that of one, whichever is lower at the moment.

import type { TokenBucket } from '../../common/token-bucket.ts'

/** What a reader needs of a limit; a token bucket is one. */
export type ReadLimit = Pick<TokenBucket, 'bytesPerSecond' | 'sliceBytes' | 'spend'>

export class BothLimits implements ReadLimit {
  readonly #all: ReadLimit
  readonly #own: ReadLimit

  constructor(all: ReadLimit, own: ReadLimit) {
    this.#all = all
    this.#own = own
  }

  /** Undefined for no limit. */
  get bytesPerSecond(): number | undefined {
    const [all, own] = [this.#all.bytesPerSecond, this.#own.bytesPerSecond]
    return all === undefined || own === undefined ? (all ?? own) : Math.min(all, own)
  }

  get sliceBytes(): number {
    return Math.min(this.#all.sliceBytes, this.#own.sliceBytes)
  }

  /** Charges both for bytes that have arrived; returns the milliseconds to pause for them. */
  spend(bytes: number): number {
    return Math.max(this.#all.spend(bytes), this.#own.spend(bytes))
  }
}
