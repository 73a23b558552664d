// Fills a folder from its part file in a thread of its own, so that the event loop goes on.

import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { startWorker } from './start-worker.ts'
import type { UnpackTask } from './unpack.ts'
import type { UnpackResult } from './unpack-worker.ts'

/** Resolves when the folder is filled. Rejects with a `file` or `protocol` failure. */
export async function runUnpacking(task: UnpackTask, start = startUnpackWorker): Promise<void> {
  const worker = start(task)
  const ended = once(worker, 'exit')
  ended.catch(() => undefined)
  const message = once(worker, 'message')
  const result = await Promise.race([message, ended.then(() => undefined)]).catch((error: unknown) => {
    throw new Failure('file', `the thread that writes the folder broke`, error)
  })
  await ended
  const [found] = (result ?? []) as [UnpackResult | undefined]
  if (found === undefined) throw new Failure('file', 'the thread that writes the folder ended by itself')
  if ('code' in found) throw new Failure(found.code, found.sentence, causeOf(found))
}

/** An error loses its code on the way between threads. */
function causeOf({ systemCode }: { readonly systemCode: string | undefined }): Error | undefined {
  return systemCode === undefined ? undefined : Object.assign(new Error(systemCode), { code: systemCode })
}

function startUnpackWorker(workerData: UnpackTask): Worker {
  return startWorker(new URL('./unpack-worker.js', import.meta.url), { workerData })
}
