import { expect, test } from 'vitest'
import { TurnsAhead } from '../../../src/client/sharing/turns-ahead.ts'
import { UploadOrder, type Turn } from '../../../src/client/sharing/upload-order.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

/** A turn of each of these peers, for the piece with the number of its request. */
function turnsOf(...peers: readonly string[]): Turn<string, number>[] {
  const order = new UploadOrder<string, number>(seededRandom(1))
  return peers.map((peer, id) => {
    order.add(peer, { id, take: () => id })
    const turn = order.next(8)
    if (turn === undefined) throw new Error('there is one request')
    return turn
  })
}

/** One that has served peers so far away. */
function servedAt(...roundTripsMs: readonly number[]): TurnsAhead<string, number> {
  const ahead = new TurnsAhead<string, number>()
  for (const roundTripMs of roundTripsMs) ahead.onTurn(roundTripMs)
  return ahead
}

test('nothing is chosen ahead before the first turn, and where all are near', () => {
  expect(servedAt().wantsMore(0.1, 125)).toBe(false)
  expect(servedAt(4, 4, 12, 10).leadMs).toBe(0)
})

test('so much is chosen that two round trips pass before each turn', () => {
  const ahead = servedAt(100)
  expect(ahead.wantsMore(201, 125)).toBe(false)
  const [a, b] = turnsOf('a', 'b')
  expect(ahead.wantsMore(70, 125)).toBe(true)
  ahead.add(a!, 100, 0)
  expect(ahead.wantsMore(70, 125)).toBe(true)
  ahead.add(b!, 100, 0)
  expect(ahead.wantsMore(70, 125)).toBe(false)
})

test('however far away somebody seems to be, a choice is made half a second ahead at most, and eight of them', () => {
  const ahead = servedAt(60_000)
  expect(ahead.leadMs).toBe(500)
  for (const turn of turnsOf(...Array.from({ length: 8 }, (_, at) => `p${at}`))) {
    expect(ahead.wantsMore(0, 1)).toBe(true)
    ahead.add(turn, 60_000, 0)
  }
  expect(ahead.wantsMore(0, 1)).toBe(false)
})

test('one peer that seems to be far away does not change much for many that are near', () => {
  expect(servedAt(...Array.from({ length: 20 }, () => 4), 60_000).leadMs).toBeLessThan(125)
})

test('what could have been taken back by now is sent first, else what soonest could', () => {
  const ahead = servedAt(100)
  const [far, near, nearest] = turnsOf('far', 'near', 'nearest')
  ahead.add(far!, 300, 0)
  ahead.add(near!, 80, 0)
  ahead.add(nearest!, 10, 100)
  expect(ahead.next(100)).toBe(near)
  expect(ahead.next(105)).toBe(nearest)
  expect(ahead.next(105)).toBe(far)
  expect(ahead.next(105)).toBeUndefined()
})

test('turns that all could have been taken back are sent in the order in which they were chosen', () => {
  const ahead = servedAt(100)
  const [a, b] = turnsOf('a', 'b')
  ahead.add(a!, 200, 0)
  ahead.add(b!, 10, 0)
  expect(ahead.next(250)).toBe(a)
})

test('a turn that is taken back is over, and its peer may have another', () => {
  const ahead = servedAt(100)
  const [a, b] = turnsOf('a', 'b')
  ahead.add(a!, 100, 0)
  ahead.add(b!, 100, 0)
  expect(ahead.countOf(a!.line)).toBe(1)
  expect(ahead.cancel('b', a!.id)).toBe(false)
  expect(ahead.cancel('a', a!.id)).toBe(true)
  expect(ahead.cancel('a', a!.id)).toBe(false)
  expect([a!.line.busy, b!.line.busy, ahead.countOf(a!.line)]).toEqual([0, 1, 0])
  expect(ahead.next(0)).toBe(b)
})

test('the turns of a peer that has gone are forgotten', () => {
  const ahead = servedAt(100)
  const [a, b] = turnsOf('a', 'b')
  ahead.add(a!, 100, 0)
  ahead.add(b!, 100, 0)
  ahead.onPeerGone('a')
  expect(ahead.next(0)).toBe(b)
  expect(ahead.isEmpty).toBe(true)
})

test('a piece that comes to its peer from elsewhere waits until that could have taken it back, and another is chosen', () => {
  const ahead = servedAt(30)
  const [a] = turnsOf('a')
  ahead.add(a!, 30, 0)
  expect(ahead.wantsMore(25, 40)).toBe(false)
  expect(ahead.onTaken('b', (index) => index === a!.load)).toBe(false)
  expect(ahead.onTaken('a', (index) => index !== a!.load)).toBe(false)
  expect(ahead.onTaken('a', (index) => index === a!.load)).toBe(true)
  expect(ahead.wantsMore(25, 40)).toBe(true)
  expect(ahead.isEmpty).toBe(true)
  expect(ahead.next(29)).toBeUndefined()
  expect(ahead.next(30)).toBe(a)
})

test('peers that may not be sent anything now keep their turns', () => {
  const ahead = servedAt(100)
  const [a, b] = turnsOf('a', 'b')
  ahead.add(a!, 0, 0)
  ahead.add(b!, 100, 0)
  expect(ahead.next(0, ({ peer }) => peer !== 'a')).toBe(b)
  expect(ahead.next(0, ({ peer }) => peer !== 'a')).toBeUndefined()
  expect(ahead.next(0)).toBe(a)
})
