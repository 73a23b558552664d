// Verifies received pieces and writes them without stopping the event loop, on all cores. Hands out the
// buffers that pieces are received into: from there on no byte of them is copied or sent to a thread.
// When a worker breaks, the loop finishes what it left: a piece is never lost by that, and nobody waits for ever.

import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import { StoreCrew } from './store-crew.ts'
import { storeHere } from './store-here.ts'
import type { StoreJob, StoreOutcome } from './store-slots.ts'

/** A buffer of `pieceBytes` to receive a piece into. Nobody may touch it after `release`. */
export interface PieceBuffer {
  readonly bytes: Buffer
  /** Its name in the pool; undefined for one of the loop's own memory. */
  readonly slot: number | undefined
  readonly release: () => void
}

/** Workers without work are kept for this long: pieces of a download come one by one. */
const idleMs = 1000

/** After a worker broke the loop works alone for so long: what broke it may well break the next. */
const restMs = 10_000

export class StorePool {
  readonly #size: number
  readonly #startWorker: ((data: object) => Worker) | undefined
  #crew: StoreCrew
  /** Who owns the slots that are taken, by their names. A crew that broke owns its own until they are released. */
  readonly #taken = new Map<number, StoreCrew>()
  /** What crews that broke have left is being finished. */
  readonly #finishing = new Set<Promise<void>>()
  #restUntilMs = Number.NEGATIVE_INFINITY
  #idle: NodeJS.Timeout | undefined

  /** `startWorker` is for tests: it gets the worker's data. */
  constructor(
    size = Math.min(4, Math.max(1, availableParallelism())),
    startWorker?: (data: object) => Worker,
  ) {
    this.#size = size
    this.#startWorker = startWorker
    this.#crew = this.#newCrew(0)
  }

  /** Whether a worker is there already. */
  get isStaffed(): boolean {
    return this.#crew.isStaffed
  }

  /** A buffer of the workers' memory, or one of its own when they are all taken: then hash it here. */
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
   * Verifies the piece in a slot and writes it, if it is the expected one. Neither the piece may change nor
   * the files be closed until then. Rejects with the system's error when it cannot be written.
   */
  store(slot: number, job: StoreJob): Promise<StoreOutcome> {
    const crew = this.#taken.get(slot)
    if (crew === undefined) throw new Error(`slot ${slot} is not taken`)
    // Its workers are gone since it was taken: nobody would look into that memory again.
    if (crew !== this.#crew) return storeHere(crew.piece(slot), job)
    this.warmUp()
    return crew.post(slot, job)
  }

  /**
   * Starts a worker that pieces will need soon: it takes longer than a piece. One after the other, so that
   * the first is not held up by the next, which take as much of the cores until they have started.
   */
  warmUp(): void {
    const crew = this.#crew
    const isResting = performance.now() < this.#restUntilMs
    if (!isResting && crew.workerCount < this.#size && crew.onDutyCount >= crew.workerCount)
      crew.startWorker()
    if (this.#idle === undefined) this.#endIdleLater()
    else this.#idle.refresh()
  }

  /** Ends the workers; pieces that none of them had begun with are rejected. */
  async close(): Promise<void> {
    this.#stopIdleTimer()
    await this.#crew.endWorkers()
    this.#crew.rejectRest(new Failure('file', 'storing was stopped'))
    await Promise.all(this.#finishing)
  }

  #newCrew(firstSlot: number): StoreCrew {
    return new StoreCrew(firstSlot, (error) => this.#onBroken(error), this.#startWorker)
  }

  /** The next workers get new memory: nobody knows in which state a worker that broke left the old one. */
  #onBroken(error: unknown): void {
    const broken = this.#crew
    this.#crew = this.#newCrew(broken.endSlot)
    this.#stopIdleTimer()
    // Told once: somebody has to hear of a bug, and nobody of each try.
    if (this.#restUntilMs < 0)
      process.emitWarning(`a thread that stores pieces broke, which makes it slower: ${sentenceOf(error)}`)
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

/** A buffer that only the loop can read. */
export function ownBuffer(): PieceBuffer {
  const bytes = takePieceBuffer()
  return { bytes, slot: undefined, release: () => returnPieceBuffer(bytes) }
}
