// The files that pieces are stored in, and the jobs that store them.

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { recordOf } from '../../../src/client/storage/progress-journal.ts'
import type { StorePool } from '../../../src/client/workers/store-pool.ts'
import type { StoreJob, StoreOutcome } from '../../../src/client/workers/store-slots.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { temporaryFolder } from '../temporary-folder.ts'

export interface Files {
  readonly path: string
  readonly journalPath: string
  readonly file: number
  readonly journal: number
}

export function files(flags = 'w+'): Files {
  const folder = temporaryFolder()
  const path = join(folder, 'part')
  const journalPath = join(folder, 'journal')
  if (!flags.startsWith('w')) writeFileSync(path, '')
  const file = openSync(path, flags)
  const journal = openSync(journalPath, 'w')
  onTestFinished(() => {
    closeSync(file)
    closeSync(journal)
  })
  return { path, journalPath, file, journal }
}

export function jobOf({ file, journal }: Files, index: number, piece: Uint8Array): StoreJob {
  return {
    length: piece.length,
    expected: hashPiece(piece),
    file,
    offset: index * pieceBytes,
    journal,
    record: recordOf(index),
    seal: 0,
    isAtRest: false,
  }
}

/** Puts a piece into a buffer of the pool, and has it stored. */
export async function store(pool: StorePool, job: StoreJob, piece: Uint8Array): Promise<StoreOutcome> {
  const { bytes, slot, release } = pool.take()
  if (slot === undefined) throw new Error('the pool has no slot left')
  bytes.set(piece)
  try {
    return await pool.store(slot, job)
  } finally {
    release()
  }
}

/** The indices that are recorded, in the order of writing. */
export function recordsOf({ journalPath }: Files): number[] {
  const records = readFileSync(journalPath)
  return Array.from({ length: records.length / 4 }, (_, n) => records.readUInt32BE(4 * n))
}
