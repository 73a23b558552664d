// A worker that fills one folder and ends.

import { parentPort, workerData } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { unpack, type UnpackTask } from './unpack.ts'

/** How it went: nothing to say, or what failed. */
export type UnpackResult =
  | { readonly done: true }
  | {
      readonly code: 'file' | 'protocol'
      readonly sentence: string
      /** Of the system, such as ENOSPC. */
      readonly systemCode: string | undefined
    }

function run(task: UnpackTask): UnpackResult {
  try {
    unpack(task)
    return { done: true }
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : error
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
    const code = error instanceof Failure && error.code === 'protocol' ? 'protocol' : 'file'
    return { code, sentence: sentenceOf(error), systemCode: systemCode(cause) }
  }
}

parentPort?.postMessage(run(workerData as UnpackTask))
