// Hashes files on all cores without blocking the event loop: hands tasks of 64 pieces to a few workers.

import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { pieceCount, pieceLength, pieceOffset } from '../../common/pieces.ts'
import { systemError } from './system-error.ts'
import { startWorker } from './start-worker.ts'
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

interface Job {
  readonly task: HashTask
  readonly resolve: (result: TaskResult) => void
  readonly reject: (reason: Error) => void
}

export class HashPool {
  readonly #size: number
  readonly #startWorker: () => Worker
  readonly #queue: Job[] = []
  readonly #workers = new Map<Worker, Job | undefined>()
  #idle: NodeJS.Timeout | undefined

  /** `startWorker` is for tests. */
  constructor(size = Math.min(4, Math.max(1, availableParallelism())), startWorker = startHashWorker) {
    this.#size = size
    this.#startWorker = startWorker
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
    const jobs: Job[] = []
    const parts: Promise<Uint8Array>[] = []
    for (let at = 0; at < ranges.length; at += taskPieces) {
      const task = { path, ranges: ranges.slice(at, at + taskPieces) }
      const hashed = this.#hash(task, (job) => jobs.push(job))
      parts.push(onProgress === undefined ? hashed : reporting(hashed, task.ranges.length, onProgress))
    }
    const giveUp = (): void => this.#giveUp(jobs, signal?.reason as Error)
    signal?.addEventListener('abort', giveUp)
    try {
      return Buffer.concat(await Promise.all(parts))
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Ends the workers and rejects all pending hashing. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const closed = new Failure('file', 'hashing was stopped')
    for (const job of this.#queue.splice(0)) job.reject(closed)
    for (const job of this.#workers.values()) job?.reject(closed)
    const workers = [...this.#workers.keys()]
    this.#workers.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  async #hash(task: HashTask, onAdded: (job: Job) => void): Promise<Uint8Array> {
    const result = await this.#add(task, onAdded)
    if ('hashes' in result) return result.hashes
    throw unreadable(
      task,
      result.problem,
      result.errno === undefined ? undefined : systemError(result.errno, 'read'),
    )
  }

  #add(task: HashTask, onAdded: (job: Job) => void): Promise<TaskResult> {
    return new Promise((resolve, reject) => {
      const job: Job = { task, resolve, reject }
      this.#queue.push(job)
      onAdded(job)
      const idle = [...this.#workers].find(([, job]) => job === undefined)?.[0]
      if (idle !== undefined) this.#next(idle)
      else if (this.#workers.size < this.#size) this.#next(this.#start())
    })
  }

  /** A task that a worker has begun runs to its end, and its result is ignored. */
  #giveUp(jobs: readonly Job[], reason: Error): void {
    const given = new Set(jobs)
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter((job) => !given.has(job)))
    for (const job of jobs) job.reject(reason)
  }

  #start(): Worker {
    const worker = this.#startWorker()
    this.#workers.set(worker, undefined)
    // Hashing must not keep the program alive after it was told to quit.
    worker.unref()
    worker.on('message', (result: TaskResult) => {
      // The worker may have been ended while its last answer was in transit; it must not get another task.
      if (!this.#workers.has(worker)) return
      this.#workers.get(worker)?.resolve(result)
      this.#next(worker)
    })
    worker.on('error', (error) => this.#onGone(worker, error))
    // A worker ended on purpose is no longer in the map.
    worker.on('exit', (code) => this.#onGone(worker, new Error(`a worker ended with code ${code}`)))
    return worker
  }

  /**
   * Rejects the job of a worker that ended, so that nobody waits for it forever. If no worker can start, each
   * queued job is rejected in turn.
   */
  #onGone(worker: Worker, error: Error): void {
    const job = this.#workers.get(worker)
    if (!this.#workers.delete(worker)) return
    job?.reject(new Failure('file', `hashing failed: ${error.message}`, error))
    if (this.#queue.length > 0) this.#next(this.#start())
  }

  #next(worker: Worker): void {
    const job = this.#queue.shift()
    this.#workers.set(worker, job)
    if (job === undefined) this.#endIdleLater()
    else worker.postMessage(job.task)
  }

  #endIdleLater(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      for (const [worker, job] of this.#workers) {
        if (job !== undefined) continue
        this.#workers.delete(worker)
        void worker.terminate()
      }
    }, idleMs)
    this.#idle.unref()
  }
}

async function reporting<T>(
  hashed: Promise<T>,
  pieces: number,
  onProgress: (pieces: number) => void,
): Promise<T> {
  const result = await hashed
  onProgress(pieces)
  return result
}

function startHashWorker(): Worker {
  return startWorker(new URL('./hash-worker.js', import.meta.url))
}

function inline(task: HashTask): Buffer {
  try {
    return hashOfFile(task)
  } catch (error) {
    // Our own failure, that the file became shorter, has no cause: no system call failed.
    throw unreadable(task, sentenceOf(error), error instanceof Failure ? undefined : error)
  }
}

function unreadable(task: HashTask, problem: string, cause?: unknown): Failure {
  return new Failure('file', `cannot read ${task.path}: ${problem}`, cause)
}
