// A few threads that carry out tasks, in the order in which these come, each one at a time.

import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'

interface Job<Task, Result> {
  /** Made when its turn has come: thousands of tasks may wait. */
  readonly task: () => Task
  readonly resolve: (result: Result) => void
  readonly reject: (reason: Error) => void
}

export interface TaskPoolOptions {
  /** What the threads do, for sentences: "hashing". */
  readonly work: string
  /** The most threads. */
  readonly size: number
  readonly startWorker: () => Worker
  /** How long to keep threads that have nothing to do. */
  readonly idleMs: number
}

export class TaskPool<Task, Result> {
  readonly #options: TaskPoolOptions
  readonly #queue: Job<Task, Result>[] = []
  readonly #workers = new Map<Worker, Job<Task, Result> | undefined>()
  #idle: NodeJS.Timeout | undefined

  constructor(options: TaskPoolOptions) {
    this.#options = options
  }

  /**
   * Carries out the tasks; `take` makes of each result what is returned. Rejects with what `take` throws, with a `file`
   * failure when a thread ended, or with the signal's reason as soon as it aborts; then no further task of this call
   * begins. One that has begun runs to its end, and its result is ignored.
   */
  async runAll<T>(
    tasks: readonly (() => Task)[],
    take: (result: Result, index: number) => T,
    signal?: AbortSignal,
  ): Promise<T[]> {
    signal?.throwIfAborted()
    const jobs = new Set<Job<Task, Result>>()
    const taken = tasks.map(async (task, index) => take(await this.#add(task, jobs), index))
    const giveUp = (): void => this.#giveUp(jobs, signal?.reason as Error)
    signal?.addEventListener('abort', giveUp)
    try {
      return await Promise.all(taken)
    } catch (error) {
      // What one of them threw ends the others.
      this.#giveUp(jobs, error as Error)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Ends the threads and rejects all that is pending. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const closed = new Failure('file', `${this.#options.work} was stopped`)
    for (const job of this.#queue.splice(0)) job.reject(closed)
    for (const job of this.#workers.values()) job?.reject(closed)
    const workers = [...this.#workers.keys()]
    this.#workers.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  #add(task: () => Task, jobs: Set<Job<Task, Result>>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const job = { task, resolve, reject }
      this.#queue.push(job)
      jobs.add(job)
      const idle = [...this.#workers].find(([, job]) => job === undefined)?.[0]
      if (idle !== undefined) this.#next(idle)
      else if (this.#workers.size < this.#options.size) this.#reinforce()
    })
  }

  #giveUp(jobs: ReadonlySet<Job<Task, Result>>, reason: Error): void {
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter((job) => !jobs.has(job)))
    for (const job of jobs) job.reject(reason)
  }

  /** Has one more thread take what is queued. Where none can start, those that run will; without any it is rejected. */
  #reinforce(): void {
    let worker: Worker
    try {
      worker = this.#start()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (this.#workers.size === 0) for (const job of this.#queue.splice(0)) job.reject(error)
      return
    }
    this.#next(worker)
  }

  #start(): Worker {
    const worker = this.#options.startWorker()
    this.#workers.set(worker, undefined)
    // Its work must not keep the program alive after it was told to quit.
    worker.unref()
    worker.on('message', (result: Result) => {
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
    job?.reject(new Failure('file', `${this.#options.work} failed: ${error.message}`, error))
    if (this.#queue.length > 0) this.#reinforce()
  }

  #next(worker: Worker): void {
    const job = this.#queue.shift()
    this.#workers.set(worker, job)
    if (job === undefined) this.#endIdleLater()
    else worker.postMessage(job.task())
  }

  #endIdleLater(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      for (const [worker, job] of this.#workers) {
        if (job !== undefined) continue
        this.#workers.delete(worker)
        void worker.terminate()
      }
    }, this.#options.idleMs)
    this.#idle.unref()
  }
}
