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
