// Reads a piece, or parts of it, to be sent.

import { lengthOfPiece } from '../../common/manifest.ts'
import { bytesIn, gather, type BlockRange } from '../../common/recipe/ranges.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { PieceSource } from './piece-source.ts'

/** What is wrong with the parts that are asked for; undefined for nothing. */
export function problemOfParts(
  { manifest }: PieceSource,
  index: number | undefined,
  ranges: readonly BlockRange[] | undefined,
): string | undefined {
  if (ranges === undefined) return undefined
  if (index === undefined) return 'parts of a piece need its index'
  const length = index < manifest.pieceCount ? lengthOfPiece(manifest, index) : 0
  return bytesIn(ranges, length) === undefined ? 'the piece is not that long' : undefined
}

/** Fills the start of `buffer` with the piece, or with these parts of it, one behind the other. */
export async function loadPiece(
  source: PieceSource,
  index: number,
  buffer: Buffer,
  ranges?: readonly BlockRange[],
): Promise<Answer<Uint8Array>> {
  const length = lengthOfPiece(source.manifest, index)
  const read = await source.read(index, buffer)
  if (!read.ok) return read
  if (ranges === undefined) return accept(buffer.subarray(0, length))
  gather(buffer, ranges, length)
  return accept(buffer.subarray(0, bytesIn(ranges, length)))
}
