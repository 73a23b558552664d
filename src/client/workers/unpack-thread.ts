// Fills a folder from its part file in a thread of its own, so that the event loop goes on. The thread may be started before
// all pieces are there: it then reads what is in the folder, which takes as long as making a quarter of its files, says
// whether that is what the pieces are for, and writes out what it hears of.

import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { startWorker } from './start-worker.ts'
import type { Filled, UnpackSource, UnpackTask } from './unpack.ts'
import type { UnpackNews, UnpackOrder, UnpackResult } from './unpack-worker.ts'

export class UnpackThread {
  readonly #worker: Worker
  readonly #isTreeRead: Promise<void>
  readonly #needed: Promise<readonly number[]>
  /** Undefined when it ended without one; rejects when it broke. */
  readonly #result: Promise<UnpackResult | undefined>
  readonly #ended: Promise<unknown>

  /** `start` is for tests. */
  constructor(source: UnpackSource, start = startUnpackWorker) {
    const worker = start(source)
    this.#worker = worker
    this.#ended = once(worker, 'exit')
    const onNews = (take: (news: UnpackNews) => void): unknown => worker.on('message', take)
    this.#isTreeRead = new Promise((resolve) => onNews((news) => 'isTreeGood' in news && resolve()))
    this.#needed = new Promise((resolve) => onNews((news) => 'needed' in news && resolve(news.needed)))
    this.#result = new Promise((resolve, reject) => {
      onNews((news) => ('made' in news || 'code' in news) && resolve(news))
      worker.on('error', reject)
      worker.on('exit', () => resolve(undefined))
    })
    // It may break before anyone waits for it, and an unhandled rejection ends the program.
    for (const promise of [this.#result, this.#ended]) promise.catch(() => undefined)
  }

  /** Resolves when the tree was read and is that of the pieces. Rejects as `outcome`. */
  async treeGood(): Promise<void> {
    await Promise.race([this.#isTreeRead, this.outcome()])
  }

  /** Names the folder to fill, before all else. */
  begin(fill: UnpackTask): void {
    this.#tell({ fill })
  }

  /** Of the lent pieces that `begin` named, those that are needed in the part file. Rejects as `outcome`. */
  async needed(): Promise<readonly number[]> {
    return Promise.race([this.#needed, this.outcome().then(() => [])])
  }

  /** These pieces are in the part file: what they have is written. */
  onPieces(pieces: readonly number[]): void {
    this.#tell({ pieces })
  }

  /** All pieces that are needed are in the part file. */
  onAll(): void {
    this.#tell({ finish: true })
  }

  /**
   * Resolves when the folder is filled, and the thread has ended. Rejects with a `file` or `protocol` failure, as soon as
   * there is one.
   */
  async outcome(): Promise<Filled> {
    const result = await this.#result.catch((error: unknown) => {
      throw new Failure('file', 'the thread that writes the folder broke', error)
    })
    if (result === undefined) throw new Failure('file', 'the thread that writes the folder ended by itself')
    await this.#ended
    if ('code' in result) throw new Failure(result.code, result.sentence, causeOf(result))
    return result
  }

  /** Ends it, whatever it does. Resolves when it has ended. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #tell(order: UnpackOrder): void {
    this.#worker.postMessage(order)
  }
}

/** An error loses its code on the way between threads. */
function causeOf({ systemCode }: { readonly systemCode: string | undefined }): Error | undefined {
  return systemCode === undefined ? undefined : Object.assign(new Error(systemCode), { code: systemCode })
}

function startUnpackWorker(workerData: UnpackSource): Worker {
  return startWorker(new URL('./unpack-worker.js', import.meta.url), { workerData })
}
