// The threads that make recipes and look for blocks, as built: they find what the loop finds, and end.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { recordsOfPiece } from '../../../src/common/recipe/recipe.ts'
import { contentOf } from '../../integration/world.ts'

const blockBytes = 4096
const script = new URL('../../../dist/client/workers/recipe-worker.js', import.meta.url)

function builtPool(startWorker = (): Worker => new Worker(script)): RecipePool {
  if (!existsSync(fileURLToPath(script))) throw new Error('npm run build comes before the tests')
  const pool = new RecipePool(startWorker, 0)
  onTestFinished(() => pool.close())
  return pool
}

/** Of `content`, in memory that threads share. */
function sharedOf(content: Buffer): Buffer {
  const shared = Buffer.from(new SharedArrayBuffer(content.length))
  content.copy(shared)
  return shared
}

/** So much that a thread does it. */
const totalBytes = 100 * pieceBytes

test('threads make records and find blocks by them, however they were moved', async () => {
  const pool = builtPool()
  const content = sharedOf(contentOf('threads', pieceBytes))
  const [records] = await pool.recordsOf([content], blockBytes, { totalBytes })
  const expected = recordsOfPiece(content, blockBytes)
  if (records === undefined) throw new Error('there are no records')
  expect(Buffer.from(records.blocks).equals(expected.blocks)).toBe(true)
  expect(Buffer.from(records.groups).equals(expected.groups)).toBe(true)
  const lengths = new Uint32Array(records.blocks.length / 12).fill(blockBytes)
  const index = await pool.indexOf({ blockBytes, records: records.blocks, lengths }, { totalBytes })
  const bytes = sharedOf(Buffer.concat([Buffer.from('a line\n'), content]))
  const { hits } = await pool.find(index, { bytes, inRuns: false }, { totalBytes })
  expect(hits.length / 2).toBe(pieceBytes / blockBytes)
})

test('threads that end fail what they were doing, and others go on', async () => {
  let started = 0
  const pool = builtPool(() =>
    started++ === 0 ? new Worker('process.exit(1)', { eval: true }) : new Worker(script),
  )
  const content = sharedOf(contentOf('threads', pieceBytes))
  await expect(pool.recordsOf([content], blockBytes, { totalBytes })).rejects.toMatchObject({ code: 'file' })
  const [made] = await pool.recordsOf([content], blockBytes, { totalBytes })
  expect(made?.blocks).toHaveLength(128 * 12)
})

test('threads are not waited for when the download gives up', async () => {
  const pool = builtPool()
  const abort = new AbortController()
  abort.abort(new Error('stopped'))
  const content = sharedOf(contentOf('threads', pieceBytes))
  const amount = { totalBytes, signal: abort.signal }
  await expect(pool.recordsOf([content], blockBytes, amount)).rejects.toThrow('stopped')
})
