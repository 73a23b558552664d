// Recipes are read as they were written, or refused; blocks are found by them at every offset.

import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { pieceBytes } from '../../../src/common/limits.ts'
import { buildManifest, type Manifest } from '../../../src/common/manifest.ts'
import { buildIndex } from '../../../src/common/recipe/block-index.ts'
import { findBlocks } from '../../../src/common/recipe/scan.ts'
import { blocksIn, groupStarts } from '../../../src/common/recipe/block-layout.ts'
import {
  blockBytesFor,
  blocksOfGroups,
  outlineLength,
  parseOutline,
  parseRecipe,
  recipeLength,
  strongOf,
} from '../../../src/common/recipe/recipe.ts'
import {
  areInPiece,
  bytesIn,
  gather,
  rangesOf,
  scatter,
  type BlockRange,
} from '../../../src/common/recipe/ranges.ts'
import { rolled, sumOf, weightOfLeaving } from '../../../src/common/recipe/rolling-sum.ts'
import { recipeOf } from './recipe-sample.ts'
import { contentOf } from '../../integration/world.ts'

const KiB = 1024
const blockBytes = 4 * KiB

function manifestOf(sizeBytes: number): Manifest {
  return buildManifest(sizeBytes, Buffer.alloc(52 * Math.ceil(sizeBytes / pieceBytes), 1))
}

/** For each block of the content, where it is in the donor; -1 for nowhere. */
function placesIn(content: Buffer, donor: Buffer): number[] {
  const { outline, blocks: records } = recipeOf(content, manifestOf(content.length))
  const lengths = Uint32Array.from({ length: outline.layout.blockCount }, (_, block) =>
    Math.min(blockBytes, content.length - block * blockBytes),
  )
  const index = buildIndex({ blockBytes, records, lengths })
  const { hits } = findBlocks(index, { bytes: donor, inRuns: false })
  const found = new Map<number, number>()
  for (let at = 0; at < hits.length; at += 2) found.set(hits[at] ?? 0, hits[at + 1] ?? 0)
  return Array.from(lengths, (_, block) => {
    const place = index.places[block] ?? -1
    return found.get(place >= 0 ? place : -1 - block) ?? -1
  })
}

test('the sum of the next offset follows from the one before', () => {
  const bytes = contentOf('rolling', 3000)
  const weight = weightOfLeaving(1001)
  let sum = sumOf(bytes, 0, 1001)
  for (let at = 0; at + 1002 <= bytes.length; at++) {
    sum = rolled(sum, bytes[at] ?? 0, bytes[at + 1001] ?? 0, weight)
    expect(sum).toBe(sumOf(bytes, at + 1, at + 1002))
  }
})

describe('a recipe', () => {
  const content = contentOf('recipe', pieceBytes + 9 * KiB)
  const manifest = manifestOf(content.length)
  const { bytes } = recipeOf(content, manifestOf(content.length))

  test('is read as it was written, and its blocks do not cross pieces', () => {
    const layout = parseRecipe(bytes, manifest)?.outline.layout
    expect(layout?.blockCount).toBe(128 + 3)
    expect([...(layout?.firstBlocks ?? [])]).toEqual([0, 128, 131])
    expect(bytes).toHaveLength(recipeLength(manifest, blockBytes))
  })

  test('has an outline, whose groups do not cross pieces either', () => {
    const { outline } = recipeOf(content, manifest)
    expect(outline.bytes).toHaveLength(outlineLength(manifest, blockBytes))
    expect(parseOutline(outline.bytes, manifest)).toEqual(outline)
    expect([...outline.layout.firstGroups]).toEqual([0, 8, 9])
    expect([...groupStarts(outline.layout)]).toEqual([0, 16, 32, 48, 64, 80, 96, 112, 128, 131])
    expect(blocksIn(outline.layout, [[7, 2]])).toBe(16 + 3)
    expect(parseOutline(outline.bytes.subarray(0, -12), manifest)).toBeUndefined()
    expect(parseOutline(bytes, manifest)).toBeUndefined()
  })

  test('tells of a group the sum of its bytes, and a hash of the hashes of its blocks', () => {
    const { groups } = recipeOf(content, manifest).outline
    const last = content.subarray(pieceBytes)
    expect(groups.readInt32BE(8 * 12)).toBe(sumOf(last, 0, last.length))
    expect(groups.subarray(8 * 12 + 4)).toEqual(strongOf(last, blockBytes))
    expect(groups.readInt32BE(12)).toBe(sumOf(content, 16 * blockBytes, 32 * blockBytes))
  })

  test('gives the blocks of some groups, of those that are there', () => {
    const recipe = recipeOf(content, manifest)
    expect(blocksOfGroups(recipe, [[8, 1]])).toEqual(recipe.blocks.subarray(128 * 12))
    expect(blocksOfGroups(recipe, [[0, 9]])).toEqual(recipe.blocks)
    expect(blocksOfGroups(recipe, [[8, 2]])).toBeUndefined()
    expect(blocksOfGroups(recipe, [[Number.MAX_SAFE_INTEGER, 1]])).toBeUndefined()
  })

  test.each([
    ['one byte more', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['one block less', bytes.subarray(0, -12)],
    ['nothing', Buffer.alloc(0)],
    ['another first word', Buffer.concat([Buffer.from('CTR2'), bytes.subarray(4)])],
    ['blocks of no bytes', withBlockBytes(0)],
    ['blocks that are no power of two', withBlockBytes(5000)],
    ['blocks that are longer than a piece', withBlockBytes(2 * pieceBytes)],
    ['blocks that are too small', withBlockBytes(2 * KiB)],
  ])('with %s is refused', (_what, changed) => {
    expect(parseRecipe(changed, manifest)).toBeUndefined()
  })

  test('of another content is refused, unless it has as many blocks', () => {
    expect(parseRecipe(bytes, manifestOf(2 * pieceBytes))).toBeUndefined()
  })

  test('has larger blocks for larger contents, so that it never has more than 16 MiB', () => {
    const GiB = 1024 ** 3
    const sizes = [1, GiB, GiB + 1, 20 * GiB, 30 * GiB, 128 * GiB]
    const lengths = sizes.map((size) => blockBytesFor(manifestOf(size)) / KiB)
    expect(lengths).toEqual([4, 4, 16, 16, 32, 128])
    expect(recipeLength(manifestOf(128 * GiB), 128 * KiB)).toBeLessThan(16 * 1024 * KiB)
  })

  function withBlockBytes(count: number): Buffer {
    const changed = Buffer.from(bytes)
    changed.writeUInt32BE(count, 4)
    return changed
  }
})

describe('blocks are found', () => {
  const content = contentOf('found', 10 * blockBytes + 100)

  test('where they are, the shorter one at the end, too', () => {
    expect(placesIn(content, content)).toEqual(Array.from({ length: 11 }, (_, block) => block * blockBytes))
  })

  test('behind bytes that were put in front', () => {
    const places = placesIn(content, Buffer.concat([Buffer.from('a line\n'), content]))
    expect(places).toEqual(Array.from({ length: 11 }, (_, block) => block * blockBytes + 7))
  })

  test('around bytes that were taken out', () => {
    const donor = Buffer.concat([content.subarray(0, 9000), content.subarray(9001)])
    expect(placesIn(content, donor).map((at) => at < 0)).toEqual([
      ...[false, false, true],
      ...Array.from({ length: 8 }, () => false),
    ])
  })

  test('that lie across each other, where the new version has the same bytes twice', () => {
    const part = contentOf('twice', 5 * blockBytes)
    const places = placesIn(Buffer.concat([part, Buffer.from('a line'), part]), part)
    expect(places.filter((at) => at < 0)).toHaveLength(1)
  })

  test('once for all that are the same', () => {
    const zeros = Buffer.alloc(5 * blockBytes)
    expect(placesIn(zeros, Buffer.alloc(2 * blockBytes)).every((at) => at >= 0)).toBe(true)
    expect(placesIn(zeros, contentOf('no zeros', 3 * blockBytes)).every((at) => at < 0)).toBe(true)
  })

  test('whatever lies in between, at the right bytes', () => {
    const part = fc.oneof(
      fc
        .integer({ min: 0, max: 9 })
        .map((block) => content.subarray(block * blockBytes, (block + 1) * blockBytes)),
      fc.uint8Array({ maxLength: 50 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const donor = Buffer.concat(parts)
        for (const [block, at] of placesIn(content, donor).entries()) {
          const bytes = content.subarray(block * blockBytes, (block + 1) * blockBytes)
          if (at < 0) expect(bytes.length < blockBytes || !donor.includes(bytes)).toBe(true)
          else expect(donor.subarray(at, at + bytes.length).equals(bytes)).toBe(true)
        }
      }),
      { numRuns: 100, seed: 1 },
    )
  })
})

test('a recipe whose sums are right everywhere and whose hashes are wrong is given up', () => {
  const zeros = Buffer.alloc(4 * 1024 * KiB)
  // The sum of zeros, with other hashes.
  const records = Buffer.alloc(1000 * 12)
  for (let block = 0; block < 1000; block++) records.writeUInt32BE(block + 1, block * 12 + 8)
  const index = buildIndex({ blockBytes, records, lengths: new Uint32Array(1000).fill(blockBytes) })
  expect(findBlocks(index, { bytes: zeros, inRuns: false }).isCostly).toBe(true)
})

describe('parts of a piece', () => {
  const length = 10 * blockBytes + 5
  const parts: BlockRange[] = [
    [0, 1],
    [3, 2],
    [10, 1],
  ]

  test('lie one behind the other when they are sent, and are put back where they were', () => {
    const piece = contentOf('parts', length)
    const buffer = Buffer.from(piece)
    gather(buffer, parts, length)
    expect(bytesIn(parts, length)).toBe(3 * blockBytes + 5)
    scatter(buffer, parts, length)
    for (const [first, count] of parts) {
      const [from, to] = [first * blockBytes, Math.min(length, (first + count) * blockBytes)]
      expect(buffer.subarray(from, to).equals(piece.subarray(from, to))).toBe(true)
    }
  })

  test('are made of numbers that come in their order', () => {
    expect(rangesOf([0, 3, 4, 10])).toEqual(parts)
    expect(rangesOf([])).toEqual([])
  })

  test('behind its end are none', () => {
    expect(bytesIn([[11, 1]], length)).toBeUndefined()
    expect(bytesIn([[0, 1]], 0)).toBeUndefined()
  })

  test('are in order, do not touch each other, and are within a piece', () => {
    expect(areInPiece(parts)).toBe(true)
    for (const wrong of [
      [[1, 0]],
      [
        [1, 1],
        [2, 1],
      ],
      [
        [3, 1],
        [1, 1],
      ],
      [[127, 2]],
      [[0, 129]],
    ])
      expect(areInPiece(wrong as BlockRange[])).toBe(false)
  })
})
