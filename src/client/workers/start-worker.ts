// Starts a thread of the client.

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { flagsOfProcess } from '../engine-flags.ts'

/** Throws a `file` failure where no thread can start: the machine, or the user, has as many as are allowed. */
export function startWorker(script: URL, options: WorkerOptions = {}): Worker {
  const onStarted = flagsOfProcess.onStarting()
  try {
    return new Worker(script, options).once('online', onStarted).once('exit', onStarted)
  } catch (error) {
    onStarted()
    if (systemCode(error) !== 'ERR_WORKER_INIT_FAILED') throw error
    throw new Failure('file', `no thread can be started: ${sentenceOf(error)}`, error)
  }
}
