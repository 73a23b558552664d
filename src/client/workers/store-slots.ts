// The memory that the event loop and the store workers share: buffers to receive pieces into, and for each
// what to do with it. The state of a slot says which thread owns it, so that a piece passes between threads
// by changing one number; a message between threads costs a tenth of what hashing costs.
//
//   idle → received → hashing → verified → writing → stored     (or touched, bad, failed)
//   loop   loop       a worker             a worker  loop

import { pieceBytes } from '../../common/limits.ts'
import { hashBytes } from '../../common/manifest.ts'
import type { Seal } from './part-seal.ts'

/** Where bytes are: in an open file, from an offset in bytes on. */
export interface FilePlace {
  readonly file: number
  readonly offset: number
}

/** What to do with a received piece. */
export interface StoreJob {
  /** Bytes of the piece, at the start of the slot. */
  readonly length: number
  /** Where a worker reads them first; undefined where they are in the slot already. */
  readonly from?: FilePlace | undefined
  /** The expected hashes, 52 bytes as in the manifest. */
  readonly expected: Uint8Array
  /** The file descriptor to write the piece to, and its offset in the file, in bytes. */
  readonly file: number
  readonly offset: number
  /** The file descriptor of the journal, and the 4-byte record to append once the piece is written. */
  readonly journal: number
  readonly record: Uint8Array
  /** The seal of the file, see part-seal.ts; 0 means none. */
  readonly seal: Seal
  /** Whether the seal must be intact before the write, since only workers write to the file at present. */
  readonly isAtRest: boolean
}

/**
 * The outcome for a piece. `touched`: it is stored, but somebody else had written to the file before. `bad`: it is not the
 * expected one, or could not be read.
 */
export type StoreOutcome = 'stored' | 'touched' | 'bad'

export const SlotState = {
  idle: 0,
  received: 1,
  hashing: 2,
  verified: 3,
  writing: 4,
  stored: 5,
  bad: 6,
  failed: 7,
  touched: 8,
} as const
export type SlotState = (typeof SlotState)[keyof typeof SlotState]

/** 64 MiB of address space. Only used slots occupy memory, and the last used is reused first. */
export const slotCount = 128

const recordBytes = 4

/** Indices of the common numbers, at the start of the memory. */
const posted = 0
const writeLock = 1
const bell = 2
const shift = 3
const onDuty = 4
const asleep = 5
const ever = 6
const commonNumbers = 7
/** Indices of the numbers of a slot, which follow the common ones. */
const state = 0
const length = 1
const file = 2
const journal = 3
/** Followed by the lower part. */
const offsetHigh = 4
const errno = 6
const seal = 7
const isAtRest = 8
const fromFile = 9
/** Likewise. */
const fromHigh = 10
const slotNumbers = 12

/** Instead of a file descriptor. */
const noFile = -1

const numbersBytes = 4 * (commonNumbers + slotCount * slotNumbers)
const textsBytes = slotCount * (hashBytes + recordBytes)
const piecesAt = Math.ceil((numbersBytes + textsBytes) / pieceBytes) * pieceBytes

export class StoreSlots {
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array
  readonly #texts: Uint8Array
  /** Nobody else knows it. */
  readonly #alone = new Int32Array(new SharedArrayBuffer(4))

  constructor(memory = new SharedArrayBuffer(piecesAt + slotCount * pieceBytes)) {
    this.memory = memory
    this.#numbers = new Int32Array(memory, 0, numbersBytes / 4)
    this.#texts = new Uint8Array(memory, numbersBytes, textsBytes)
  }

  /** The `pieceBytes` bytes of a slot. */
  piece(slot: number): Buffer {
    return Buffer.from(this.memory, piecesAt + slot * pieceBytes, pieceBytes)
  }

  state(slot: number): SlotState {
    return Atomics.load(this.#numbers, at(slot, state)) as SlotState
  }

  setState(slot: number, to: SlotState): void {
    Atomics.store(this.#numbers, at(slot, state), to)
  }

  /** Changes the state atomically; returns false if it was not `from`. Only one thread succeeds. */
  changeState(slot: number, from: SlotState, to: SlotState): boolean {
    return Atomics.compareExchange(this.#numbers, at(slot, state), from, to) === from
  }

  isAny(wanted: SlotState): boolean {
    const count = this.everCount
    for (let slot = 0; slot < count; slot++) if (this.state(slot) === wanted) return true
    return false
  }

  /**
   * All slots of which any was ever posted are below this. Looking at the others would take a worker longer than all else but
   * reading, hashing and writing.
   */
  get everCount(): number {
    return Atomics.load(this.#numbers, ever)
  }

  /** Pieces that no worker has claimed. */
  get receivedCount(): number {
    const end = this.everCount
    let count = 0
    for (let slot = 0; slot < end; slot++) if (this.state(slot) === SlotState.received) count++
    return count
  }

  /** Blocks this thread for so many milliseconds, whatever is posted meanwhile. */
  nap(ms: number): void {
    Atomics.wait(this.#alone, 0, 0, ms)
  }

  /** Hands a received piece to the workers. */
  post(slot: number, job: StoreJob): void {
    const numbers = this.#numbers
    numbers[at(slot, length)] = job.length
    numbers[at(slot, file)] = job.file
    numbers[at(slot, journal)] = job.journal
    this.#setOffset(at(slot, offsetHigh), job.offset)
    numbers[at(slot, fromFile)] = job.from?.file ?? noFile
    this.#setOffset(at(slot, fromHigh), job.from?.offset ?? 0)
    numbers[at(slot, seal)] = job.seal
    numbers[at(slot, isAtRest)] = job.isAtRest ? 1 : 0
    this.#texts.set(job.expected, slot * (hashBytes + recordBytes))
    this.#texts.set(job.record, slot * (hashBytes + recordBytes) + hashBytes)
    // Only the loop posts.
    if (slot >= this.everCount) Atomics.store(numbers, ever, slot + 1)
    this.setState(slot, SlotState.received)
    Atomics.add(numbers, posted, 1)
    if (Atomics.load(numbers, asleep) > 0) Atomics.notify(numbers, posted, 1)
  }

  /** The job as posted. `expected` and `record` are views of the shared memory. */
  job(slot: number): StoreJob {
    const numbers = this.#numbers
    const textAt = slot * (hashBytes + recordBytes)
    const from = numbers[at(slot, fromFile)] ?? noFile
    return {
      length: numbers[at(slot, length)] ?? 0,
      file: numbers[at(slot, file)] ?? 0,
      journal: numbers[at(slot, journal)] ?? 0,
      offset: this.#offset(at(slot, offsetHigh)),
      from: from === noFile ? undefined : { file: from, offset: this.#offset(at(slot, fromHigh)) },
      seal: numbers[at(slot, seal)] ?? 0,
      isAtRest: numbers[at(slot, isAtRest)] === 1,
      expected: this.#texts.subarray(textAt, textAt + hashBytes),
      record: this.#texts.subarray(textAt + hashBytes, textAt + hashBytes + recordBytes),
    }
  }

  /** Two numbers have the offset: the higher part, and behind it the lower one. */
  #setOffset(place: number, offset: number): void {
    this.#numbers[place] = Math.floor(offset / 2 ** 32)
    this.#numbers[place + 1] = offset | 0
  }

  #offset(place: number): number {
    return (this.#numbers[place] ?? 0) * 2 ** 32 + ((this.#numbers[place + 1] ?? 0) >>> 0)
  }

  /** Rises with every post. Read it before looking for work, and pass it to `waitForMore`. */
  get postedCount(): number {
    return Atomics.load(this.#numbers, posted)
  }

  /**
   * Blocks this thread until more was posted than at `seen`.
   *
   * No wake-up is lost, although `post` notifies only if it reads that a thread is asleep. Atomics have one
   * order for all threads. This method increments `asleep` before it compares `posted`; `post` increments
   * `posted` before it reads `asleep`. If `post` reads zero, it did so before the increment here, so the
   * comparison here comes after `posted` changed: it differs from `seen`, and the thread does not sleep. If
   * `post` reads more, it notifies. Atomics.wait compares and falls asleep in one step: either the thread
   * sleeps and is woken, or it has yet to compare and finds the difference.
   */
  waitForMore(seen: number): void {
    Atomics.add(this.#numbers, asleep, 1)
    Atomics.wait(this.#numbers, posted, seen)
    Atomics.sub(this.#numbers, asleep, 1)
  }

  /** Marks a slot that could not be written. `number` is libuv's: negative, like the `errno` of an error. */
  fail(slot: number, number: number): void {
    // Stored before the state, so that whoever sees the failure also sees the reason.
    Atomics.store(this.#numbers, at(slot, errno), number)
    this.setState(slot, SlotState.failed)
  }

  /** The errno of a `failed` slot, as passed to `fail`. */
  errnoOf(slot: number): number {
    return Atomics.load(this.#numbers, at(slot, errno))
  }

  /** Each worker belongs to a shift and ends by itself, never within a piece, when another shift begins. */
  get shift(): number {
    return Atomics.load(this.#numbers, shift)
  }

  endShift(): void {
    Atomics.store(this.#numbers, onDuty, 0)
    Atomics.add(this.#numbers, shift, 1)
    Atomics.add(this.#numbers, posted, 1)
    Atomics.notify(this.#numbers, posted)
  }

  /** Workers of this shift that have begun to look for work; starting one takes as long as many pieces. */
  get onDutyCount(): number {
    return Atomics.load(this.#numbers, onDuty)
  }

  comeOnDuty(): void {
    Atomics.add(this.#numbers, onDuty, 1)
  }

  /** Lets one thread write at a time: a file system admits only one to a file, and the others would block. */
  tryLockWriting(): boolean {
    return Atomics.compareExchange(this.#numbers, writeLock, 0, 1) === 0
  }

  unlockWriting(): void {
    Atomics.store(this.#numbers, writeLock, 0)
  }

  /** Whether to notify the event loop of a finished piece; false if it was and has not looked yet. */
  ringBell(): boolean {
    return Atomics.compareExchange(this.#numbers, bell, 0, 1) === 0
  }

  /** Called by the event loop before it looks for finished pieces. */
  silenceBell(): void {
    Atomics.store(this.#numbers, bell, 0)
  }
}

function at(slot: number, number: number): number {
  return commonNumbers + slot * slotNumbers + number
}
