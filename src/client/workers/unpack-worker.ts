// A worker that reads what is in one folder, fills it when it is told where, and ends.

import { parentPort, workerData } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { readContents, unpack, type UnpackSource, type UnpackTask } from './unpack.ts'

/** How it went: nothing to say, or what failed. */
export type UnpackResult =
  | { readonly done: true }
  | {
      readonly code: 'file' | 'protocol'
      readonly sentence: string
      /** Of the system, such as ENOSPC. */
      readonly systemCode: string | undefined
    }

/** Returns what failed, as it is posted, or what `work` returns. */
function attempt<T>(work: () => T): T | Exclude<UnpackResult, { done: true }> {
  try {
    return work()
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : error
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
    const code = error instanceof Failure && error.code === 'protocol' ? 'protocol' : 'file'
    return { code, sentence: sentenceOf(error), systemCode: systemCode(cause) }
  }
}

const source = workerData as UnpackSource
const contents = attempt(() => readContents(source))
// With the only listener gone, the thread ends.
parentPort?.once('message', (task: UnpackTask) => {
  const result: UnpackResult =
    'code' in contents
      ? contents
      : attempt(() => {
          unpack(source, contents, task)
          return { done: true } as const
        })
  parentPort?.postMessage(result)
})
