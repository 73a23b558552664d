// One shared memory and the workers that look into it. When one of them ends before its shift does, the crew
// is broken: the slots may be in any state, and the lock may be held by nobody. It is then used no more.

import { Worker } from 'node:worker_threads'
import type { Failure } from '../../common/failure.ts'
import { storeHere } from './store-here.ts'
import { slotCount, SlotState, StoreSlots, type StoreJob, type StoreOutcome } from './store-slots.ts'
import type { StoreShift } from './store-worker.ts'
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
  /** Slots are named by numbers that no other crew of the pool has: from this one on, `slotCount` of them. */
  readonly #firstSlot: number
  readonly #onBroken: (error: unknown) => void
  readonly #newWorker: (data: object) => Worker
  readonly #slots = new StoreSlots()
  /** Slots that nobody has. The last is taken first: its memory is in use already, and in the cache. */
  readonly #free = Array.from({ length: slotCount }, (_, slot) => slotCount - 1 - slot)
  readonly #waiting = new Map<number, Waiting>()
  /** All that run, also those whose shift is over, each with its end. */
  readonly #workers = new Map<Worker, Promise<void>>()
  #workersOfShift = 0
  #isBroken = false

  /** `onBroken` is called once, by the first worker that ends without having been told to. */
  constructor(
    firstSlot: number,
    onBroken: (error: unknown) => void,
    newWorker: (data: object) => Worker = startStoreWorker,
  ) {
    this.#firstSlot = firstSlot
    this.#onBroken = onBroken
    this.#newWorker = newWorker
  }

  /** Where the names of the next crew may begin. */
  get endSlot(): number {
    return this.#firstSlot + slotCount
  }

  get isStaffed(): boolean {
    return this.#slots.onDutyCount > 0
  }

  /** Workers that have begun to look for work, of `workerCount`. */
  get onDutyCount(): number {
    return this.#slots.onDutyCount
  }

  get workerCount(): number {
    return this.#workersOfShift
  }

  /** Whether a posted piece is not done yet. */
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

  /** Hands a piece to the workers. Settles when it is done, or by `rejectRest` or `finishHere`. */
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
    const worker = this.#newWorker(data)
    // It must not keep a program alive that has been told to quit.
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

  /** Resolves when no worker runs any more. None stops inside a piece. */
  async endWorkers(): Promise<void> {
    this.#slots.endShift()
    this.#workersOfShift = 0
    // Else nothing would keep the program alive until they have ended, and it would end in the middle of this.
    for (const worker of this.#workers.keys()) worker.ref()
    await Promise.all(this.#workers.values())
    this.#lookForDone()
  }

  /** For pieces that nobody began with before the workers ended. */
  rejectRest(failure: Failure): void {
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }

  /** For a crew that is broken. Never rejects; resolves when every piece that was posted is done. */
  async finishHere(): Promise<void> {
    // Not before the last has ended: the others may be writing, and whoever is told closes its files.
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
  return new Worker(new URL('./store-worker.js', import.meta.url), { workerData })
}
