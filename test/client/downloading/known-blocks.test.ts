// What is believed of the blocks that are here: a piece that was bad is fetched as a whole, and after four all others are.

import { expect, test } from 'vitest'
import { DonorBytes } from '../../../src/client/downloading/donor-bytes.ts'
import { KnownBlocks } from '../../../src/client/downloading/known-blocks.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes, rangeBytes } from '../../../src/common/limits.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import { layoutOf } from '../../../src/common/recipe/block-layout.ts'
import { accept } from '../../../src/common/refusal.ts'

const pieces = 6
const manifest = buildManifest(pieces * pieceBytes, Buffer.alloc(pieces * 52, 1))

const perPiece = pieceBytes / rangeBytes

/** Of each piece all but the first block is where it was. */
function knownBlocks(
  offsetOf = (block: number): number => (block % perPiece === 0 ? -1 : block * rangeBytes),
): KnownBlocks {
  const layout = layoutOf(manifest, rangeBytes)
  const offsets = Float64Array.from({ length: layout.blockCount }, (_, block) => offsetOf(block))
  const source = {
    manifest,
    file: undefined,
    have: Bitfield.full(pieces),
    read: (index: number, buffer: Buffer) => {
      buffer.fill(index, 0, pieceBytes)
      return Promise.resolve(accept(undefined))
    },
  }
  return new KnownBlocks({ manifest, layout, offsets }, new DonorBytes(source))
}

test('a piece is put together of what came and of what is here', async () => {
  const known = knownBlocks()
  expect(known.partsToFetch(2)).toEqual([[0, 1]])
  const buffer = Buffer.alloc(pieceBytes, 9)
  expect(await known.assemble(2, [[0, 1]], buffer)).toBe(true)
  expect([buffer[0], buffer[rangeBytes - 1], buffer[rangeBytes], buffer.at(-1)]).toEqual([9, 9, 2, 2])
})

test('a piece that was bad is fetched as a whole, and after four of them all others are', async () => {
  const known = knownBlocks()
  for (const index of [0, 1, 2]) known.onBad(index)
  expect([0, 1, 2, 3, 4].map((index) => known.partsToFetch(index) !== undefined)).toEqual([
    ...[false, false, false],
    ...[true, true],
  ])
  known.onBad(3)
  expect(known.partsToFetch(4)).toBeUndefined()
  expect(await known.assemble(4, [[0, 1]], Buffer.alloc(pieceBytes))).toBe(false)
})

test('a piece has one place where all of its blocks lie one behind the other, until it was bad', () => {
  const known = knownBlocks((block) => {
    if (block === perPiece - 1) return 0
    if (block >= perPiece && block < 2 * perPiece) return block * rangeBytes + 7
    return block === 2 * perPiece + 5 ? -1 : block * rangeBytes
  })
  expect([0, 1, 2, 3].map((index) => known.offsetOf(index))).toEqual([
    ...[undefined, pieceBytes + 7, undefined],
    3 * pieceBytes,
  ])
  known.onBad(3)
  expect([known.offsetOf(3), known.offsetOf(4)]).toEqual([undefined, 4 * pieceBytes])
  for (const index of [0, 2, 5]) known.onBad(index)
  expect(known.offsetOf(4)).toBeUndefined()
})
