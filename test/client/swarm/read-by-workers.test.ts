// Pieces that lie in a file here as they are, at any offset, are read by the workers that store them. What turns out to be
// something else is put together by the loop, which finds out what is there still.

import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import type { StorePool } from '../../../src/client/workers/store-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { recipeOf } from '../../common/recipe/recipe-sample.ts'
import { breakingStoreWorker, builtPool, builtStorePool } from '../workers/built-pool.ts'
import type { FakeSeeder } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

const pieces = 10
const front = 'a line that is gone\n'

interface Taken {
  readonly one: OneDownload
  readonly ann: FakeSeeder
  /** The old version. */
  readonly path: string
  /** How many pieces workers were to read. */
  readonly readByWorkers: () => number
}

/**
 * A download of ten pieces with the old version here, and ann who has the new one. `onFirst` is called before the first piece
 * is handed to a worker.
 */
async function download(
  make: (content: Buffer) => Buffer,
  {
    onFirst = () => undefined,
    storing: given,
    recipe = (right) => right,
  }: {
    onFirst?: (path: string) => void
    storing?: StorePool
    recipe?: (right: Buffer) => Buffer
  } = {},
): Promise<Taken> {
  // The loop looks for blocks, and workers of the build do the rest.
  const storing = given ?? (await builtStorePool())
  const recipes = new RecipePool(undefined, Number.POSITIVE_INFINITY)
  const one = new OneDownload(
    pieces * pieceBytes,
    undefined,
    undefined,
    await builtPool(),
    {},
    recipes,
    storing,
  )
  const path = join(one.folder, 'before')
  writeFileSync(path, make(one.content))
  one.download.record = { ...one.download.record, from: path }
  const store = storing.store.bind(storing)
  let count = 0
  vi.spyOn(storing, 'store').mockImplementation((slot, job) => {
    if (job.from !== undefined && count++ === 0) onFirst(path)
    return store(slot, job)
  })
  const right = Buffer.from(recipeOf(one.content, one.manifest).bytes)
  const ann = await one.seeder('ann', { recipe: recipe(right) })
  storing.warmUp()
  // On a busy machine it would take longer to find what is here than an idle worker waits.
  const keeping = setInterval(() => storing.warmUp(), 100)
  onTestFinished(() => clearInterval(keeping))
  await vi.waitFor(() => expect(storing.isStaffed).toBe(true), { timeout: 10_000, interval: 5 })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  return { one, ann, path, readByWorkers: () => count }
}

function withFront(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(front), content])
}

function scribble(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, 'other bytes', at)
  closeSync(file)
}

test('pieces that are the same in both are read by workers', async () => {
  const { ann, readByWorkers } = await download((content) => content.subarray(0, 8 * pieceBytes))
  expect(ann.asked.toSorted((one, other) => one - other)).toEqual([8, 9])
  expect(readByWorkers()).toBe(8)
})

test('pieces that lie at other offsets are read by workers', async () => {
  const { ann, readByWorkers } = await download(withFront)
  expect(ann.asked).toEqual([])
  expect(readByWorkers()).toBe(pieces)
})

test('a piece whose parts lie in several places is put together by the loop', async () => {
  const { ann, readByWorkers } = await download((content) => {
    const [before, after] = [content.subarray(0, 2.5 * pieceBytes), content.subarray(2.5 * pieceBytes)]
    return Buffer.concat([after, Buffer.from(front), before])
  })
  expect(ann.asked).toEqual([])
  expect(readByWorkers()).toBe(pieces - 1)
})

test('of an old version that somebody writes to meanwhile only what is another now is fetched', async () => {
  const { one, ann, path } = await download(withFront, {
    onFirst: (path) => scribble(path, 5 * pieceBytes + 9),
  })
  // Others that reach into the piece of the old version are what they were, as their hashes tell.
  expect(ann.asked.toSorted((one, other) => one - other)).toEqual([4])
  expect(one.notices).toContain(`9 more are put together from parts of ${path}`)
})

test('of an old version that is cut short meanwhile only what is gone is fetched', async () => {
  const { ann } = await download(withFront, { onFirst: (path) => truncateSync(path, 7 * pieceBytes) })
  expect(ann.asked.toSorted((one, other) => one - other)).toEqual([6, 7, 8, 9])
})

test('a recipe that lies about four pieces is not believed about the others', async () => {
  const { ann } = await download(withFront, {
    recipe: (right) => {
      const lie = Buffer.from(right)
      // Of each piece, group 1 is said to be what group 2 is.
      for (let piece = 0; piece < pieces; piece++) {
        const at = 8 + piece * 8 * 12
        right.copy(lie, at + 12, at + 2 * 12, at + 3 * 12)
      }
      return lie
    },
  })
  expect(ann.asked.length).toBeGreaterThanOrEqual(pieces)
})

test('pieces that a worker had when it broke are put together by the loop', async () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const storing = await builtStorePool(1, (data) => breakingStoreWorker('hashing', 'process.exit(1)', data))
  const { ann, readByWorkers } = await download(withFront, { storing })
  expect(ann.asked).toEqual([])
  expect(readByWorkers()).toBeGreaterThan(0)
})
