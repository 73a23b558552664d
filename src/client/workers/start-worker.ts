// Starts a thread of the client.

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { keepShortLivedSmall } from '../memory-flag.ts'

export function startWorker(script: URL, options: WorkerOptions = {}): Worker {
  return new Worker(script, options).once('online', keepShortLivedSmall)
}
