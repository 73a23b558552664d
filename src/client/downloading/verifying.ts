// Hashes what is on disk of a download, and says how far that is: it takes as long as hashing a file to share it.

import { pieceBytes } from '../../common/limits.ts'
import type { VerifyingView } from '../operations.ts'
import { Pace } from '../transfer/pace.ts'
import type { HashOptions, HashPool } from '../workers/hash-pool.ts'
import type { ByteRange } from '../workers/hash-worker.ts'

interface UnderWay {
  readonly sizeBytes: number
  readonly pace: Pace
  bytesDone: number
}

export class Verifying implements Pick<HashPool, 'hashFile' | 'hashRanges'> {
  readonly #hashes: HashPool
  #underWay: UnderWay | undefined

  constructor(hashes: HashPool) {
    this.#hashes = hashes
  }

  /** Undefined while nothing is read. */
  view(): VerifyingView | undefined {
    if (this.#underWay === undefined) return undefined
    const { sizeBytes, bytesDone, pace } = this.#underWay
    return { sizeBytes, bytesDone, bytesPerSecond: pace.bytesPerSecond(performance.now()) }
  }

  async hashFile(path: string, sizeBytes: number, options: HashOptions = {}): Promise<Buffer> {
    return this.#counting(sizeBytes, (onProgress) =>
      this.#hashes.hashFile(path, sizeBytes, { ...options, onProgress }),
    )
  }

  async hashRanges(path: string, ranges: readonly ByteRange[], options: HashOptions = {}): Promise<Buffer> {
    const sizeBytes = ranges.reduce((sum, [, length]) => sum + length, 0)
    return this.#counting(sizeBytes, (onProgress) =>
      this.#hashes.hashRanges(path, ranges, { ...options, onProgress }),
    )
  }

  /** One at a time: a download does nothing else meanwhile. */
  async #counting<T>(
    sizeBytes: number,
    hash: (onProgress: (pieces: number) => void) => Promise<T>,
  ): Promise<T> {
    const underWay: UnderWay = { sizeBytes, pace: new Pace(), bytesDone: 0 }
    underWay.pace.onBytes(0, performance.now())
    this.#underWay = underWay
    try {
      return await hash((done) => {
        const bytes = Math.min(done * pieceBytes, sizeBytes - underWay.bytesDone)
        underWay.bytesDone += bytes
        underWay.pace.onBytes(bytes, performance.now())
      })
    } finally {
      this.#underWay = undefined
    }
  }
}
