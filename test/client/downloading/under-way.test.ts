import { expect, test } from 'vitest'
import { Precedence } from '../../../src/client/downloading/precedence.ts'
import {
  piecesOfUserMax,
  piecesOfLanesMax,
  piecesOnTheWayMax,
  piecesUnderWayMax,
  UnderWay,
  type Share,
} from '../../../src/client/downloading/under-way.ts'

const alone = new Precedence().rank({ group: 'g', name: 'f' })

/** Asks a peer for as many as may be asked for; how many that were. */
function askForAll(underWay: UnderWay, share: Share): number {
  let count = 0
  for (; underWay.mayAsk(share); count++) underWay.onBegun(share)
  return count
}

test('as long as what comes is soon stored, all that may be under way is asked for', () => {
  const underWay = new UnderWay(alone)
  const share = underWay.join('ann')
  expect(askForAll(underWay, share)).toBe(piecesUnderWayMax)
  for (let n = 0; n < 100; n++) {
    underWay.onArrived()
    underWay.onStored()
    underWay.onEnded(share)
    expect(underWay.isBehind).toBe(false)
    expect(askForAll(underWay, share)).toBe(1)
  }
})

test('when many have come that are not stored, fewer are asked for, until it has caught up', () => {
  const underWay = new UnderWay(alone)
  const share = underWay.join('ann')
  askForAll(underWay, share)
  for (let n = 0; n < 12; n++) {
    expect(underWay.isBehind).toBe(false)
    underWay.onArrived()
  }
  expect(underWay.isBehind).toBe(true)
  const end = (): void => {
    underWay.onStored()
    underWay.onEnded(share)
  }
  for (let n = 0; n < 12; n++) end()
  expect(underWay.mayAsk(share)).toBe(false)
  for (let n = 0; n < 13; n++) underWay.onEnded(share)
  expect(askForAll(underWay, share)).toBe(1)

  underWay.lookAgain()
  expect(underWay.isBehind).toBe(false)
  expect(askForAll(underWay, share)).toBe(piecesUnderWayMax - 24)
})

test('on many connections pieces come in bursts, so more may have come that are not stored', () => {
  const underWay = new UnderWay(alone)
  underWay.onFar(0, 7)
  for (let n = 0; n < 12 + 28; n++) {
    expect(underWay.isBehind).toBe(false)
    underWay.onArrived()
  }
  expect(underWay.isBehind).toBe(true)
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(true)
  underWay.onStored()
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(false)
})

test('a disk that stands still is no sign of having caught up', () => {
  const underWay = new UnderWay(alone)
  const share = underWay.join('ann')
  for (let n = 0; n < 12; n++) {
    underWay.onBegun(share)
    underWay.onArrived()
  }
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(true)
  underWay.onStored()
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(false)
})

test('what late peers hold does not count, however many they are, until they deliver', () => {
  const underWay = new UnderWay(alone)
  const late = Array.from({ length: 10 }, () => underWay.join('mallory'))
  for (const share of late) askForAll(underWay, share)
  const honest = underWay.join('ann')
  for (const share of late) underWay.onLate(share)
  expect(late.some((share) => underWay.mayAsk(share))).toBe(false)
  expect(askForAll(underWay, honest)).toBe(piecesOfUserMax)
  for (const share of late) {
    underWay.onOnTime(share)
    underWay.leave(share)
  }
  expect(askForAll(underWay, honest)).toBe(piecesUnderWayMax - piecesOfUserMax)
})

test('a peer that has nothing under way may be asked for one piece, whatever the others have', () => {
  const underWay = new UnderWay(alone)
  const greedy = [underWay.join('ann'), underWay.join('ben')]
  for (const share of greedy) askForAll(underWay, share)
  expect(askForAll(underWay, underWay.join('cleo'))).toBe(1)
})

test('what is on long lines is asked for besides, up to as much again', () => {
  const underWay = new UnderWay(alone)
  const share = underWay.join('ann')
  expect(askForAll(underWay, share)).toBe(piecesUnderWayMax)
  underWay.onFar(9, 0)
  expect(askForAll(underWay, share)).toBe(9)
  underWay.onFar(1000, 0)
  expect(askForAll(underWay, share)).toBe(piecesOnTheWayMax - 9)
})

test('so is what further connections are kept busy with', () => {
  const underWay = new UnderWay(alone)
  const share = underWay.join('ann')
  underWay.onFar(0, 7)
  expect(askForAll(underWay, share)).toBe(piecesUnderWayMax + 56)
  underWay.onFar(0, 1000)
  expect(askForAll(underWay, share)).toBe(piecesOfLanesMax - 56)
})
