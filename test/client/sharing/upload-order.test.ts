import { expect, test } from 'vitest'
import { UploadOrder } from '../../../src/client/sharing/upload-order.ts'
import { pieceBytes, pieceRequestsQueuedMax } from '../../../src/common/limits.ts'
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
  // It is not looked at again and again.
  expect(order.next(2)).toBeUndefined()
  order.lookAgain('a')
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
  expect(order.ownerCount).toBe(1)
})

/** Peers that are named by their user and a number. */
function orderOfUsers(peers: readonly string[], requestsEach: number): UploadOrder<string, number> {
  const order = new UploadOrder<string, number>(seededRandom(1), ([user]) => user)
  for (const peer of peers) {
    for (let id = 0; id < requestsEach; id++) order.add(peer, { id, take: () => id })
  }
  return order
}

function usersOf(peers: readonly (string | undefined)[]): string {
  return peers.map((peer) => peer?.[0] ?? '-').join('')
}

/** How often each user had a turn. */
function countsOf(peers: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const peer of peers) counts[peer?.[0] ?? '-'] = (counts[peer?.[0] ?? '-'] ?? 0) + 1
  return counts
}

const crowd = Array.from({ length: 12 }, (_, index) => `a${index}`)

test('a user with many peers has the turns of one, and its peers share them', () => {
  const order = orderOfUsers([...crowd, 'b0', 'c0'], 16)
  const had = turns(order, 36)
  expect(countsOf(had)).toEqual({ a: 12, b: 12, c: 12 })
  expect(new Set(had.filter((peer) => peer?.startsWith('a'))).size).toBe(12)
})

test('peers of one user have no more answers under way than one peer, while another user wants some', () => {
  const order = orderOfUsers([...crowd, 'b0'], 16)
  expect(
    usersOf(Array.from({ length: 5 }, () => order.next(2)?.line.peer))
      .split('')
      .toSorted()
      .join(''),
  ).toBe('-aabb')
})

test('of several connections of a user, one that has not read yet has one answer under way, so that each has some', () => {
  const order = orderOfUsers(crowd.slice(0, 3), 16)
  const first = Array.from({ length: 4 }, () => order.next(2)?.line)
  expect(new Set(first).size).toBe(4)
  expect(first.at(-1)).toBeUndefined()
  order.onPace(first[0]!, 'prompt')
  expect(order.next(2)?.line).toBe(first[0])
  expect(order.next(2)).toBeUndefined()
})

test('a user that is alone may have several answers under way, on one peer after the other', () => {
  const order = orderOfUsers(crowd, 16)
  const first = Array.from({ length: 9 }, () => order.next(2)?.line)
  expect(new Set(first).size).toBe(9)
  expect(first.at(-1)).toBeUndefined()
  // Twice as many once they have read what they were sent.
  for (const line of first) if (line !== undefined) order.onPace(line, 'prompt')
  const more = Array.from({ length: 9 }, () => order.next(2)?.line)
  expect(more.indexOf(undefined)).toBe(8)
})

test('peers of a user that were slow hold no more than a few answers, and none that its others could have', () => {
  const order = orderOfUsers([...crowd, 'b0'], 16)
  const had: string[] = []
  for (let turn = order.next(1); turn !== undefined; turn = order.next(1)) {
    had.push(turn.line.peer)
    if (turn.line.peer !== 'b0') order.onPace(turn.line, 'slow')
  }
  expect(countsOf(had)).toEqual({ a: 8, b: 1 })
  // It is of one that is known to be slow, also when all others have left.
  for (const peer of crowd) order.onPeerGone(peer)
  order.add('a fresh', { id: 1, take: () => 1 })
  expect(order.next(1, false)).toBeUndefined()
  // Until its peers have taken many pieces without a delay.
  const { line } = order.next(1)!
  order.add('a fresher', { id: 1, take: () => 1 })
  for (let count = 0; count < 64; count++) {
    expect(order.next(1, false)).toBeUndefined()
    order.onPace(line, 'prompt')
  }
  line.busy--
  expect(order.next(1, false)).toMatchObject({ line: { peer: 'a fresher' } })
})

test('whoever comes for the first time beside one that is served gets two turns for one, for a while', () => {
  const order = orderOfUsers(['a0'], 16)
  const keep = (): void => {
    for (const peer of ['a0', 'b0']) while (order.add(peer, { id: 1, take: () => 1 })) continue
  }
  for (let count = 0; count < 100; count++) {
    order.add('a0', { id: 1, take: () => 1 })
    turns(order, 1)
  }
  const had: (string | undefined)[] = []
  for (let count = 0; count < 300; count++) {
    keep()
    had.push(...turns(order, 1))
  }
  expect(countsOf(had.slice(0, 96))).toEqual({ a: 32, b: 64 })
  const { a = 0, b = 0 } = countsOf(had.slice(100))
  expect(Math.abs(a - b)).toBeLessThanOrEqual(2)
})

test('whoever leaves and comes back has saved no more than before', () => {
  const order = orderOfUsers(['a0', 'b0'], 16)
  const had: (string | undefined)[] = []
  for (let count = 0; count < 400; count++) {
    for (const peer of ['a0', 'b0']) while (order.add(peer, { id: 1, take: () => 1 })) continue
    had.push(...turns(order, 1))
    if (had.at(-1) === 'b0') order.onPeerGone('b0')
  }
  const { a = 0, b = 0 } = countsOf(had)
  expect(Math.abs(a - b)).toBeLessThanOrEqual(2)
})

test('what was sent beside the turns costs a turn for each piece', () => {
  const order = orderOfUsers(['a0', 'b0'], 16)
  // All that was saved is used up.
  for (let count = 0; count < 200; count++) {
    for (const peer of ['a0', 'b0']) while (order.add(peer, { id: 1, take: () => 1 })) continue
    turns(order, 1)
  }
  const turn = order.next(1)!
  turn.line.busy--
  order.onSentBeside(turn.line, 3.5 * pieceBytes)
  const next = turns(order, 6).map((peer) => peer === turn.line.peer)
  expect(next.filter(Boolean).length).toBeLessThanOrEqual(2)
  expect(next.slice(0, 3)).toEqual([false, false, false])
})

test('of requests that choose from one file, only one is asked while there is nothing', () => {
  const order = new UploadOrder<string, number>(seededRandom(1))
  let asked = 0
  const take = (): undefined => void asked++
  for (let id = 0; id < 5; id++) order.add('a', { id, choosesFrom: 'file', take })
  order.add('a', { id: 9, take: () => 9 })
  expect(order.next(2)).toMatchObject({ id: 9 })
  expect(asked).toBe(1)
})

test('an answer that a limit of its own holds back takes no turns from the peers of its user, nor from another user', () => {
  const users: Readonly<Record<string, string>> = { a: 'ann', b: 'ann', c: 'ben', d: 'ben' }
  const order = new UploadOrder<string, number>(seededRandom(1), (peer) => users[peer])
  order.add('a', { id: 1, take: () => 1 })
  const held = order.next(1)
  if (held === undefined) throw new Error('it is its turn')
  held.line.paced++
  for (const peer of ['c', 'd']) order.add(peer, { id: 2, take: () => 2 })
  // Nobody else is sent anything: both of a user's peers may be.
  expect(new Set([order.next(1), order.next(1)].map((turn) => turn?.line.peer))).toEqual(new Set(['c', 'd']))
  order.add('b', { id: 3, take: () => 3 })
  expect(order.next(1)?.line.peer).toBe('b')
})

/** How many answers each user has under way, once nobody may have more. */
function underWayOf(order: UploadOrder<string, number>, busyMax: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let turn = order.next(busyMax); turn !== undefined; turn = order.next(busyMax)) {
    const user = turn.line.peer[0] ?? ''
    counts[user] = (counts[user] ?? 0) + 1
  }
  return counts
}

/** Each of these peers has shown that it takes long for a piece. */
function slowOnes(peers: readonly string[]): UploadOrder<string, number> {
  const order = orderOfUsers(peers, 4)
  const turnsUnderWay = []
  for (let turn = order.next(1); turn !== undefined; turn = order.next(1)) {
    order.onPace(turn.line, 'slow')
    turnsUnderWay.push(turn)
  }
  for (const { line } of turnsUnderWay) line.busy--
  return order
}

const eight = (user: string): string[] => Array.from({ length: 8 }, (_, index) => `${user}${index}`)

test('all connections of a far user are in use at once, while nobody else waits for a slow line', () => {
  expect(underWayOf(slowOnes(eight('a')), 1)).toEqual({ a: 8 })
})

test('connections of a far user that turn slow with two pieces under way leave one to each of the others', () => {
  const order = orderOfUsers(eight('a'), 8)
  const lines = Array.from({ length: 8 }, () => order.next(2)!.line)
  for (const line of lines.slice(0, 5)) {
    order.onPace(line, 'prompt')
    expect(order.next(2)?.line).toBe(line)
    order.onPace(line, 'slow')
  }
  // These have sent what they had.
  for (const line of lines.slice(5)) {
    order.onPace(line, 'slow')
    line.busy--
  }
  expect(new Set(Array.from({ length: 4 }, () => order.next(2)?.line))).toEqual(
    new Set([...lines.slice(5), undefined]),
  )
})

// A line that both share would be divided by connections.
test('a user with eight slow connections has no more of them in use than another one may have of one', () => {
  expect(underWayOf(slowOnes([...eight('a'), 'b0']), 2)).toEqual({ a: 2, b: 2 })
  expect(underWayOf(slowOnes([...eight('a'), 'b0']), 1)).toEqual({ a: 1, b: 1 })
})

test('far users with as many connections have as many in use', () => {
  expect(underWayOf(slowOnes([...eight('a'), ...eight('b')]), 1)).toEqual({ a: 8, b: 8 })
  expect(underWayOf(slowOnes([...eight('a'), 'b0', 'b1', 'b2']), 1)).toEqual({ a: 3, b: 3 })
})
