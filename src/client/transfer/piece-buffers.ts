// A pool of piece buffers, 512 KiB each. A fresh one costs a page fault for every 4 KiB, which at full speed
// is a third of the time.

import { pieceBytes } from '../../common/limits.ts'

/** Unused buffers to keep: 16 MiB. A discarded one occupies memory until the next garbage collection. */
const keptMax = 32

const kept: Buffer[] = []

/** Takes a buffer of `pieceBytes` whose content is arbitrary. */
export function takePieceBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
}

/** Returns a buffer to the pool. Neither it nor a view of it may be used afterwards. */
export function returnPieceBuffer(buffer: Buffer): void {
  if (kept.length < keptMax) kept.push(buffer)
}
