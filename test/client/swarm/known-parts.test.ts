// Of a new version only the blocks that are nowhere in the old one are fetched, wherever in it they lie.

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { recipeOf } from '../../common/recipe/recipe-sample.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { folderSample } from './folder-sample.ts'
import type { Behaviour } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

const KiB = 1024
const pieces = 6

/** A download of six pieces and some bytes, with a file made from its content from which it may take some. */
function withDonor(
  make: (content: Buffer) => Buffer,
  moreBytes = 0,
): { one: OneDownload; path: string; recipe: Buffer } {
  const one = new OneDownload(pieces * pieceBytes + moreBytes)
  const path = join(one.folder, 'before')
  writeFileSync(path, make(one.content))
  one.download.record = { ...one.download.record, from: path }
  return { one, path, recipe: Buffer.from(recipeOf(one.content, one.manifest).bytes) }
}

const line = Buffer.from('a line\n')

/** With a line put in before this offset. */
function withLineAt(at: number): (content: Buffer) => Buffer {
  return (content) => Buffer.concat([content.subarray(0, at), line, content.subarray(at)])
}

test('of a version without a line at its front nothing but the outline of the recipe is fetched', async () => {
  const { one, path, recipe } = withDonor(withLineAt(0))
  const ann = await one.seeder('ann', { recipe })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked).toEqual([])
  expect(ann.recipesGiven).toBe(1)
  expect(ann.askedGroups).toEqual([])
  // A sixteenth of the recipe, and what is said to each other before.
  expect(ann.sentBytes).toBeLessThan(recipe.length / 16 + 4 * KiB)
  expect(one.notices).toEqual([
    `0 of 6 pieces of ${one.destination} are taken from ${path}`,
    `6 more are put together from parts of ${path}`,
  ])
})

test('of a piece in which a line was taken out only the block around it is fetched', async () => {
  const { one, path, recipe } = withDonor(withLineAt(2 * pieceBytes + 5000))
  const ann = await one.seeder('ann', { recipe })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  // Of 64 KiB: the third piece begins with number 16.
  expect(ann.askedGroups).toEqual([[16, 1]])
  expect(ann.askedParts).toEqual([{ index: 2, ranges: [[1, 1]] }])
  expect(ann.asked).toEqual([2])
  expect(one.notices).toEqual([
    `2 of 6 pieces of ${one.destination} are taken from ${path}`,
    `3 more are put together from parts of ${path}, and 1 in part`,
  ])
})

test('several peers give the parts that each has', async () => {
  const { one, recipe } = withDonor((content) => {
    const other = Buffer.from(content)
    for (let index = 0; index < pieces; index++) other[index * pieceBytes + 9 * KiB] = 0
    return Buffer.concat([line, other])
  })
  const ann = await one.seeder('ann', { recipe, bitfield: Buffer.of(0b11100000).toString('base64') })
  const bob = await one.seeder('bob', { recipe, bitfield: Buffer.of(0b00011100).toString('base64') })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  const parts = [...ann.askedParts, ...bob.askedParts].toSorted((a, b) => a.index - b.index)
  expect(parts).toEqual(Array.from({ length: pieces }, (_, index) => ({ index, ranges: [[2, 1]] })))
  expect(ann.recipesGiven + bob.recipesGiven).toBe(1)
})

test('a piece that nobody has is found where the old version has it in other pieces', async () => {
  const content = Buffer.from(new OneDownload(pieces * pieceBytes).content)
  // What is in the fifth piece is in the old version across two pieces that both have.
  content.copy(content, 4 * pieceBytes, pieceBytes + 64 * KiB, 2 * pieceBytes + 64 * KiB)
  const one = new OneDownload(0, content)
  const path = join(one.folder, 'before')
  writeFileSync(path, Buffer.from(content).fill('other', 4 * pieceBytes, 5 * pieceBytes))
  one.download.record = { ...one.download.record, from: path }
  const recipe = Buffer.from(recipeOf(one.content, one.manifest).bytes)
  const ann = await one.seeder('ann', { recipe, bitfield: Buffer.of(0b11110100).toString('base64') })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked).toEqual([])
  expect(one.notices).toContain(`1 more are put together from parts of ${path}`)
})

test('an earlier program is asked for whole pieces', async () => {
  const { one } = withDonor(withLineAt(2 * pieceBytes + 5000))
  const ann = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5])
  expect(ann.askedParts).toEqual([])
})

test('parts are asked of those who offer them, and whole pieces of the others', async () => {
  const { one, recipe } = withDonor(changedIn([1, 4]))
  const ann = await one.seeder('ann', { recipe, bitfield: Buffer.of(0b01000000).toString('base64') })
  const bob = await one.seeder('bob', { bitfield: Buffer.of(0b00001000).toString('base64') })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect([ann.asked, bob.asked]).toEqual([[1], [4]])
  expect([ann.askedParts.length, bob.askedParts.length]).toEqual([1, 0])
})

describe('a recipe that lies', () => {
  /** Of the same piece, group 1 is said to be what group 2 is. */
  function lying(recipe: Buffer): Buffer {
    const lie = Buffer.from(recipe)
    recipe.copy(lie, 8 + 12, 8 + 2 * 12, 8 + 3 * 12)
    return lie
  }

  /** Likewise blocks 3 and 5 of group 0. */
  function lyingOfBlocks(recipe: Buffer): Buffer {
    const lie = Buffer.from(recipe)
    const blocksAt = 8 + pieces * 8 * 12
    recipe.copy(lie, blocksAt + 3 * 12, blocksAt + 5 * 12, blocksAt + 6 * 12)
    return lie
  }

  test.each([
    ['groups', lying],
    ['blocks', lyingOfBlocks],
  ])('about %s costs pieces that are fetched as a whole, and no peer its place', async (_of, lie) => {
    const { one, recipe } = withDonor(changedIn([0, 1, 4]))
    const behaviour: Behaviour = { recipe: lie(recipe) }
    const ann = await one.seeder('ann', behaviour)
    one.start()
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    // Piece 0 in parts and then whole.
    expect(ann.askedParts.some(({ index }) => index === 0)).toBe(true)
    expect(ann.asked.filter((index) => index === 0)).toHaveLength(2)
    expect(ann.connections).toBeLessThanOrEqual(2)
  })

  test('about pieces that are here as a whole costs the same', async () => {
    const { one, recipe } = withDonor(withLineAt(0))
    const ann = await one.seeder('ann', { recipe: lying(recipe) })
    one.start()
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    expect(ann.asked).toContain(0)
  })

  test('is no recipe when it is malformed, and the peer gives its pieces', async () => {
    const { one, recipe } = withDonor(withLineAt(0))
    const ann = await one.seeder('ann', { recipe: recipe.subarray(0, -1) })
    one.start()
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    expect(ann.asked.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
  })
})

test('a peer that sends other parts than it was asked for costs the whole piece', async () => {
  const { one, recipe } = withDonor(changedIn([1]))
  const ann = await one.seeder('ann', {
    recipe,
    piece: ({ right, send, before }) => send(before === 0 ? Buffer.alloc(right.length, 1) : right),
  })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked).toEqual([1, 1])
  expect(ann.askedParts).toHaveLength(1)
})

test('what is gone when it is needed is fetched', async () => {
  const { one, path, recipe } = withDonor(changedIn([0, 1, 2, 3, 4, 5]))
  const ann = await one.seeder('ann', {
    recipe,
    piece: ({ right, send, before }) => {
      if (before === 0) truncateSync(path, 0)
      send(right)
    },
  })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.askedParts).toHaveLength(6)
  // But for what was in memory still.
  expect(ann.asked.length).toBeGreaterThan(6)
})

test('a download that waits for a recipe can be paused, and goes on with it later', async () => {
  const { one, recipe } = withDonor(withLineAt(0))
  const behaviour: Behaviour = { recipe, holdsRecipe: true }
  const ann = await one.seeder('ann', behaviour)
  one.start()
  await one.until('a request for the recipe', () => ann.recipesGiven > 0)
  expect(await one.download.pause()).toBe(true)
  expect(one.download.state).toBe('paused')
  behaviour.holdsRecipe = false
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.asked).toEqual([])
})

test('a peer that is gone after the outline costs the groups that were not found as a whole', async () => {
  const { one, recipe } = withDonor(changedIn([1]))
  const ann = await one.seeder('ann', { recipe, hangsUpAtGroups: true })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(ann.askedGroups).toEqual([[8, 1]])
  expect(ann.askedParts).toEqual([{ index: 1, ranges: [[0, 16]] }])
})

test('a recipe is not asked for where it has more bytes than it could save', async () => {
  const { one, recipe } = withDonor((content) => content.subarray(0, pieces * pieceBytes), 13)
  const ann = await one.seeder('ann', { recipe })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect([ann.recipesGiven, ann.asked]).toEqual([0, [6]])
})

test('parts of the files of a folder are found, whatever became of their places', async () => {
  const contents: Record<string, Buffer> = {}
  for (let index = 0; index < 40; index++)
    contents[`src/file ${String(index).padStart(2, '0')}`] = bytesOf(index, 30_000)
  const sample = folderSample(contents)
  const one = new OneDownload(0, sample)
  const before = join(one.folder, 'before')
  mkdirSync(join(before, 'old'), { recursive: true })
  // All of them were moved, and one begins with a line more.
  for (const [path, bytes] of Object.entries(contents)) {
    const isChanged = path === 'src/file 20'
    writeFileSync(join(before, path.replace('src', 'old')), isChanged ? Buffer.concat([line, bytes]) : bytes)
  }
  one.download.record = { ...one.download.record, from: before }
  const recipe = recipeOf(sample.content, sample.manifest).bytes
  const ann = await one.seeder('ann', { recipe })
  one.start()
  await one.untilComplete()
  for (const [path, bytes] of Object.entries(contents))
    expect(readFileSync(join(one.destination, path)).equals(bytes)).toBe(true)
  expect(ann.sentBytes).toBeLessThan(sample.content.length / 10)
})

/** With a byte of each of these pieces changed. */
function changedIn(changed: readonly number[]): (content: Buffer) => Buffer {
  return (content) => {
    const other = Buffer.from(content)
    for (const index of changed) other[index * pieceBytes + 5] = (other[index * pieceBytes + 5] ?? 0) ^ 1
    return other
  }
}

function bytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += 4) bytes.writeInt32LE(Math.imul(at + seed * 7919, 0x9e3779b1), at)
  return bytes
}
