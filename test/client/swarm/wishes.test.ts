// A download of which somebody waits for certain pieces.

import { expect, test } from 'vitest'
import { piecesUnderWayMax } from '../../../src/client/downloading/under-way.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { OneDownload } from './one-download.ts'

const pieces = 60
/** What may be on its way already when a wish comes, from one peer. */
const asksAhead = 16

test('the pieces that somebody waits for come first, from a peer that chooses what it sends', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const wished = [50, 51, 52, 53]
  one.download.wishes.want({}, wished)
  const seeder = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  const last = Math.max(...wished.map((index) => one.had.indexOf(index)))
  expect(last).toBeLessThan(asksAhead + wished.length)
  expect([one.isIdentical(), new Set(one.had).size, one.had.length]).toEqual([true, pieces, pieces])
  expect(seeder.asked.length).toBe(pieces)
})

test('a wish that comes in the middle is heeded, and none is fetched twice', async () => {
  const many = 160
  const one = new OneDownload(many * pieceBytes)
  const wished: number[] = []
  one.onHave = () => {
    if (one.had.length !== 5) return
    for (let index = many - 1; wished.length < 6; index--) if (!one.had.includes(index)) wished.push(index)
    one.download.wishes.want({}, wished)
  }
  await one.seeder('ann')
  await one.seeder('ben')
  one.start()
  await one.untilComplete()
  const last = Math.max(...wished.map((index) => one.had.indexOf(index)))
  expect(last).toBeLessThan(5 + piecesUnderWayMax + asksAhead)
  expect([one.isIdentical(), one.had.length]).toEqual([true, many])
})
