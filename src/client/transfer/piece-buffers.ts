// Piece buffers for reuse: 512 KiB each. A fresh buffer of that size costs a page fault for every
// 4 KiB, which at full speed is a third of the time.

import { pieceBytes } from '../../common/limits.ts'

/** Buffers that are kept while nobody uses them: 16 MiB. One given up is memory until the next collection. */
const keptMax = 32

const kept: Buffer[] = []

/** A buffer of `pieceBytes`, with whatever was in it before. */
export function takePieceBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
}

/** Nobody may touch the buffer, or a view of it, after this. */
export function returnPieceBuffer(buffer: Buffer): void {
  if (kept.length < keptMax) kept.push(buffer)
}
