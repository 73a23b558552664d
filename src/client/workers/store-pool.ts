// Verifies received pieces and writes them on all cores, without blocking the event loop. Provides the
// buffers to receive pieces into; from there no byte is copied or sent to a thread. When a worker breaks, the
// event loop finishes its work, so that no piece is lost and nobody waits forever.

import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { piecesAtOnce } from '../hashing/piece-hash.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import { StoreCrew } from './store-crew.ts'
import { storeHere } from './store-here.ts'
import type { StoreJob, StoreOutcome } from './store-slots.ts'

/** A buffer of `pieceBytes` to receive a piece into. Nobody may touch it after `release`. */
export interface PieceBuffer {
  readonly bytes: Buffer
  /** Its name in the pool; undefined for a buffer outside the shared memory. */
  readonly slot: number | undefined
  readonly release: () => void
}

/** How long to keep idle workers: the pieces of a download arrive one by one. */
const idleMs = 1000

/** How long the event loop works alone after a worker broke: the cause may well break the next one. */
const restMs = 10_000

export class StorePool {
  readonly #size: number
  /** For pieces that are put together from what is here. */
  readonly #sizeHere: number
  readonly #startWorker: ((data: object) => Worker) | undefined
  #crew: StoreCrew
  /** The crew that owns each taken slot, by name. A broken crew owns its slots until they are released. */
  readonly #taken = new Map<number, StoreCrew>()
  /** Broken crews that are finishing their pieces. */
  readonly #finishing = new Set<Promise<void>>()
  #restUntilMs = Number.NEGATIVE_INFINITY
  #idle: NodeJS.Timeout | undefined

  /** `startWorker` is for tests; it receives the worker's data. */
  constructor(
    size = workersMax(),
    startWorker?: (data: object) => Worker,
    sizeHere = Math.max(size, workersHereMax()),
  ) {
    this.#size = size
    this.#sizeHere = sizeHere
    this.#startWorker = startWorker
    this.#crew = this.#newCrew(0)
  }

  /** Whether a worker is ready. */
  get isStaffed(): boolean {
    return this.#crew.isStaffed
  }

  /** A buffer in the shared memory or, when all are taken, one outside it, which the caller has to hash. */
  take(): PieceBuffer {
    const crew = this.#crew
    const slot = crew.take()
    if (slot === undefined) return ownBuffer()
    this.#taken.set(slot, crew)
    return {
      slot,
      bytes: crew.piece(slot),
      release: () => {
        if (this.#taken.delete(slot)) crew.giveBack(slot)
      },
    }
  }

  /**
   * Verifies the piece in a slot and writes it if it is the expected one. Until this settles, the piece must
   * not change and the files must stay open. Rejects with the system's error when the write fails.
   */
  store(slot: number, job: StoreJob): Promise<StoreOutcome> {
    const crew = this.#taken.get(slot)
    if (crew === undefined) throw new Error(`slot ${slot} is not taken`)
    this.warmUp()
    // The crew broke after the slot was taken: no worker looks into that memory any more.
    if (crew !== this.#crew) return storeHere(crew.piece(slot), job)
    return crew.post(slot, job)
  }

  /**
   * Starts a worker in advance, because starting one takes longer than a piece. Starts one at a time, so that
   * the first does not compete with the next for the cores while starting: each costs 0.1 s of one.
   * `comesFromHere`: the pieces are not fetched. All that they need are started, since they wait for nothing then.
   */
  warmUp(comesFromHere = false): void {
    const crew = this.#crew
    const isStarting = crew.onDutyCount < crew.workerCount
    const next = isStarting ? 0 : Math.min(this.#size, crew.workerCount + 1)
    const wanted = comesFromHere ? this.#sizeHere : next
    if (performance.now() >= this.#restUntilMs)
      while (crew.workerCount < wanted && crew === this.#crew) crew.startWorker()
    if (this.#idle === undefined) this.#endIdleLater()
    else this.#idle.refresh()
  }

  /** Ends the workers and rejects the pieces that none of them had begun. */
  async close(): Promise<void> {
    this.#stopIdleTimer()
    await this.#crew.endWorkers()
    this.#crew.rejectRest(new Failure('file', 'storing was stopped'))
    await Promise.all(this.#finishing)
  }

  #newCrew(firstSlot: number): StoreCrew {
    return new StoreCrew(firstSlot, (error) => this.#onBroken(error), this.#startWorker)
  }

  /** Gives the next workers new memory, since a broken worker may have left the old one in any state. */
  #onBroken(error: unknown): void {
    const broken = this.#crew
    this.#crew = this.#newCrew(broken.endSlot)
    this.#stopIdleTimer()
    // Warns once: somebody must hear of a bug, but not of each retry.
    if (this.#restUntilMs < 0)
      process.emitWarning(
        `a thread that writes pieces has ended, so downloads are slower: ${sentenceOf(error)}`,
      )
    this.#restUntilMs = performance.now() + restMs
    const finished = broken.finishHere().finally(() => this.#finishing.delete(finished))
    this.#finishing.add(finished)
  }

  #endIdleLater(): void {
    this.#idle = setTimeout(() => {
      this.#idle = undefined
      if (this.#crew.isWaiting) this.#endIdleLater()
      else void this.#crew.endWorkers()
    }, idleMs)
    this.#idle.unref()
  }

  #stopIdleTimer(): void {
    clearTimeout(this.#idle)
    this.#idle = undefined
  }
}

/**
 * The event loop cannot receive much more than 1 GB/s, and has a core of its own. A worker that hashes sixteen pieces at
 * once keeps up with it. One that hashes two only just does, so there is another where a core is left.
 */
function workersMax(): number {
  const cores = Math.max(1, availableParallelism())
  if (piecesAtOnce === 1) return Math.min(4, cores)
  return piecesAtOnce > 2 ? 1 : Math.min(2, Math.max(1, cores - 1))
}

/** What comes from this machine leaves the event loop time, and comes faster than a worker hashes two at once. */
function workersHereMax(): number {
  return piecesAtOnce === 2 ? Math.min(2, availableParallelism()) : workersMax()
}

/** A buffer that only the event loop can read. */
export function ownBuffer(): PieceBuffer {
  const bytes = takePieceBuffer()
  return { bytes, slot: undefined, release: () => returnPieceBuffer(bytes) }
}
