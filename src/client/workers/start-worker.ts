// Starts a thread of the client.

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { EngineFlags } from '../engine-flags.ts'

/** V8's flags are one set for the whole process. */
const flags = new EngineFlags()

/** Call it when the client has started, and does what it is there for. */
export function flagsForWork(): void {
  flags.onWork()
}

/** Throws a `file` failure where no thread can start: the machine, or the user, has as many as are allowed. */
export function startWorker(script: URL, options: WorkerOptions = {}): Worker {
  const onStarted = flags.onStarting()
  try {
    return new Worker(script, options).once('online', onStarted).once('exit', onStarted)
  } catch (error) {
    onStarted()
    if (systemCode(error) !== 'ERR_WORKER_INIT_FAILED') throw error
    throw new Failure('file', `no thread can be started: ${sentenceOf(error)}`, error)
  }
}
