// Piece buffers for reuse: 512 KiB each. A fresh buffer of that size costs a page fault for every
// 4 KiB, which at full speed is a third of the time.

import { pieceBytes } from '../../common/limits.ts'

/**
 * Buffers that are kept while nobody uses them: 32 MiB, more than a download has under way. One that is
 * dropped stays in memory until a collection that shared memory does nothing to hasten.
 */
const keptMax = 64

const kept: Buffer[] = []

/** A buffer of `pieceBytes`, with whatever was in it before; in shared memory, for the hash workers. */
export function takePieceBuffer(): Buffer {
  return kept.pop() ?? Buffer.from(new SharedArrayBuffer(pieceBytes))
}

/** Nobody may touch the buffer, or a view of it, after this. */
export function returnPieceBuffer(buffer: Buffer): void {
  if (kept.length < keptMax) kept.push(buffer)
}
