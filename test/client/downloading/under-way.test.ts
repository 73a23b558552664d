import { expect, test } from 'vitest'
import { piecesUnderWayMax, UnderWay } from '../../../src/client/downloading/under-way.ts'

/** Asks for as many as may be asked for; how many that were. */
function askForAll(underWay: UnderWay): number {
  let count = 0
  for (; underWay.mayAsk; count++) underWay.onBegun()
  return count
}

test('as long as what comes is soon stored, all that may be under way is asked for', () => {
  const underWay = new UnderWay()
  expect(askForAll(underWay)).toBe(piecesUnderWayMax)
  for (let n = 0; n < 100; n++) {
    underWay.onArrived()
    underWay.onStored()
    underWay.onEnded()
    expect(underWay.isBehind).toBe(false)
    expect(askForAll(underWay)).toBe(1)
  }
})

test('when many have come that are not stored, fewer are asked for, until it has caught up', () => {
  const underWay = new UnderWay()
  askForAll(underWay)
  for (let n = 0; n < 12; n++) {
    expect(underWay.isBehind).toBe(false)
    underWay.onArrived()
  }
  expect(underWay.isBehind).toBe(true)
  const end = (): void => {
    underWay.onStored()
    underWay.onEnded()
  }
  for (let n = 0; n < 12; n++) end()
  expect(underWay.mayAsk).toBe(false)
  for (let n = 0; n < 13; n++) underWay.onEnded()
  expect(askForAll(underWay)).toBe(1)

  underWay.lookAgain()
  expect(underWay.isBehind).toBe(false)
  expect(askForAll(underWay)).toBe(piecesUnderWayMax - 24)
})

test('a disk that stands still is no sign of having caught up', () => {
  const underWay = new UnderWay()
  for (let n = 0; n < 12; n++) {
    underWay.onBegun()
    underWay.onArrived()
  }
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(true)
  underWay.onStored()
  underWay.lookAgain()
  expect(underWay.isBehind).toBe(false)
})
