// How far the verifying of a download is.

import { expect, test } from 'vitest'
import { Verifying } from '../../../src/client/downloading/verifying.ts'
import type { HashOptions, HashPool } from '../../../src/client/workers/hash-pool.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'

/** A pool whose one task a test brings on. */
function verifyingOne() {
  const task = {
    options: {} as HashOptions,
    end: (_hashes: Buffer): void => undefined,
    fail: (_error: Error): void => undefined,
  }
  const begin = (options: HashOptions): Promise<Buffer> =>
    new Promise((resolve, reject) => Object.assign(task, { options, end: resolve, fail: reject }))
  const pool = {
    hashFile: (_path: string, _size: number, options: HashOptions) => begin(options),
    hashRanges: (_path: string, _ranges: unknown, options: HashOptions) => begin(options),
  }
  return { verifying: new Verifying(pool as unknown as HashPool), task }
}

test('a whole file counts by its pieces, of which the last may be short', async () => {
  const { verifying, task } = verifyingOne()
  expect(verifying.view()).toBeUndefined()
  const sizeBytes = 2 * pieceBytes + 1
  const hashed = verifying.hashFile('/f', sizeBytes, { signal: new AbortController().signal })
  expect(task.options.signal).toBeDefined()
  task.options.onProgress?.(2, 0)
  expect(verifying.view()).toMatchObject({ sizeBytes, bytesDone: 2 * pieceBytes })
  task.options.onProgress?.(1, 2)
  expect(verifying.view()).toMatchObject({ sizeBytes, bytesDone: sizeBytes })
  task.end(Buffer.alloc(0))
  await hashed
  expect(verifying.view()).toBeUndefined()
})

test('of some pieces only those count, and after a failure nothing is read', async () => {
  const { verifying, task } = verifyingOne()
  const hashed = verifying.hashRanges(
    '/f',
    [3, 5, 9].map((index) => [index * pieceBytes, pieceBytes] as const),
  )
  task.options.onProgress?.(1, 0)
  expect(verifying.view()).toMatchObject({ sizeBytes: 3 * pieceBytes, bytesDone: pieceBytes })
  task.fail(new Failure('file', 'unreadable'))
  await expect(hashed).rejects.toThrow('unreadable')
  expect(verifying.view()).toBeUndefined()
})
