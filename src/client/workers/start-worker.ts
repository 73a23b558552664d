// Starts a thread of the client.

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { EngineFlags } from '../engine-flags.ts'

/** V8's flags are one set for the whole process. */
const flags = new EngineFlags()

/** Call it when the client has started, and does what it is there for. */
export function flagsForWork(): void {
  flags.onWork()
}

export function startWorker(script: URL, options: WorkerOptions = {}): Worker {
  const onStarted = flags.onStarting()
  return new Worker(script, options).once('online', onStarted).once('exit', onStarted)
}
