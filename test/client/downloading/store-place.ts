// Where the pieces of a download are kept, and a start of the program that opens it.

import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { PieceStore } from '../../../src/client/downloading/piece-store.ts'
import { ProgressJournal } from '../../../src/client/storage/progress-journal.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import type { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { manifestOf, pieceOf, sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

export const sizeBytes = 5 * pieceBytes + 77
export const bytes = sampleBytes(sizeBytes)
export const manifest = manifestOf(bytes)

/** Where a download is kept; `open` is a new start of the program. */
export interface Place {
  readonly part: string
  readonly journal: string
  readonly told: number[]
  readonly open: (wanted?: Bitfield) => Promise<PieceStore>
  /** With the parts in hand, to look at them or to break them. */
  readonly openParts: (
    wanted?: Bitfield,
  ) => Promise<{ store: PieceStore; part: PartFile; journal: ProgressJournal }>
}

export function place(folder = temporaryFolder()): Place {
  const hashes = new HashPool()
  const storing = new StorePool()
  const told: number[] = []
  const openParts: Place['openParts'] = async (wanted) => {
    const part = new PartFile(join(folder, 'file'))
    const journal = new ProgressJournal(join(folder, 'journal'), manifest.fileId)
    const parts = { part, journal, hashes, storing }
    const store = await PieceStore.open(manifest, parts, (index) => told.push(index), { wanted })
    onTestFinished(() => store.close())
    return { store, part, journal }
  }
  return {
    part: join(folder, 'file.part'),
    journal: join(folder, 'journal'),
    told,
    openParts,
    open: async (wanted) => (await openParts(wanted)).store,
  }
}

/** A download that was interrupted after these pieces. */
export async function interrupted(pieces: readonly number[], at = place()): Promise<Place> {
  const store = await at.open()
  for (const index of pieces) await deliver(store, index, pieceOf(bytes, index))
  await store.close()
  at.told.length = 0
  return at
}

/** As a peer link does it: the bytes come into a buffer of the store. */
export async function deliver(store: PieceStore, index: number, piece: Uint8Array): Promise<boolean> {
  const buffer = store.takeBuffer()
  buffer.bytes.fill(0).set(piece)
  try {
    return await store.receive(index, buffer)
  } finally {
    buffer.release()
  }
}
