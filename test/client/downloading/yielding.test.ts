import { expect, test } from 'vitest'
import { Yielding } from '../../../src/client/downloading/yielding.ts'
import { pieceBytes } from '../../../src/common/limits.ts'

const tickMs = 10
const lookMs = 250
const aheadMax = 16
const KiB = 1024
const MiB = 1024 * KiB

interface Lines {
  /** Bytes a second of both together. */
  readonly ownLine: number
  /** Of the senders of the higher one. */
  readonly higherMax: number
  /** A sender of both sends a piece after the other. */
  readonly pieceAfterPiece?: boolean
}

/** Two downloads that take all they can get; what each received, in bytes a second, after the first part of the time. */
function share({ ownLine, higherMax, pieceAfterPiece = false }: Lines, seconds: number): [number, number] {
  const yielding = new Yielding()
  const received = { higher: 0, lower: 0 }
  const counted = { higher: 0, lower: 0 }
  let [owed, looked, isLowerTurn] = [0, 0, false]
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += tickMs) {
    while (owed < aheadMax * pieceBytes && yielding.mayAsk(nowMs)) {
      yielding.onAsked()
      owed += pieceBytes
    }
    const line = (ownLine * tickMs) / 1000
    const most = (higherMax * tickMs) / 1000
    if (owed <= 0) isLowerTurn = false
    const half = owed > 0 ? line / 2 : line
    const higher = pieceAfterPiece ? (isLowerTurn ? 0 : line) : Math.min(most, half)
    const lower = Math.min(owed, line - higher)
    const before = received.higher
    received.higher += higher
    received.lower += lower
    const isPiece = Math.floor(received.higher / pieceBytes) > Math.floor(before / pieceBytes)
    if (isPiece) yielding.onPieceAhead()
    if (isPiece) isLowerTurn = owed > 0
    else if (Math.floor(owed / pieceBytes) > Math.floor((owed - lower) / pieceBytes)) isLowerTurn = false
    owed -= lower
    if (nowMs % lookMs === 0) {
      yielding.onBytesAhead(received.higher - looked, nowMs)
      looked = received.higher
    }
    if (nowMs < (seconds * 1000) / 4) Object.assign(counted, received)
  }
  const rate = (bytes: number): number => bytes / (seconds * 0.75)
  return [rate(received.higher - counted.higher), rate(received.lower - counted.lower)]
}

test.each([100 * KiB, MiB, 10 * MiB, 100 * MiB])(
  'on a full line of %i bytes a second the higher one has most, and the lower one some',
  (ownLine) => {
    const [higher, lower] = share({ ownLine, higherMax: 10 * ownLine }, 600)
    expect(higher / ownLine).toBeGreaterThan(0.8)
    expect(lower / ownLine).toBeGreaterThan(0.05)
  },
)

test('at a sender of both, which sends one piece after the other, too', () => {
  const [higher, lower] = share({ ownLine: MiB, higherMax: MiB, pieceAfterPiece: true }, 600)
  expect(higher / MiB).toBeGreaterThan(0.8)
  expect(lower / MiB).toBeGreaterThan(0.05)
})

test.each([50 * KiB, 500 * KiB, 5 * MiB])(
  'beside a higher one whose senders give %i bytes a second the lower one has most of what is left',
  (higherMax) => {
    const [higher, lower] = share({ ownLine: 20 * MiB, higherMax }, 600)
    expect(higher / higherMax).toBeGreaterThan(0.95)
    expect(lower / (20 * MiB - higherMax)).toBeGreaterThan(0.8)
  },
)

/** How many turns a piece is worth after 20 steps in which the higher ones have so much each. */
function worthAfter(yielding: Yielding, bytesOfStep: number, fromMs: number): number {
  for (let step = 0; step <= 20; step++) {
    yielding.mayAsk(fromMs + 1000 * step)
    yielding.onBytesAhead(bytesOfStep, fromMs + 1000 * step)
  }
  let turns = 0
  for (yielding.onPieceAhead(); yielding.hasTurn; turns++) yielding.onAsked()
  return turns
}

test('what the higher ones received before a silence no longer counts', () => {
  const yielding = new Yielding()
  expect(worthAfter(yielding, 16 * pieceBytes, 0)).toBeGreaterThan(10)
  expect(worthAfter(yielding, 8 * pieceBytes, 60_000)).toBeGreaterThan(10)
  // Without a silence they are taken to have lost it to the lower ones.
  expect(worthAfter(yielding, 4 * pieceBytes, 81_000)).toBeLessThan(2)
})

test('who asks for no more is given no more', () => {
  const yielding = new Yielding()
  for (let step = 0; step <= 20; step++) yielding.onBytesAhead(8 * pieceBytes, 1000 * step)
  yielding.onPieceAhead()
  expect(yielding.hasTurn).toBe(false)
})
