import { expect, test } from 'vitest'
import { OwedPieces } from '../../../src/client/downloading/owed-pieces.ts'
import type { PieceRequest } from '../../../src/client/downloading/piece-request.ts'

/** Requests for these pieces, or for any where none is said, sent under the ids 0, 1, 2 and so on. */
function owing(...indexes: (number | undefined)[]) {
  const cancelled: number[] = []
  const owed = new OwedPieces((id) => cancelled.push(id))
  const asked = indexes.map((index, id) => {
    const request: PieceRequest = { index }
    const one = owed.begin(request, 10 * id)
    owed.onSent(id, one)
    return one
  })
  return { owed, asked, cancelled }
}

test('requests that leave the choice to the peer count apart, until it has chosen', () => {
  const { owed, asked } = owing(undefined, 5)
  expect([owed.askedCount, owed.openCount, owed.sinceMs, owed.namedSinceMs]).toEqual([1, 1, 0, 10])
  expect(owed.open(1)).toBeUndefined()
  owed.onChosen(owed.open(0)!, 7, 25)
  expect([owed.askedCount, owed.openCount, owed.sinceMs]).toEqual([2, 0, 25])
  owed.onEnded(0, asked[0]!)
  owed.onEnded(1, asked[1]!)
  expect([owed.isEmpty, owed.sinceMs, owed.openCount]).toEqual([true, undefined, 0])
})

test('what is taken back is the last that has not begun to arrive, once', () => {
  const { owed, asked, cancelled } = owing(4, 5, undefined, 6)
  asked[0]!.arrivingBytes = 9
  expect([owed.queuedCount, owed.arrivingBytes]).toEqual([2, 9])
  owed.takeBack(1)
  expect([cancelled, owed.queuedCount]).toEqual([[3], 1])
  owed.takeBack(0)
  owed.takeBack(5)
  expect([cancelled, owed.queuedCount]).toEqual([[3, 1], 0])
  // The peer may have begun meanwhile: it is owed until it is refused.
  expect(owed.askedCount).toBe(3)
})

test('all can be taken back that has not begun to arrive, also what the peer has not chosen', () => {
  const { owed, asked, cancelled } = owing(4, 5, undefined, 6)
  asked[0]!.arrivingBytes = 9
  owed.cancel(6)
  owed.takeAllBack()
  expect(cancelled).toEqual([3, 1, 2])
})
