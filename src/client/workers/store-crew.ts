// One shared memory and the workers that use it. When a worker ends before its shift does, the crew is broken
// and no longer used: the slots may be in any state, and the write lock may never be released.

import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { storeHere } from './store-here.ts'
import { slotCount, SlotState, StoreSlots, type StoreJob, type StoreOutcome } from './store-slots.ts'
import type { StoreShift } from './store-worker.ts'
import { startWorker } from './start-worker.ts'
import { systemError } from './system-error.ts'

const outcomes: ReadonlyMap<SlotState, StoreOutcome> = new Map([
  [SlotState.stored, 'stored'],
  [SlotState.touched, 'touched'],
  [SlotState.bad, 'bad'],
])

interface Waiting {
  readonly job: StoreJob
  readonly resolve: (outcome: StoreOutcome) => void
  readonly reject: (error: Error) => void
}

export class StoreCrew {
  /** The name of slot 0. Each crew of a pool has its own range of `slotCount` names. */
  readonly #firstSlot: number
  readonly #onBroken: (error: unknown) => void
  readonly #newWorker: (data: object) => Worker
  readonly #slots = new StoreSlots()
  /** Free slots. The last is taken first: its memory is already allocated, and in the cache. */
  readonly #free = Array.from({ length: slotCount }, (_, slot) => slotCount - 1 - slot)
  readonly #waiting = new Map<number, Waiting>()
  /** All running workers, including those whose shift is over, each with a promise for its end. */
  readonly #workers = new Map<Worker, Promise<void>>()
  #workersOfShift = 0
  #isBroken = false

  /** `onBroken` is called once, when the first worker ends unasked. */
  constructor(
    firstSlot: number,
    onBroken: (error: unknown) => void,
    newWorker: (data: object) => Worker = startStoreWorker,
  ) {
    this.#firstSlot = firstSlot
    this.#onBroken = onBroken
    this.#newWorker = newWorker
  }

  /** The first slot name of the next crew. */
  get endSlot(): number {
    return this.#firstSlot + slotCount
  }

  get isStaffed(): boolean {
    return this.#slots.onDutyCount > 0
  }

  /** How many workers, of `workerCount`, have begun to look for work. */
  get onDutyCount(): number {
    return this.#slots.onDutyCount
  }

  get workerCount(): number {
    return this.#workersOfShift
  }

  /** Whether any posted piece is unfinished. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  take(): number | undefined {
    const slot = this.#free.pop()
    return slot === undefined ? undefined : this.#firstSlot + slot
  }

  giveBack(name: number): void {
    this.#free.push(name - this.#firstSlot)
  }

  piece(name: number): Buffer {
    return this.#slots.piece(name - this.#firstSlot)
  }

  /** Hands a piece to the workers. Settles when it is done, or through `rejectRest` or `finishHere`. */
  post(name: number, job: StoreJob): Promise<StoreOutcome> {
    const slot = name - this.#firstSlot
    return new Promise((resolve, reject) => {
      this.#waiting.set(slot, { job, resolve, reject })
      this.#slots.post(slot, job)
    })
  }

  startWorker(): void {
    const { memory, shift } = this.#slots
    const data: StoreShift = { memory, shift }
    const worker = this.#begun(data)
    if (worker === undefined) return
    // Must not keep the program alive after it was told to quit.
    worker.unref()
    worker.on('message', () => this.#lookForDone())
    worker.on('error', (error) => this.#breakUp(error))
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        this.#workers.delete(worker)
        if (this.#slots.shift === shift) this.#breakUp(new Error(`it ended by itself, with code ${code}`))
        resolve()
      })
    })
    this.#workers.set(worker, ended)
    this.#workersOfShift++
  }

  /** Undefined where none can start; then the crew is broken. */
  #begun(data: StoreShift): Worker | undefined {
    try {
      return this.#newWorker(data)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#breakUp(error)
      return undefined
    }
  }

  /** Ends the workers; resolves when none runs any more. None stops in the middle of a piece. */
  async endWorkers(): Promise<void> {
    this.#slots.endShift()
    this.#workersOfShift = 0
    // Otherwise nothing would keep the program alive until the workers have ended.
    for (const worker of this.#workers.keys()) worker.ref()
    await Promise.all(this.#workers.values())
    this.#lookForDone()
  }

  /** Rejects the pieces that no worker had begun before the workers ended. */
  rejectRest(failure: Failure): void {
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }

  /** Finishes the pieces of a broken crew on the event loop. Resolves when all are done; never rejects. */
  async finishHere(): Promise<void> {
    // Waits for the last worker: others may still write, and callers close their files when a piece settles.
    await this.endWorkers()
    for (const [slot, { job, resolve, reject }] of this.#waiting) {
      this.#waiting.delete(slot)
      await storeHere(this.#slots.piece(slot), job).then(resolve, reject)
    }
  }

  #breakUp(error: unknown): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#onBroken(error)
  }

  #lookForDone(): void {
    this.#slots.silenceBell()
    for (const [slot, { resolve, reject }] of this.#waiting) {
      const state = this.#slots.state(slot)
      const outcome = outcomes.get(state)
      if (outcome === undefined && state !== SlotState.failed) continue
      this.#slots.setState(slot, SlotState.idle)
      this.#waiting.delete(slot)
      if (outcome === undefined) reject(systemError(this.#slots.errnoOf(slot), 'write'))
      else resolve(outcome)
    }
  }
}

function startStoreWorker(workerData: object): Worker {
  return startWorker(new URL('./store-worker.js', import.meta.url), { workerData })
}
