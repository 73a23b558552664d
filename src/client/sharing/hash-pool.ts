// Hashes files on all cores without stopping the event loop: tasks of 64 pieces to a few workers.
// The workers exist only while there is something to hash.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { pieceCount } from '../../common/pieces.ts'
import { hashTask, type HashResult, type HashTask } from './hash-worker.ts'

/** 32 MiB: long enough that handing out tasks costs nothing, short enough that all workers end together. */
const taskPieces = 64

/** Files up to this many pieces (4 MiB) are hashed at once here: starting a worker takes longer. */
const inlinePieces = 8

interface Job {
  readonly task: HashTask
  readonly resolve: (hashes: Uint8Array) => void
  readonly reject: (failure: Failure) => void
}

export class HashPool {
  readonly #size: number
  readonly #waiting: Job[] = []
  readonly #running = new Map<Worker, Job | undefined>()

  constructor(size = Math.min(4, Math.max(1, availableParallelism()))) {
    this.#size = size
  }

  /** The hashes of all pieces of a file, 52 bytes each. Rejects with a `file` failure. */
  async hashFile(path: string, sizeBytes: number): Promise<Buffer> {
    const all = Array.from({ length: pieceCount(sizeBytes) }, (_, index) => index)
    return this.hashPieces(path, sizeBytes, all)
  }

  /** The hashes of some pieces, in their order. Rejects with a `file` failure. */
  async hashPieces(path: string, sizeBytes: number, indices: readonly number[]): Promise<Buffer> {
    if (indices.length <= inlinePieces) return this.#inline({ path, sizeBytes, indices })
    const parts: Promise<Uint8Array>[] = []
    for (let at = 0; at < indices.length; at += taskPieces) {
      parts.push(this.#add({ path, sizeBytes, indices: indices.slice(at, at + taskPieces) }))
    }
    return Buffer.concat(await Promise.all(parts))
  }

  /** Ends the workers; whatever was being hashed is rejected. */
  async close(): Promise<void> {
    const closed = new Failure('file', 'hashing was stopped')
    for (const job of this.#waiting.splice(0)) job.reject(closed)
    for (const job of this.#running.values()) job?.reject(closed)
    await Promise.all([...this.#running.keys()].map((worker) => worker.terminate()))
  }

  #inline(task: HashTask): Buffer {
    try {
      return hashTask(task)
    } catch (error) {
      throw unreadable(task.path, error instanceof Error ? error.message : String(error), error)
    }
  }

  #add(task: HashTask): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject })
      const idle = [...this.#running].find(([, job]) => job === undefined)?.[0]
      if (idle !== undefined) this.#next(idle)
      else if (this.#running.size < this.#size) this.#next(this.#start())
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url))
    // Uploading must not keep a program alive that has been told to quit.
    worker.unref()
    worker.on('message', (result: HashResult) => {
      const job = this.#running.get(worker)
      if ('hashes' in result) job?.resolve(result.hashes)
      else job?.reject(unreadable(job.task.path, result.problem))
      this.#next(worker)
    })
    worker.on('error', (error) => {
      const job = this.#running.get(worker)
      this.#running.delete(worker)
      job?.reject(new Failure('file', `hashing failed: ${error.message}`, error))
      // Whoever waits must not wait for a worker that is gone. If none can start, each is rejected in turn.
      if (this.#waiting.length > 0) this.#next(this.#start())
    })
    return worker
  }

  #next(worker: Worker): void {
    const job = this.#waiting.shift()
    if (job === undefined) {
      this.#running.delete(worker)
      void worker.terminate()
      return
    }
    this.#running.set(worker, job)
    worker.postMessage(job.task)
  }
}

function unreadable(path: string, problem: string, cause?: unknown): Failure {
  return new Failure('file', `cannot read ${path}: ${problem}`, cause)
}
