// The compiled search finds what the one in JavaScript finds. Skipped where there is no compiler.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadBlockSums } from '../../../src/client/hashing/block-match.ts'
import { buildIndex, type BlockIndex } from '../../../src/common/recipe/block-index.ts'
import { recordsOfPiece } from '../../../src/common/recipe/recipe.ts'
import { weightOfLeaving } from '../../../src/common/recipe/rolling-sum.ts'
import { blockSums, findBlocks } from '../../../src/common/recipe/scan.ts'
import { contentOf } from '../../integration/world.ts'

const blockBytes = 4096
const compiledPath = fileURLToPath(new URL('../../../dist/client/block-match.node', import.meta.url))
const isCompiled = existsSync(compiledPath)

const content = contentOf('match', 20 * blockBytes)
const donors: readonly (readonly [string, Buffer])[] = [
  ['the same bytes', content],
  ['a line in front', Buffer.concat([Buffer.from('a line\n'), content])],
  ['the bytes twice, with something between', Buffer.concat([content, Buffer.from('x'), content])],
  ['nothing of them', contentOf('other', 20 * blockBytes)],
  ['zeros', Buffer.alloc(20 * blockBytes)],
  ['less than a block', content.subarray(0, 100)],
]

function indexOf(bytes: Buffer): BlockIndex {
  const { blocks: records } = recordsOfPiece(bytes, blockBytes)
  return buildIndex({ blockBytes, records, lengths: new Uint32Array(records.length / 12).fill(blockBytes) })
}

test.skipIf(!isCompiled).each(donors)(
  'the compiled search finds in %s what the other one finds',
  (_what, bytes) => {
    const window = { bytes, inRuns: false }
    const found = findBlocks(indexOf(content), window, loadBlockSums(compiledPath))
    expect(found).toEqual(findBlocks(indexOf(content), window, blockSums))
  },
)

test.skipIf(!isCompiled).each(donors)(
  'it takes in %s the same blocks that follow each other',
  (_what, bytes) => {
    const window = { bytes, inRuns: true }
    const found = findBlocks(indexOf(content), window, loadBlockSums(compiledPath))
    expect(found).toEqual(findBlocks(indexOf(content), window, blockSums))
  },
)

test.skipIf(!isCompiled)('it counts blocks only as far as they are looked for and there are bytes', () => {
  const compiled = loadBlockSums(compiledPath)
  for (const sums of [compiled, blockSums]) {
    const index = indexOf(content)
    expect(sums?.countRun(index, content, 3 * blockBytes, 3)).toBe(17)
    expect(sums?.countRun(index, content.subarray(0, -1), 0, 0)).toBe(19)
    expect(sums?.countRun(index, content, blockBytes, 0)).toBe(0)
    expect(sums?.countRun(index, content, content.length + 1, 5)).toBe(0)
    index.lengths[5] = 0
    expect(sums?.countRun(index, content, 0, 0)).toBe(5)
  }
  const index = { ...indexOf(content), records: new Uint8Array(12) }
  expect(() => compiled?.countRun(index, content, 0, 0)).toThrow(TypeError)
})

test.skipIf(!isCompiled)('its sums are those of the other one, of whatever length', () => {
  const compiled = loadBlockSums(compiledPath)
  for (const length of [0, 1, 15, 16, 17, 100, 4096])
    expect(compiled?.sumOf(content, 7, 7 + length)).toBe(blockSums.sumOf(content, 7, 7 + length))
  expect(() => compiled?.sumOf(content, 0, content.length + 1)).toThrow(TypeError)
})

test.skipIf(!isCompiled)('it refuses to look behind the end of the bytes', () => {
  const compiled = loadBlockSums(compiledPath)
  const state = new Int32Array(2)
  const weight = weightOfLeaving(blockBytes)
  const bytes = content.subarray(0, blockBytes)
  expect(() => compiled?.nextMatch(indexOf(content), bytes, { from: 0, last: 1, weight, state })).toThrow(
    TypeError,
  )
  expect(compiled?.nextMatch(indexOf(content), bytes, { from: 0, last: 0, weight, state })).toBe(0)
})

test('a compiled search that is not there is undefined', () => {
  expect(loadBlockSums('./nothing.node')).toBeUndefined()
})
