// The files that are being hashed to be shared: how far each is, and an end before its time.

import type { LimitFunction } from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { HashingView } from '../operations.ts'
import { Pace } from '../transfer/pace.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import { sizeOf, stampNow, type FileStamp } from './file-stamp.ts'
import type { NamedPath } from './local-content.ts'
import { hashUnchanged } from './local-file.ts'

/** Files of at most so many bytes are hashed without a turn, and looked at without a thread: either takes longer. */
const atOnceBytesMax = 64 * 1024

/** The turn of a file or folder. */
export interface HashingTurn {
  /** Aborts when it is to end before its time. */
  readonly signal: AbortSignal
  /** How much there is to hash, in bytes, where that was not known before. */
  readonly onSize: (bytes: number) => void
  /** So many bytes more were hashed. */
  readonly onHashed: (bytes: number) => void
}

interface Hashing {
  readonly file: NamedPath
  sizeBytes: number
  readonly pace: Pace
  readonly abort: AbortController
  bytesDone: number
  /** Its turn has come. */
  isRunning: boolean
}

export class HashingFiles {
  readonly #hashes: HashPool
  readonly #turns: LimitFunction
  readonly #underWay = new Set<Hashing>()
  #closedBecause: Failure | undefined

  /** `turns` bounds the files that are hashed at once. */
  constructor(hashes: HashPool, turns: LimitFunction) {
    this.#hashes = hashes
    this.#turns = turns
  }

  /** In the order in which they began. */
  views(): HashingView[] {
    const nowMs = performance.now()
    return [...this.#underWay].map(({ file, sizeBytes, bytesDone, pace, isRunning }) => ({
      group: file.group,
      name: file.name,
      path: file.path,
      sizeBytes,
      bytesDone,
      bytesPerSecond: isRunning ? pace.bytesPerSecond(nowMs) : 0,
    }))
  }

  /** Hashes the file when its turn comes. Refuses one that changes meanwhile, and one that `cancel` names. */
  hash(file: NamedPath, stamp: FileStamp): Promise<Answer<Manifest>> {
    const sizeBytes = sizeOf(stamp)
    if (sizeBytes <= atOnceBytesMax && this.#closedBecause === undefined)
      return hashUnchanged(file.path, stamp, () => this.#hashes.hashFile(file.path, sizeBytes), stampNow)
    return hashUnchanged(file.path, stamp, () =>
      this.inTurn(file, sizeBytes, ({ signal, onHashed }) => {
        const onProgress = (pieces: number, first: number): void =>
          onHashed(Math.min(pieces * pieceBytes, sizeBytes - first * pieceBytes))
        return this.#hashes.hashFile(file.path, sizeBytes, { signal, onProgress })
      }),
    )
  }

  /**
   * Does this when its turn comes; meanwhile it is seen. Rejects as `work` does, or with a failure at once when it is to
   * end before its time.
   */
  async inTurn<T>(file: NamedPath, sizeBytes: number, work: (turn: HashingTurn) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    if (this.#closedBecause !== undefined) abort.abort(this.#closedBecause)
    const hashing: Hashing = { file, sizeBytes, pace: new Pace(), abort, bytesDone: 0, isRunning: false }
    this.#underWay.add(hashing)
    try {
      return await unlessAborted(abort.signal, () => this.#turns(() => work(begun(hashing))))
    } finally {
      this.#underWay.delete(hashing)
    }
  }

  /** Ends what is hashed under this name, or waits for its turn. */
  cancel(group: string, name: string): void {
    for (const { file, abort } of this.#underWay)
      if (file.group === group && file.name === name)
        abort.abort(new Failure('file', 'it is no longer shared'))
  }

  /** Ends all, and begins no other. */
  close(why: string): void {
    this.#closedBecause = new Failure('file', why)
    for (const { abort } of this.#underWay) abort.abort(this.#closedBecause)
  }
}

function begun(hashing: Hashing): HashingTurn {
  hashing.isRunning = true
  hashing.pace.onBytes(0, performance.now())
  return {
    signal: hashing.abort.signal,
    onSize: (bytes) => (hashing.sizeBytes = bytes),
    onHashed: (bytes) => {
      hashing.bytesDone += bytes
      hashing.pace.onBytes(bytes, performance.now())
    },
  }
}

/** Rejects with the signal's reason as soon as it aborts, also while the turn has not come. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
