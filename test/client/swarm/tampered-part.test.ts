// `[C]` means that the file is what was shared, also when another program wrote to the part file.

import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { builtPool } from '../workers/built-pool.ts'
import { OneDownload } from './one-download.ts'

function overwrite(path: string, bytes: number, at = 0): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(bytes, 'meddled'), 0, bytes, at)
  closeSync(file)
}

// The first MiB of a part file was overwritten while the rest was fetched, and `[C]` followed all the same.
test.each([6, 40])(
  'pieces of %s that were overwritten while others came are fetched again',
  async (pieces) => {
    const one = new OneDownload(pieces * pieceBytes, undefined, undefined, await builtPool())
    // All the others come after the first two were overwritten.
    const held: (() => void)[] = []
    let isTampered = false
    one.onHave = () => {
      if (one.had.length !== 2) return
      for (const index of one.had) overwrite(`${one.destination}.part`, 1000, index * pieceBytes)
      isTampered = true
      for (const send of held.splice(0)) send()
    }
    await one.seeder('ann', {
      piece: ({ before, right, send }) => {
        if (before < 2 || isTampered) send(right)
        else held.push(() => send(right))
      },
    })
    one.start()
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    expect(one.notices).toEqual([
      `${one.destination}.part was changed by another program; it is verified again`,
    ])
    expect(one.had).toHaveLength(pieces + 2)
    expect(one.leftOver()).toEqual([])
  },
)

test('a part file that was overwritten after the last piece, before its name, is not published as it is', async () => {
  const one = new OneDownload(3 * pieceBytes)
  let isTampered = false
  one.onHave = () => {
    if (one.had.length < 3 || isTampered) return
    isTampered = true
    overwrite(`${one.destination}.part`, 10)
  }
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect(isTampered).toBe(true)
  expect(one.isIdentical()).toBe(true)
  expect(one.had.length).toBe(4)
})

test('a piece that was overwritten is not given to others', async () => {
  const one = new OneDownload(3 * pieceBytes)
  const read: unknown[] = []
  let isLooking = false
  one.onServing = (store) => {
    one.onHave = async () => {
      if (one.had.length < 2 || isLooking) return
      isLooking = true
      const [first = 0, second = 0] = one.had
      const file = openSync(`${one.destination}.part`, 'r+')
      writeSync(file, 'meddled', first * pieceBytes)
      closeSync(file)
      const buffer = Buffer.alloc(pieceBytes)
      read.push((await store.read(first, buffer)).ok, (await store.read(second, buffer)).ok)
      for (const send of held.splice(0)) send()
    }
  }
  // The third piece comes later: nobody can tell a foreign write that happens while a piece is being written.
  const held: (() => void)[] = []
  await one.seeder('ann', {
    piece: ({ before, right, send }) => (before === 2 ? held.push(() => send(right)) : send(right)),
  })
  one.start()
  await one.untilComplete()
  await one.until('both reads', () => read.length === 2)
  expect(read).toEqual([false, true])
  expect(one.isIdentical()).toBe(true)
})

test('a file of somebody else in the place of the part file is left as it is', async () => {
  const one = new OneDownload(3 * pieceBytes)
  const ann = await one.seeder('ann', {
    piece: (reply, index) => void (index !== 2 && reply.send(reply.right)),
  })
  one.start()
  await one.until('two pieces', () => one.had.length === 2)
  await one.download.pause()
  one.download.record = { ...one.download.record, part: one.partId }
  const path = `${one.destination}.part`
  rmSync(path)
  writeFileSync(path, 'somebody else’s')
  one.download.start()
  await one.until('the pause', () => one.notices.length > 0)
  expect(one.notices).toEqual([
    `paused: ${path} is in the way and is not part of this download; move it away`,
  ])
  expect(readFileSync(path, 'utf8')).toBe('somebody else’s')
  await one.download.discard()
  expect(readFileSync(path, 'utf8')).toBe('somebody else’s')
  ann.stop()
})
