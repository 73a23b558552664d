import { expect, test } from 'vitest'
import { UploadOrder } from '../../../src/client/sharing/upload-order.ts'
import { pieceRequestsQueuedMax } from '../../../src/common/limits.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

function orderOf(peers: readonly string[], requestsEach: number, seed = 1): UploadOrder<string, number> {
  const order = new UploadOrder<string, number>(seededRandom(seed))
  for (const peer of peers) {
    for (let id = 0; id < requestsEach; id++) order.add(peer, { id, take: () => id })
  }
  return order
}

/** The next turns, each over before the next begins. */
function turns(order: UploadOrder<string, number>, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => {
    const turn = order.next(1)
    if (turn !== undefined) turn.line.busy--
    return turn?.line.peer
  })
}

test('in every round every peer has one turn', () => {
  const order = orderOf(['a', 'b', 'c'], 3)
  for (let round = 0; round < 3; round++) expect(new Set(turns(order, 3))).toEqual(new Set(['a', 'b', 'c']))
  expect(order.next(1)).toBeUndefined()
})

test('uploaders with the same peers do not serve them in the same order', () => {
  const peers = Array.from({ length: 8 }, (_, index) => `p${index}`)
  const firsts = Array.from({ length: 40 }, (_, seed) => turns(orderOf(peers, 1, seed), 1)[0])
  expect(new Set(firsts).size).toBeGreaterThan(4)
})

test('a peer that asks alone has every turn', () => {
  const order = orderOf(['a'], 3)
  expect(turns(order, 4)).toEqual(['a', 'a', 'a', undefined])
})

test('a peer is not served while as many answers as it may have are under way to it', () => {
  const order = orderOf(['a'], 3)
  const first = order.next(2)
  order.next(2)
  expect(order.next(2)).toBeUndefined()
  first!.line.busy--
  expect(order.next(2)).toMatchObject({ id: 2 })
})

test('a request that has nothing to be answered with is passed over, and waits', () => {
  const order = new UploadOrder<string, number>(seededRandom(1))
  const pieces: number[] = []
  order.add('a', { id: 1, take: () => pieces.pop() })
  order.add('a', { id: 2, take: () => 7 })
  expect(order.next(2)).toMatchObject({ id: 2, load: 7 })
  expect(order.next(2)).toBeUndefined()
  pieces.push(9)
  expect(order.next(2)).toMatchObject({ id: 1, load: 9 })
})

test('more requests than the queue holds are not taken', () => {
  const order = orderOf(['a'], pieceRequestsQueuedMax)
  expect(order.add('a', { id: 99, take: () => 99 })).toBe(false)
  order.next(1)
  expect(order.add('a', { id: 99, take: () => 99 })).toBe(true)
})

test('what is cancelled, or asked by a peer that is gone, has no turn', () => {
  const order = orderOf(['a', 'b'], 1)
  expect([order.cancel('a', 0), order.cancel('a', 0), order.cancel('c', 0)]).toEqual([true, false, false])
  order.onPeerGone('b')
  expect(order.next(1)).toBeUndefined()
  expect(order.peerCount).toBe(1)
})
