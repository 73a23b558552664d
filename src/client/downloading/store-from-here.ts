// Stores pieces whose bytes are here: some are read while others are verified and written, many at a time.

import type { PieceBuffer } from '../workers/store-pool.ts'
import type { FilePlace } from '../workers/store-slots.ts'
import type { PieceStore } from './piece-store.ts'

/** Pieces that are copied or put together at once. */
const piecesAtOnce = 24
/** The loop stores so many (128 MiB) in the time in which two workers start and store them. */
export const fewPieces = 256

/** How pieces come from here. */
export interface PiecesHere {
  /** Where all of the piece is in a file, if it lies there as it is; undefined when it does not. */
  offsetOf?(index: number): number | undefined
  /** Runs `use` with the descriptor of that file; undefined when it cannot be opened. */
  lend?<T>(use: (file: number) => Promise<T>): Promise<T | undefined>
  /** Fills the buffer with the piece; false when it is not there any more. */
  fill(index: number, into: Buffer): Promise<boolean>
  /** What it was filled with is not the piece. */
  onBad?(index: number): void
}

export interface StoringHere {
  readonly store: Pick<PieceStore, 'takeBuffer' | 'receive' | 'expectFromHere' | 'isStaffed'>
  readonly source: PiecesHere
  readonly signal: AbortSignal
  readonly onOutcome?: (index: number, isGood: boolean) => void
}

/**
 * Resolves to how many were good, when none of them is written any more. Rejects with the signal's reason, or with a `file`
 * failure when the store cannot be written to.
 */
export async function storeFromHere(
  pieces: Iterator<number> & Iterable<number>,
  pieceCount: number,
  { store, source, signal, onOutcome }: StoringHere,
): Promise<number> {
  const isFew = pieceCount <= fewPieces
  let count = 0
  const storeNext = async (): Promise<void> => {
    for (const index of pieces) {
      signal.throwIfAborted()
      if (!isFew) store.expectFromHere()
      const piece = store.takeBuffer(isFew)
      let isGood = false
      try {
        isGood =
          (await storeAsItIs(index, piece, store, source)) || (await storeFilled(index, piece, store, source))
      } finally {
        piece.release()
      }
      if (isGood) count++
      onOutcome?.(index, isGood)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: piecesAtOnce }, storeNext))
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
  return count
}

/** Has a worker read it, if one can: the loop would need as long for that as the worker for hashing it. */
async function storeAsItIs(
  index: number,
  piece: PieceBuffer,
  store: StoringHere['store'],
  source: PiecesHere,
): Promise<boolean> {
  const offset = store.isStaffed ? source.offsetOf?.(index) : undefined
  if (offset === undefined) return false
  const receive = (file: number): Promise<boolean> => {
    const from: FilePlace = { file, offset }
    return store.receive(index, piece, from)
  }
  return (await source.lend?.(receive)) === true
}

async function storeFilled(
  index: number,
  piece: PieceBuffer,
  store: StoringHere['store'],
  source: PiecesHere,
): Promise<boolean> {
  if (!(await source.fill(index, piece.bytes))) return false
  const isGood = await store.receive(index, piece)
  if (!isGood) source.onBad?.(index)
  return isGood
}
