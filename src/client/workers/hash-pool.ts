// Hashes files on all cores without blocking the event loop: hands tasks of 64 pieces to a few workers.

import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { pieceCount, pieceLength, pieceOffset } from '../../common/pieces.ts'
import { systemError } from './system-error.ts'
import { startWorker } from './start-worker.ts'
import { TaskPool } from './task-pool.ts'
import { hashOfFile, type ByteRange, type HashTask, type TaskResult } from './hash-worker.ts'

/** 32 MiB: large enough to make handing out tasks cheap, small enough for all workers to finish together. */
const taskPieces = 64

/** Files up to this many pieces (4 MiB) are hashed on the event loop: starting a worker takes longer. */
export const inlinePieces = 8

/** How long to keep idle workers: a script shares files one right after the other. */
const idleMs = 250

export interface HashOptions {
  /** Ends it, as soon as it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the number of pieces hashed since it was called last. */
  readonly onProgress?: (pieces: number) => void
}

export class HashPool {
  readonly #tasks: TaskPool<HashTask, TaskResult>

  /** `startWorker` is for tests. */
  constructor(size = Math.min(4, Math.max(1, availableParallelism())), startWorker = startHashWorker) {
    this.#tasks = new TaskPool({ work: 'hashing', size, startWorker, idleMs })
  }

  /** The hashes of all pieces of a file, 52 bytes each. Rejects as `hashRanges` does. */
  async hashFile(path: string, sizeBytes: number, options?: HashOptions): Promise<Buffer> {
    const all = Array.from({ length: pieceCount(sizeBytes) }, (_, index): ByteRange => [
      pieceOffset(index),
      pieceLength(sizeBytes, index),
    ])
    return this.hashRanges(path, all, options)
  }

  /**
   * The hashes of some parts of a file, none longer than a piece, in their order. Rejects with a `file` failure, or with
   * the signal's reason as soon as it aborts; then no further task of this call begins.
   */
  async hashRanges(
    path: string,
    ranges: readonly ByteRange[],
    { signal, onProgress }: HashOptions = {},
  ): Promise<Buffer> {
    signal?.throwIfAborted()
    if (ranges.length <= inlinePieces) return inline({ path, ranges })
    const tasks: HashTask[] = []
    for (let at = 0; at < ranges.length; at += taskPieces)
      tasks.push({ path, ranges: ranges.slice(at, at + taskPieces) })
    const hashes = await this.#tasks.runAll(
      tasks.map((task) => () => task),
      (result, index) => {
        const found = hashesIn(result, path)
        onProgress?.(tasks[index]?.ranges.length ?? 0)
        return found
      },
      signal,
    )
    return Buffer.concat(hashes)
  }

  /** Ends the workers and rejects all pending hashing. */
  close(): Promise<void> {
    return this.#tasks.close()
  }
}

function hashesIn(result: TaskResult, path: string): Uint8Array {
  if ('hashes' in result) return result.hashes
  const cause = result.errno === undefined ? undefined : systemError(result.errno, 'read')
  throw unreadable(path, result.problem, cause)
}

function startHashWorker(): Worker {
  return startWorker(new URL('./hash-worker.js', import.meta.url))
}

function inline(task: HashTask): Buffer {
  try {
    return hashOfFile(task)
  } catch (error) {
    // Our own failure, that the file became shorter, has no cause: no system call failed.
    throw unreadable(task.path, sentenceOf(error), error instanceof Failure ? undefined : error)
  }
}

function unreadable(path: string, problem: string, cause?: unknown): Failure {
  return new Failure('file', `cannot read ${path}: ${problem}`, cause)
}
