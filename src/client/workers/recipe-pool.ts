// Makes recipes and finds blocks without blocking the event loop: in threads, except for what is over before one would
// have started.

import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { BlockIndex, SoughtBlocks } from '../../common/recipe/block-index.ts'
import type { PieceRecords } from '../../common/recipe/recipe.ts'
import { blockSums, type Found, type Window } from '../../common/recipe/scan.ts'
import { fastestSums } from '../hashing/block-match.ts'
import { inlinePieces } from './hash-pool.ts'
import { runRecipe, type RecipeResult, type RecipeTask } from './recipe-worker.ts'
import { startWorker } from './start-worker.ts'
import { TaskPool } from './task-pool.ts'

/** What looks for blocks, or makes a recipe, gives each something to do. */
export const threads = 2
const idleMs = 250
/**
 * What the event loop does itself: in C, 4 MiB at once take it 7 ms at most, and starting a thread takes a core 40 ms, as
 * long as looking through 25 to 150 MiB.
 */
const inlineBytes = (fastestSums === blockSums ? inlinePieces : 256) * pieceBytes

/** How much there is to do in all, in bytes: little is done by the event loop. */
export interface Amount {
  readonly totalBytes: number
  readonly signal?: AbortSignal | undefined
}

/** Of more blocks than this the loop arranges no index: in a program that just began, so many take it 25 ms. */
const inlineBlocks = 8192

export class RecipePool {
  readonly #tasks: TaskPool<RecipeTask, RecipeResult>

  readonly #inlineBytes: number

  /** `startWorker`, and the most bytes that are done without a thread, are for tests. */
  constructor(startWorker = startRecipeWorker, most = inlineBytes) {
    this.#inlineBytes = most
    this.#tasks = new TaskPool({ work: 'looking for known blocks', size: threads, startWorker, idleMs })
  }

  /**
   * The records of the blocks of pieces, which lie in shared memory. All of these reject with a `file` failure when the
   * thread ended, or with the signal's reason as soon as it aborts.
   */
  async recordsOf(
    pieces: readonly Uint8Array[],
    blockBytes: number,
    amount: Amount,
  ): Promise<PieceRecords[]> {
    const result = await this.#run({ kind: 'records', pieces, blockBytes }, amount)
    if (!('records' in result)) throw new Error('the worker answered something else')
    return result.records
  }

  async indexOf(sought: SoughtBlocks, amount: Amount): Promise<BlockIndex> {
    const records = new Uint8Array(new SharedArrayBuffer(sought.records.length))
    records.set(sought.records)
    const count = sought.lengths.reduce((sum, length) => (length > 0 ? sum + 1 : sum), 0)
    // What has too many counts as if it were too large.
    const totalBytes = count > inlineBlocks ? Number.POSITIVE_INFINITY : amount.totalBytes
    const result = await this.#run(
      { kind: 'index', sought: { ...sought, records } },
      { ...amount, totalBytes },
    )
    if (!('index' in result)) throw new Error('the worker answered something else')
    return result.index
  }

  async find(index: BlockIndex, window: Window, amount: Amount): Promise<Found> {
    const result = await this.#run({ kind: 'find', index, window }, amount)
    if (!('found' in result)) throw new Error('the worker answered something else')
    return result.found
  }

  /** Ends the threads and rejects what is pending. */
  close(): Promise<void> {
    return this.#tasks.close()
  }

  async #run(task: RecipeTask, { totalBytes, signal }: Amount): Promise<RecipeResult> {
    signal?.throwIfAborted()
    if (totalBytes <= this.#inlineBytes) {
      const result = runRecipe(task)
      // Reading from memory waits for nothing, so nobody else would have a turn.
      await setImmediate()
      signal?.throwIfAborted()
      return result
    }
    const [result] = await this.#tasks.runAll([() => task], (done) => done, signal)
    if (result === undefined) throw new Failure('file', 'a thread gave no result')
    return result
  }
}

function startRecipeWorker(): Worker {
  return startWorker(new URL('./recipe-worker.js', import.meta.url))
}
