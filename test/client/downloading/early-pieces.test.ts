// Pieces that a far peer is asked for before the manifest is here.

import { expect, test } from 'vitest'
import { EarlyPieces, type Askable } from '../../../src/client/downloading/early-pieces.ts'
import { aheadOnNew, lanesMax } from '../../../src/client/downloading/lane-plan.ts'
import type { PieceBuffer } from '../../../src/client/workers/store-pool.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { accept, type Answer } from '../../../src/common/refusal.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

/** A connection of which every piece is asked so, with what it was asked. */
function connection(answer: () => Promise<Answer<PieceBuffer>> = () => new Promise(() => undefined)) {
  const asked: number[] = []
  const lengths: number[] = []
  const piece: Askable['piece'] = (request, lengthOf) => {
    const { index = -1 } = request
    asked.push(index)
    lengths.push(lengthOf(index))
    return answer()
  }
  return { piece, asked, lengths }
}

const bufferless = (): PieceBuffer => {
  throw new Error('no byte has come')
}

test('each connection is asked for as many as a new one takes, and none for a piece of another', () => {
  const early = new EarlyPieces(1000 * pieceBytes, bufferless, seededRandom(1))
  const links = Array.from({ length: lanesMax }, () => connection())
  for (const link of links) early.ask(link)
  const asked = links.map((link) => link.asked)
  expect(asked.map((each) => each.length)).toEqual(Array<number>(lanesMax).fill(aheadOnNew))
  expect(new Set(asked.flat()).size).toBe(lanesMax * aheadOnNew)
  expect(early.take().map(({ request }) => request.index)).toEqual(asked.flat())
})

test('of a small file they are half of all at most, and the last piece is as short as it is', () => {
  const sizeBytes = 31 * pieceBytes + 7
  const early = new EarlyPieces(sizeBytes, bufferless, () => 0.999)
  const links = Array.from({ length: lanesMax }, () => connection())
  for (const link of links) early.ask(link)
  const asked = links.flatMap((link) => link.asked)
  expect(asked.length).toBe(16)
  expect(links[0]?.asked[0]).toBe(31)
  expect(links[0]?.lengths).toEqual([7, pieceBytes])
})

test('once they are handed over none is asked for', () => {
  const early = new EarlyPieces(1000 * pieceBytes, bufferless)
  early.take()
  const late = connection()
  early.ask(late)
  expect(late.asked).toEqual([])
})

test('what nobody takes over gives its memory back, also when it comes later, and a lost connection is no error', async () => {
  let released = 0
  const buffer = { bytes: Buffer.alloc(0), slot: undefined, release: () => released++ }
  const early = new EarlyPieces(1000 * pieceBytes, bufferless)
  early.ask(connection(() => Promise.resolve(accept(buffer))))
  early.ask(connection(() => Promise.reject(new Failure('connection-lost', 'it is gone'))))
  early.drop()
  early.drop()
  await new Promise(setImmediate)
  expect(released).toBe(aheadOnNew)
})
