// A worker that verifies received pieces and writes the good ones; those that come from a file here it reads first. It waits
// on shared memory, not for messages; all it sends is a signal for the event loop to look.

import { parentPort, workerData } from 'node:worker_threads'
import { systemCode } from '../../common/failure.ts'
import { hashBytes } from '../../common/manifest.ts'
import { readUpTo } from '../folder/read-up-to.ts'
import { hashPieces, piecesAtOnce, worthAtOnce } from '../hashing/piece-hash.ts'
import { Gathering } from './gathering.ts'
import { isSealed, setSeal } from './part-seal.ts'
import { SlotState, StoreSlots, type FilePlace } from './store-slots.ts'
import { writeAll, writeParts } from './write-all.ts'

/** The data that a worker is started with. */
export interface StoreShift {
  readonly memory: SharedArrayBuffer
  /** The shift at the start; the worker ends when the shift in `memory` differs. */
  readonly shift: number
}

/** Runs until its shift is over. */
function run(slots: StoreSlots, shift: number): void {
  let last = 0
  const gathering = new Gathering(slots, worthAtOnce, piecesAtOnce)
  if (slots.shift === shift) slots.comeOnDuty()
  for (;;) {
    const seen = slots.postedCount
    if (slots.shift !== shift) return
    const claimed = claim(slots, last, gathering.pieces())
    if (claimed.length === 0) {
      slots.waitForMore(seen)
      continue
    }
    last = claimed.at(-1) ?? last
    verify(
      slots,
      claimed.filter((slot) => isFilled(slots, slot)),
    )
    writeVerified(slots)
  }
}

/** Claims the next received pieces after slot `last`, so that none waits forever; at most so many. */
function claim(slots: StoreSlots, last: number, most: number): number[] {
  const claimed: number[] = []
  const count = slots.everCount
  for (let n = 1; n <= count && claimed.length < most; n++) {
    const slot = (last + n) % count
    if (slots.changeState(slot, SlotState.received, SlotState.hashing)) claimed.push(slot)
  }
  return claimed
}

/** Reads the piece if it is to be read, just before it is hashed: so it is still in the cache then. */
function isFilled(slots: StoreSlots, slot: number): boolean {
  const { length, from } = slots.job(slot)
  if (from === undefined || readAll(from, slots.piece(slot).subarray(0, length))) return true
  finish(slots, slot, SlotState.bad)
  return false
}

/** False when the file is shorter, or cannot be read: whoever posted the piece tries another way, and finds out why. */
function readAll({ file, offset }: FilePlace, bytes: Uint8Array): boolean {
  try {
    return readUpTo(file, bytes, offset) === bytes.length
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}

function verify(slots: StoreSlots, claimed: readonly number[]): void {
  const jobs = claimed.map((slot) => slots.job(slot))
  const hashes = hashPieces(claimed.map((slot, at) => slots.piece(slot).subarray(0, jobs[at]?.length)))
  for (const [at, slot] of claimed.entries()) {
    const found = hashes.subarray(at * hashBytes, (at + 1) * hashBytes)
    if (found.equals(jobs[at]?.expected ?? Buffer.alloc(0))) slots.setState(slot, SlotState.verified)
    else finish(slots, slot, SlotState.bad)
  }
}

/**
 * Writes every verified piece, including those of other workers; a worker that does not get the lock goes on
 * hashing. Checks again after releasing the lock, since others may have found it taken just before.
 */
function writeVerified(slots: StoreSlots): void {
  do {
    if (!slots.tryLockWriting()) return
    const count = slots.everCount
    for (let slot = 0; slot < count; slot++) {
      if (slots.changeState(slot, SlotState.verified, SlotState.writing)) write(slots, slot)
    }
    slots.unlockWriting()
  } while (slots.isAny(SlotState.verified))
}

function write(slots: StoreSlots, slot: number): void {
  const { length, file, offset, journal, record, seal, isAtRest } = slots.job(slot)
  try {
    const isTouched = isAtRest && !isSealed(file, seal)
    writeParts(file, slots.piece(slot).subarray(0, length), offset)
    setSeal(file, seal)
    // After the piece, never before it. Not flushed: a record is a claim, which is verified when read.
    writeAll(journal, record)
    finish(slots, slot, isTouched ? SlotState.touched : SlotState.stored)
  } catch (error) {
    // Anything but a system error is a bug: it ends the worker, and the pool finishes the piece.
    if (!(error instanceof Error && 'errno' in error && typeof error.errno === 'number')) throw error
    slots.fail(slot, error.errno)
    ring(slots)
  }
}

function finish(slots: StoreSlots, slot: number, state: SlotState): void {
  slots.setState(slot, state)
  ring(slots)
}

function ring(slots: StoreSlots): void {
  if (slots.ringBell()) parentPort?.postMessage(undefined)
}

const { memory, shift } = workerData as StoreShift
run(new StoreSlots(memory), shift)
