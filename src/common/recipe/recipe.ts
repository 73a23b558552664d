// The recipe of a content: for each block of each piece a sum and a part of its SHA-256, by which blocks are found at any
// offset in another file. It is a hint and nothing more: what is put together by it counts only if the piece has both
// hashes of the manifest.

import { hash } from 'node:crypto'
import { pieceBytes, rangeBytes, recipeBytesMax } from '../limits.ts'
import { contentBytes, lengthOfPiece, type Manifest } from '../manifest.ts'
import { sumOf } from './rolling-sum.ts'

// The encoding:
//
//   bytes 0–3  "CTR1"
//   bytes 4–7  size of a block in bytes, a power of two from 4,096 to 524,288, unsigned, big-endian
//   then, for each block of each piece: 4 bytes sum, likewise, and the first 8 bytes of its SHA-256
//
// Blocks do not cross pieces, so the last one of a piece may be shorter.

const magic = 'CTR1'
const headerBytes = 8
/** Of a block: its sum, and then this much of its hash. */
const strongBytes = 8
export const blockRecordBytes = 4 + strongBytes

/** Contents up to this size have small blocks, which databases need. */
const smallContentBytes = 256 * 1024 * 1024
const usualBlockBytes = 16 * 1024

export interface Recipe {
  readonly blockBytes: number
  readonly blockCount: number
  /** The number of the first block of each piece, and behind the last one the number of blocks. */
  readonly firstBlocks: Uint32Array
  /** The encoded recipe. */
  readonly bytes: Buffer
  /** The sums and hashes of all blocks, 12 bytes each. */
  readonly records: Buffer
}

/** How long the blocks of this content are, in bytes. */
export function blockBytesFor(manifest: Manifest): number {
  let blockBytes = contentBytes(manifest) <= smallContentBytes ? rangeBytes : usualBlockBytes
  while (blockBytes < pieceBytes && recipeLength(manifest, blockBytes) > recipeBytesMax) blockBytes *= 2
  return blockBytes
}

/** The size of a recipe in bytes. */
export function recipeLength(manifest: Manifest, blockBytes: number): number {
  return headerBytes + (firstBlocksOf(manifest, blockBytes).at(-1) ?? 0) * blockRecordBytes
}

/** The records of the blocks of one piece. */
export function recordsOfPiece(piece: Uint8Array, blockBytes: number): Buffer {
  const records = Buffer.allocUnsafeSlow(Math.ceil(piece.length / blockBytes) * blockRecordBytes)
  for (let from = 0, at = 0; from < piece.length; from += blockBytes, at += blockRecordBytes) {
    const to = Math.min(from + blockBytes, piece.length)
    records.writeInt32BE(sumOf(piece, from, to), at)
    strongOf(piece.subarray(from, to)).copy(records, at + 4)
  }
  return records
}

/** What a recipe has of the SHA-256 of a block. */
export function strongOf(block: Uint8Array): Buffer {
  return hash('sha256', block, 'buffer').subarray(0, strongBytes)
}

/** Puts the records of all pieces together, in their order. */
export function buildRecipe(manifest: Manifest, blockBytes: number, records: readonly Uint8Array[]): Recipe {
  const header = Buffer.alloc(headerBytes)
  header.write(magic, 'latin1')
  header.writeUInt32BE(blockBytes, 4)
  const recipe = parseRecipe(Buffer.concat([header, ...records]), manifest)
  if (recipe === undefined) throw new RangeError('the records of the pieces do not fit together')
  return recipe
}

/** Decodes a recipe of this content; undefined when the bytes are none. */
export function parseRecipe(bytes: Buffer, manifest: Manifest): Recipe | undefined {
  if (bytes.length < headerBytes || bytes.length > recipeBytesMax) return undefined
  if (bytes.toString('latin1', 0, 4) !== magic) return undefined
  const blockBytes = bytes.readUInt32BE(4)
  if (blockBytes < rangeBytes || blockBytes > pieceBytes || (blockBytes & (blockBytes - 1)) !== 0)
    return undefined
  const firstBlocks = firstBlocksOf(manifest, blockBytes)
  const blockCount = firstBlocks.at(-1) ?? 0
  if (bytes.length !== headerBytes + blockCount * blockRecordBytes) return undefined
  return { blockBytes, blockCount, firstBlocks, bytes, records: bytes.subarray(headerBytes) }
}

function firstBlocksOf(manifest: Manifest, blockBytes: number): Uint32Array {
  const first = new Uint32Array(manifest.pieceCount + 1)
  for (let index = 0; index < manifest.pieceCount; index++)
    first[index + 1] = (first[index] ?? 0) + Math.ceil(lengthOfPiece(manifest, index) / blockBytes)
  return first
}
