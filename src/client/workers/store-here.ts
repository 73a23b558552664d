// Verifies and writes a piece on the event loop, when its worker is gone.

import { write } from 'node:fs'
import { promisify } from 'node:util'
import { hashPiece } from '../hashing/piece-hash.ts'
import { isSealed, setSeal } from './part-seal.ts'
import type { StoreJob, StoreOutcome } from './store-slots.ts'

const writeSome = promisify(write)

/**
 * Does what a store worker does, but for reading the piece: whoever posted it tries that another way. Rejects with the
 * system's error.
 */
export async function storeHere(buffer: Buffer, job: StoreJob): Promise<StoreOutcome> {
  if (job.from !== undefined) return 'bad'
  const piece = buffer.subarray(0, job.length)
  if (!hashPiece(piece).equals(job.expected)) return 'bad'
  const isTouched = job.isAtRest && !isSealed(job.file, job.seal)
  await writeAll(job.file, piece, job.offset)
  setSeal(job.file, job.seal)
  await writeAll(job.journal, job.record, null)
  return isTouched ? 'touched' : 'stored'
}

/** With `offset` null, appends after what this program has written to the file. */
async function writeAll(file: number, bytes: Uint8Array, offset: number | null): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const place = offset === null ? null : offset + at
    at += (await writeSome(file, bytes, at, bytes.length - at, place)).bytesWritten
  }
}
