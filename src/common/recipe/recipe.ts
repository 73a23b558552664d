// The recipe of a content: for each block of each piece a sum and a part of its SHA-256, by which blocks are found at any
// offset in another file, and the same for groups of blocks: who looks for what is in the old version looks for groups
// first, and asks only for the blocks of those that it did not find. It is a hint and nothing more: what is put together by
// it counts only if the piece has both hashes of the manifest.

import { hash } from 'node:crypto'
import { pieceBytes, rangeBytes, recipeBytesMax } from '../limits.ts'
import { contentBytes, type Manifest } from '../manifest.ts'
import { countOf, groupBytesFor, groupStarts, layoutOf, type BlockLayout } from './block-layout.ts'
import type { BlockRange } from './ranges.ts'
import { joinedSum, sumOf, weightOfLeaving } from './rolling-sum.ts'

// The encoding:
//
//   bytes 0–3  "CTR1"
//   bytes 4–7  size of a block in bytes, a power of two from 4,096 to 524,288, unsigned, big-endian
//   then, for each group of each piece: 4 bytes sum, likewise, and 8 bytes of hash; up to here it is the outline
//   then, for each block of each piece: 4 bytes sum, and the first 8 bytes of its SHA-256
//
// A group is 16 blocks, or as many as a piece has. Neither crosses a piece, so the last ones of a piece may be shorter. The
// hash of a group is the first 8 bytes of the SHA-256 of the hashes of its blocks.

const magic = 'CTR1'
const headerBytes = 8
/** Of a block: its sum, and then this much of its hash. */
const strongBytes = 8
export const blockRecordBytes = 4 + strongBytes

/** Contents up to this size have small blocks, which databases need. */
const smallContentBytes = 1024 * 1024 * 1024
const usualBlockBytes = 16 * 1024

/** What is asked for first. */
export interface Outline {
  readonly layout: BlockLayout
  /** The encoded outline. */
  readonly bytes: Buffer
  /** The sums and hashes of all groups, 12 bytes each. */
  readonly groups: Buffer
}

/** All of it: what the sharing client keeps. */
export interface Recipe {
  readonly outline: Outline
  /** The encoded recipe. */
  readonly bytes: Buffer
  /** The sums and hashes of all blocks, 12 bytes each. */
  readonly blocks: Buffer
}

/** How long the blocks of this content are, in bytes. */
export function blockBytesFor(manifest: Manifest): number {
  let blockBytes = contentBytes(manifest) <= smallContentBytes ? rangeBytes : usualBlockBytes
  while (blockBytes < pieceBytes && recipeLength(manifest, blockBytes) > recipeBytesMax) blockBytes *= 2
  return blockBytes
}

/** The size of an outline in bytes. */
export function outlineLength(manifest: Manifest, blockBytes: number): number {
  return headerBytes + countOf(manifest, groupBytesFor(blockBytes)) * blockRecordBytes
}

/** The size of a whole recipe in bytes. */
export function recipeLength(manifest: Manifest, blockBytes: number): number {
  return outlineLength(manifest, blockBytes) + countOf(manifest, blockBytes) * blockRecordBytes
}

/** The records of the blocks and groups of one piece. */
export interface PieceRecords {
  readonly blocks: Uint8Array
  readonly groups: Uint8Array
}

/** `sum` may be a faster one. */
export function recordsOfPiece(piece: Uint8Array, blockBytes: number, sum = sumOf): PieceRecords {
  const blocks = Buffer.allocUnsafeSlow(Math.ceil(piece.length / blockBytes) * blockRecordBytes)
  for (let from = 0, at = 0; from < piece.length; from += blockBytes, at += blockRecordBytes) {
    const to = Math.min(from + blockBytes, piece.length)
    blocks.writeInt32BE(sum(piece, from, to), at)
    strongOf(piece.subarray(from, to)).copy(blocks, at + 4)
  }
  return { blocks, groups: groupsOf(blocks, piece.length, blockBytes) }
}

/** Those of groups follow from those of their blocks. */
function groupsOf(blocks: Buffer, length: number, blockBytes: number): Buffer {
  const perGroup = groupBytesFor(blockBytes) / blockBytes
  const blockCount = blocks.length / blockRecordBytes
  const groups = Buffer.allocUnsafeSlow(Math.ceil(blockCount / perGroup) * blockRecordBytes)
  const weight = weightOfLeaving(blockBytes)
  for (let first = 0, at = 0; first < blockCount; first += perGroup, at += blockRecordBytes) {
    const strongs: Buffer[] = []
    let sum = 0
    for (let block = first; block < Math.min(first + perGroup, blockCount); block++) {
      const record = blocks.subarray(block * blockRecordBytes, (block + 1) * blockRecordBytes)
      const rest = length - block * blockBytes
      sum = joinedSum(sum, record.readInt32BE(0), rest < blockBytes ? weightOfLeaving(rest) : weight)
      strongs.push(record.subarray(4))
    }
    groups.writeInt32BE(sum, at)
    strongOf(Buffer.concat(strongs)).copy(groups, at + 4)
  }
  return groups
}

/** What a recipe has of the hash of a block; `partBytes`: of a group, how long its blocks are. */
export function strongOf(block: Uint8Array, partBytes?: number): Buffer {
  if (partBytes === undefined) return hash('sha256', block, 'buffer').subarray(0, strongBytes)
  const parts: Buffer[] = []
  for (let from = 0; from < block.length; from += partBytes)
    parts.push(strongOf(block.subarray(from, from + partBytes)))
  return strongOf(Buffer.concat(parts))
}

/** Puts the records of all pieces together, in their order. */
export function buildRecipe(
  manifest: Manifest,
  blockBytes: number,
  records: readonly PieceRecords[],
): Recipe {
  const header = Buffer.alloc(headerBytes)
  header.write(magic, 'latin1')
  header.writeUInt32BE(blockBytes, 4)
  const [groups, blocks] = [records.map((piece) => piece.groups), records.map((piece) => piece.blocks)]
  const recipe = parseRecipe(Buffer.concat([header, ...groups, ...blocks]), manifest)
  if (recipe === undefined) throw new RangeError('the records of the pieces do not fit together')
  return recipe
}

/** Decodes a recipe of this content; undefined when the bytes are none. */
export function parseRecipe(bytes: Buffer, manifest: Manifest): Recipe | undefined {
  if (bytes.length > recipeBytesMax) return undefined
  const layout = layoutIn(bytes, manifest)
  if (layout === undefined) return undefined
  const outlineBytes = headerBytes + layout.groupCount * blockRecordBytes
  if (bytes.length !== outlineBytes + layout.blockCount * blockRecordBytes) return undefined
  const outline = parseOutline(bytes.subarray(0, outlineBytes), manifest)
  return outline && { outline, bytes, blocks: bytes.subarray(outlineBytes) }
}

/** Likewise what is asked for first. */
export function parseOutline(bytes: Buffer, manifest: Manifest): Outline | undefined {
  const layout = layoutIn(bytes, manifest)
  if (layout === undefined) return undefined
  if (bytes.length !== headerBytes + layout.groupCount * blockRecordBytes) return undefined
  return { layout, bytes, groups: bytes.subarray(headerBytes) }
}

/** The records of the blocks of these groups, one behind the other; undefined when there is no such group. */
export function blocksOfGroups(
  { outline, blocks }: Recipe,
  ranges: readonly BlockRange[],
): Buffer | undefined {
  const { groupCount } = outline.layout
  const starts = groupStarts(outline.layout)
  if (ranges.some(([first, count]) => first + count > groupCount)) return undefined
  return Buffer.concat(
    ranges.map(([first, count]) => {
      const [from = 0, to = 0] = [starts[first], starts[first + count]]
      return blocks.subarray(from * blockRecordBytes, to * blockRecordBytes)
    }),
  )
}

function layoutIn(bytes: Buffer, manifest: Manifest): BlockLayout | undefined {
  if (bytes.length < headerBytes || bytes.toString('latin1', 0, 4) !== magic) return undefined
  const blockBytes = bytes.readUInt32BE(4)
  if (blockBytes < rangeBytes || blockBytes > pieceBytes || (blockBytes & (blockBytes - 1)) !== 0)
    return undefined
  return layoutOf(manifest, blockBytes)
}
