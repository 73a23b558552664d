// The files that are being hashed to be shared: how far each is, and an end before its time.

import type { LimitFunction } from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { HashingView } from '../operations.ts'
import { Pace } from '../transfer/pace.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import { sizeOf, type FileStamp } from './file-stamp.ts'
import { hashUnchanged } from './local-file.ts'

/** A file, and the name under which it is to be shared. */
interface NamedFile {
  readonly group: string
  readonly name: string
  readonly path: string
}

interface Hashing {
  readonly file: NamedFile
  readonly sizeBytes: number
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
  async hash(file: NamedFile, stamp: FileStamp): Promise<Answer<Manifest>> {
    const sizeBytes = sizeOf(stamp)
    const abort = new AbortController()
    if (this.#closedBecause !== undefined) abort.abort(this.#closedBecause)
    const hashing: Hashing = { file, sizeBytes, pace: new Pace(), abort, bytesDone: 0, isRunning: false }
    this.#underWay.add(hashing)
    try {
      return await hashUnchanged(file.path, stamp, () =>
        unlessAborted(abort.signal, () => this.#turns(() => this.#run(hashing))),
      )
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

  #run(hashing: Hashing): Promise<Uint8Array> {
    const { file, sizeBytes, pace, abort } = hashing
    hashing.isRunning = true
    pace.onBytes(0, performance.now())
    const onProgress = (pieces: number): void => {
      const bytes = Math.min(pieces * pieceBytes, sizeBytes - hashing.bytesDone)
      hashing.bytesDone += bytes
      pace.onBytes(bytes, performance.now())
    }
    return this.#hashes.hashFile(file.path, sizeBytes, { signal: abort.signal, onProgress })
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
