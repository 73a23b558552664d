// What an earlier version, or another file, has of a new content is copied, and only the rest is fetched.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { builtPool } from '../workers/built-pool.ts'
import { OneDownload } from './one-download.ts'

/** A download of ten pieces, with a file from which it may take some. */
async function withDonor(make: (content: Buffer) => Buffer): Promise<{ one: OneDownload; path: string }> {
  const one = new OneDownload(10 * pieceBytes, undefined, undefined, await builtPool())
  const path = join(one.folder, 'before')
  writeFileSync(path, make(one.content))
  one.download.record = { ...one.download.record, from: path }
  return { one, path }
}

test.each([
  ['a version with two pieces changed', (content: Buffer) => changed(content, [2, 7]), [2, 7]],
  ['the beginning of it', (content: Buffer) => Buffer.from(content.subarray(0, 8 * pieceBytes)), [8, 9]],
  ['another order of its pieces', (content: Buffer) => swapped(content), []],
  ['nothing of it', () => Buffer.alloc(3 * pieceBytes), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
])('from %s', async (_what, make, missing) => {
  const { one, path } = await withDonor(make)
  const ann = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked.toSorted((a, b) => a - b)).toEqual(missing)
  expect(one.notices).toEqual([
    `${10 - missing.length} of 10 pieces of ${one.destination} are taken from ${path}`,
  ])
})

test('what cannot be taken is said, and fetched', async () => {
  const one = new OneDownload(2 * pieceBytes)
  const folder = join(one.folder, 'folder')
  mkdirSync(folder)
  one.download.record = { ...one.download.record, from: folder }
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(one.notices).toEqual([`nothing is taken from ${folder}: it is no regular file`])
  expect(one.isIdentical()).toBe(true)
})

test('what is there is offered to others like what was fetched', async () => {
  const { one } = await withDonor((content) => changed(content, [4]))
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(one.had.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(one.piecesByUser).toEqual({ ann: 1 })
})

function changed(content: Buffer, pieces: readonly number[]): Buffer {
  const other = Buffer.from(content)
  for (const index of pieces) other[index * pieceBytes + 5] = (other[index * pieceBytes + 5] ?? 0) ^ 1
  return other
}

function swapped(content: Buffer): Buffer {
  return Buffer.concat([content.subarray(5 * pieceBytes), content.subarray(0, 5 * pieceBytes)])
}
