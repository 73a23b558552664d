// The arithmetic of pieces. A file of n bytes has ceil(n / pieceBytes) pieces; an empty file has none.

import { pieceBytes } from './limits.ts'

export function pieceCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pieceBytes)
}

/** The size in bytes of piece `index` of a file of `sizeBytes`. */
export function pieceLength(sizeBytes: number, index: number): number {
  return Math.min(pieceBytes, sizeBytes - index * pieceBytes)
}

/** The byte at which piece `index` starts. */
export function pieceOffset(index: number): number {
  return index * pieceBytes
}
