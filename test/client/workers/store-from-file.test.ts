// Pieces that workers read from another file before they verify and write them.

import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { StoreJob } from '../../../src/client/workers/store-slots.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { breakingStoreWorker, builtStorePool } from './built-pool.ts'
import { files, jobOf, recordsOf, store, type Files } from './store-files.ts'

const piece = sampleBytes(pieceBytes, 6)

/** A file that has the piece behind 1000 other bytes, and the job that reads it from there. */
function jobFrom(at: Files, bytes = piece): StoreJob {
  const path = join(temporaryFolder(), 'before')
  writeFileSync(path, Buffer.concat([Buffer.alloc(1000, 9), bytes]))
  const file = openSync(path, 'r')
  onTestFinished(() => closeSync(file))
  return { ...jobOf(at, 1, piece), from: { file, offset: 1000 } }
}

test('a piece that lies in another file is read by the worker, and written and recorded like one that was received', async () => {
  const pool = await builtStorePool()
  const at = files()
  expect(await store(pool, jobFrom(at), Buffer.alloc(0))).toBe('stored')
  expect(readFileSync(at.path).subarray(pieceBytes).equals(piece)).toBe(true)
  expect(recordsOf(at)).toEqual([1])
})

test.each([
  ['is another one', Buffer.alloc(pieceBytes, 7)],
  ['is cut short', piece.subarray(0, -1)],
])(
  'a piece that %s in the other file is written nowhere, whatever was in the buffer',
  async (_how, bytes) => {
    const pool = await builtStorePool()
    const at = files()
    expect(await store(pool, jobFrom(at, bytes), piece)).toBe('bad')
    expect([statSync(at.path).size, recordsOf(at)]).toEqual([0, []])
  },
)

test('a piece that cannot be read is left to whoever posted it', async () => {
  const pool = await builtStorePool()
  const at = files()
  const file = openSync(at.path, constants.O_WRONLY)
  onTestFinished(() => closeSync(file))
  expect(await store(pool, { ...jobOf(at, 1, piece), from: { file, offset: 0 } }, piece)).toBe('bad')
})

test('a piece that lies in another file is left to whoever posted it when the worker breaks', async () => {
  const pool = await builtStorePool(1, (data) => breakingStoreWorker('hashing', 'process.exit(1)', data))
  const at = files()
  vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  expect(await store(pool, jobFrom(at), piece)).toBe('bad')
  expect(recordsOf(at)).toEqual([])
})
