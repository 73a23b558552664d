// What an earlier version, or another file, has of a new content is copied, and only the rest is fetched.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SharedFile } from '../../../src/client/sharing/shared-file.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { builtPool } from '../workers/built-pool.ts'
import { folderSample } from './folder-sample.ts'
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
  const path = join(one.folder, 'nothing')
  one.download.record = { ...one.download.record, from: path }
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(one.notices).toEqual([`nothing is taken from ${path}: there is no file ${path}`])
  expect(one.isIdentical()).toBe(true)
})

/** Nothing is read of what is here until the promise resolves. */
function holdReading(until: Promise<unknown>): void {
  const held = vi.spyOn(SharedFile.prototype, 'read')
  held.mockImplementation(async function (this: SharedFile, index, buffer) {
    await until
    held.mockRestore()
    return this.read(index, buffer)
  })
  onTestFinished(() => held.mockRestore())
}

test('what is missing is fetched while what is there is still copied', async () => {
  const { one } = await withDonor((content) => changed(content, [2, 7]))
  const ann = await one.seeder('ann')
  holdReading(vi.waitFor(() => expect(one.had.toSorted((a, b) => a - b)).toEqual([2, 7]), 10_000))
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked).toHaveLength(2)
})

test('a piece that turns out to be another one while it is copied is fetched', async () => {
  const { one, path } = await withDonor((content) => changed(content, [2, 7]))
  const ann = await one.seeder('ann')
  const write = vi.waitFor(() => {
    expect(ann.asked).toHaveLength(2)
    writeFileSync(path, changed(one.content, [2, 4, 7]))
  }, 10_000)
  holdReading(write)
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked.toSorted((a, b) => a - b)).toEqual([2, 4, 7])
  expect(one.notices).toContain(`7 of 10 pieces of ${one.destination} are taken from ${path}`)
})

test('a download that is paused while it copies goes on where it was', async () => {
  const { one } = await withDonor((content) => changed(content, [2, 7]))
  await one.seeder('ann')
  let readOn = (): void => undefined
  holdReading(new Promise<void>((resolve) => (readOn = resolve)))
  one.start()
  await vi.waitFor(() => expect(one.had).toHaveLength(2), 10_000)
  const paused = one.download.pause()
  readOn()
  await paused
  const before = one.had.length
  expect(before).toBeLessThan(10)
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(new Set(one.had).size).toBe(one.had.length)
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

test('of a folder with a few files changed only their pieces are fetched', async () => {
  const contents: Record<string, Buffer> = {}
  for (let index = 0; index < 60; index++)
    contents[`src/file ${String(index).padStart(2, '0')}`] = Buffer.alloc(30_000, `content ${index}`)
  const sample = folderSample(contents)
  const one = new OneDownload(0, sample, undefined, await builtPool())
  const before = join(one.folder, 'before')
  mkdirSync(join(before, 'src'), { recursive: true })
  for (const [path, bytes] of Object.entries(contents)) writeFileSync(join(before, path), bytes)
  writeFileSync(join(before, 'src/file 20'), Buffer.alloc(30_000, 'something else'))
  one.download.record = { ...one.download.record, from: before }
  const ann = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  // The tree, since the times differ, and the piece in which the file lies.
  expect(ann.asked).toHaveLength(2)
  expect(sample.manifest.pieceCount).toBeGreaterThan(4)
  for (const [path, bytes] of Object.entries(contents))
    expect(readFileSync(join(one.destination, path)).equals(bytes)).toBe(true)
})
