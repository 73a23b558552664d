// A worker that reads what is in one folder, fills it when it is told where, and ends. It is told which pieces are there,
// and writes out what they have, until it hears that all are.

import { parentPort, workerData } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import { readContents, Unpacker, type Filled, type UnpackSource, type UnpackTask } from './unpack.ts'

/** What the worker is told: first where to, then which pieces are there, at last that all are. */
export type UnpackOrder =
  { readonly fill: UnpackTask } | { readonly pieces: readonly number[] } | { readonly finish: true }

/**
 * What it tells: first that the tree is good, unless that is not so; then, of pieces that are lent, those that are needed in
 * the part file; and at last the result.
 */
export type UnpackNews = { readonly isTreeGood: true } | { readonly needed: readonly number[] } | UnpackResult

/** How it went, or what failed. */
export type UnpackResult =
  | Filled
  | {
      readonly code: 'file' | 'protocol'
      readonly sentence: string
      /** Of the system, such as ENOSPC. */
      readonly systemCode: string | undefined
    }

/** Returns what failed, as it is posted, or what `work` returns. */
function attempt<T>(work: () => T): T | Exclude<UnpackResult, Filled> {
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
let unpacker: Unpacker | undefined

/** Returns the result when there is one. */
function carryOut(contents: FolderContents, order: UnpackOrder): UnpackResult | undefined {
  if ('fill' in order) {
    unpacker = new Unpacker(source, contents, order.fill)
    tell({ needed: unpacker.linkLent() })
  } else if ('pieces' in order) for (const index of order.pieces) unpacker?.onPiece(index)
  else {
    return unpacker?.finish()
  }
  return undefined
}

function tell(news: UnpackNews): void {
  parentPort?.postMessage(news)
}

if ('code' in contents) tell(contents)
else {
  tell({ isTreeGood: true })
  const onOrder = (order: UnpackOrder): void => {
    const result = attempt(() => carryOut(contents, order))
    if (result === undefined) return
    unpacker?.close()
    tell(result)
    // With the only listener gone, the thread ends.
    parentPort?.off('message', onOrder)
  }
  parentPort?.on('message', onOrder)
}
