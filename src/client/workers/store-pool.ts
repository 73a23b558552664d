// Verifies received pieces and writes them without stopping the event loop, on all cores. Hands out the
// buffers that pieces are received into: from there on no byte of them is copied or sent to a thread.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'
import { slotCount, SlotState, StoreSlots, type StoreJob } from './store-slots.ts'
import type { StoreFailure, StoreShift } from './store-worker.ts'

/** A buffer of `pieceBytes` to receive a piece into. Nobody may touch it after `release`. */
export interface PieceBuffer {
  readonly bytes: Buffer
  /** In the memory of the workers; undefined for one of the loop's own. */
  readonly slot: number | undefined
  readonly release: () => void
}

interface Waiting {
  readonly resolve: (isGood: boolean) => void
  readonly reject: (error: Error) => void
}

/** Workers without work are kept for this long: pieces of a download come one by one. */
const idleMs = 1000

export class StorePool {
  readonly #size: number
  #slots = new StoreSlots()
  /** Slots that nobody has. The last is taken first: its memory is in use already, and in the cache. */
  #free = allSlots()
  readonly #waiting = new Map<number, Waiting>()
  readonly #failures = new Map<number, StoreFailure>()
  /** With when each has ended. */
  readonly #workers = new Map<Worker, Promise<void>>()
  #idle: NodeJS.Timeout | undefined

  constructor(size = Math.min(4, Math.max(1, availableParallelism()))) {
    this.#size = size
  }

  /** Whether a worker is there already. */
  get isStaffed(): boolean {
    return this.#slots.onDutyCount > 0
  }

  /** A buffer of the workers' memory, or one of its own when they are all taken: then hash it here. */
  take(): PieceBuffer {
    const slot = this.#free.pop()
    if (slot === undefined) return ownBuffer()
    const free = this.#free
    return { slot, bytes: this.#slots.piece(slot), release: () => free.push(slot) }
  }

  /**
   * Verifies the piece in a slot and writes it; false when it is not the expected one. Neither the piece
   * may change nor the files be closed until then. Rejects with the system's error when it cannot be written.
   */
  store(slot: number, job: StoreJob): Promise<boolean> {
    this.warmUp()
    return new Promise((resolve, reject) => {
      this.#waiting.set(slot, { resolve, reject })
      this.#slots.post(slot, job)
    })
  }

  /**
   * Starts a worker that pieces will need soon: it takes longer than a piece. One after the other, so that
   * the first is not held up by the next, which take as much of the cores until they have started.
   */
  warmUp(): void {
    if (this.#workers.size < this.#size && this.#slots.onDutyCount >= this.#workers.size) this.#start()
    if (this.#idle === undefined) this.#endIdleLater()
    else this.#idle.refresh()
  }

  /** Ends the workers; pieces that none of them had begun with are rejected. */
  async close(): Promise<void> {
    await this.#endWorkers()
    this.#lookForDone()
    this.#rejectAll(new Failure('file', 'storing was stopped'))
  }

  #start(): void {
    const { memory, shift } = this.#slots
    const workerData: StoreShift = { memory, shift }
    const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData })
    // It must not keep a program alive that has been told to quit.
    worker.unref()
    worker.on('message', (failure: StoreFailure | undefined) => {
      if (failure === undefined) this.#lookForDone()
      else this.#failures.set(failure.slot, failure)
    })
    worker.on('error', (error) => void this.#startOver(error))
    this.#workers.set(worker, new Promise((resolve) => worker.once('exit', () => resolve())))
  }

  #lookForDone(): void {
    this.#slots.silenceBell()
    for (const [slot, waiting] of this.#waiting) {
      const state = this.#slots.state(slot)
      if (state < SlotState.stored) continue
      this.#slots.setState(slot, SlotState.idle)
      this.#waiting.delete(slot)
      if (state === SlotState.failed) waiting.reject(this.#errorOf(slot))
      else waiting.resolve(state === SlotState.stored)
    }
  }

  #errorOf(slot: number): Error {
    const failure = this.#failures.get(slot)
    this.#failures.delete(slot)
    return Object.assign(new Error(failure?.problem ?? 'writing failed'), { code: failure?.code })
  }

  /** A worker broke, and left its slot and perhaps the lock as they were: the next have new memory. */
  async #startOver(error: Error): Promise<void> {
    const broken = [...this.#waiting.values()]
    this.#waiting.clear()
    const ended = this.#endWorkers()
    this.#slots = new StoreSlots()
    this.#free = allSlots()
    // Only now: whoever is told closes its files, and the others may still be writing to them.
    await ended
    for (const { reject } of broken) reject(new Failure('file', `verifying failed: ${error.message}`, error))
  }

  #rejectAll(failure: Failure): void {
    for (const waiting of this.#waiting.values()) waiting.reject(failure)
    this.#waiting.clear()
  }

  async #endWorkers(): Promise<void> {
    clearTimeout(this.#idle)
    this.#idle = undefined
    this.#slots.endShift()
    const ended = [...this.#workers.values()]
    this.#workers.clear()
    await Promise.all(ended)
  }

  #endIdleLater(): void {
    this.#idle = setTimeout(() => {
      this.#idle = undefined
      if (this.#waiting.size > 0) this.#endIdleLater()
      else void this.#endWorkers()
    }, idleMs)
    this.#idle.unref()
  }
}

/** A buffer that only the loop can read. */
export function ownBuffer(): PieceBuffer {
  const bytes = takePieceBuffer()
  return { bytes, slot: undefined, release: () => returnPieceBuffer(bytes) }
}

function allSlots(): number[] {
  return Array.from({ length: slotCount }, (_, slot) => slotCount - 1 - slot)
}
