import { expect, test } from 'vitest'
import {
  askAhead,
  averagePace,
  choicesAhead,
  isDoubtful,
  letsPeerChoose,
} from '../../../src/client/downloading/asking.ts'
import { pieceRequestsQueuedMax } from '../../../src/common/limits.ts'

test.each([
  [undefined, 2],
  [10_000, 2],
  [125, 3],
  [25, 11],
  [1, 16],
  [0, 16],
])('of a peer that needs %s ms a piece %s are asked for at once', (msPerPiece, count) => {
  expect(askAhead(msPerPiece)).toBe(count)
})

test('of a far peer as much is asked for as comes in two round trips', () => {
  expect([1, 100, 125].map((roundTripMs) => askAhead(25, roundTripMs))).toEqual([11, 11, 11])
  expect(askAhead(25, 150)).toBe(13)
  expect(askAhead(25, Infinity)).toBe(11)
})

test('however much a peer may choose, there is room in its queue for pieces by their index', () => {
  expect(choicesAhead(undefined)).toBe(2)
  expect(choicesAhead(9)).toBeLessThan(pieceRequestsQueuedMax)
})

test('a peer chooses what it sends unless it is fast, and one between fast and slow goes on as it did', () => {
  expect([undefined, 100, 20].map((ms) => letsPeerChoose(ms, false))).toEqual([true, true, true])
  expect([1, 7].map((ms) => letsPeerChoose(ms, true))).toEqual([false, false])
  expect([true, false].map((doesNow) => letsPeerChoose(12, doesNow))).toEqual([true, false])
})

test('a silent peer is doubted only when something is asked of it', () => {
  expect(isDoubtful(1, 999)).toBe(false)
  expect(isDoubtful(1, 1000)).toBe(true)
  expect(isDoubtful(0, 60_000)).toBe(false)
})

test('the pace follows a peer that becomes slower', () => {
  let pace = averagePace(undefined, 10)
  expect(pace).toBe(10)
  for (let piece = 0; piece < 10; piece++) pace = averagePace(pace, 100)
  expect(pace).toBeGreaterThan(85)
})
