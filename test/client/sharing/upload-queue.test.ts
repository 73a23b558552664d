import { expect, test, vi } from 'vitest'
import type { Answering } from '../../../src/client/sharing/answering.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import type { Request } from '../../../src/client/sharing/upload-order.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { pieceBytes, pieceRequestsQueuedMax } from '../../../src/common/limits.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { FakeClock } from '../transfer/fake-clock.ts'
import { asked, countedPieces, heldPiece, piece, settled, swarm, type Asked } from './upload-requests.ts'

const MiB = 1024 * 1024

test('peers take turns, a whole piece each', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers, order } = swarm(3)
  for (const peer of peers) for (const id of [1, 2, 3]) queue.add(peer, piece(id))
  await clock.runTo(10_000)
  for (const round of [1, 2, 3]) {
    const turns = order.slice(3 * round - 3, 3 * round).toSorted()
    expect(turns).toEqual(['p0', 'p1', 'p2'].map((peer) => `${peer}:${round}`))
  }
  expect(peers.flatMap((peer) => peer.broken)).toEqual([])
})

test('a peer that asks for much does not delay one that asks for little by more than a turn', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers, order } = swarm(2)
  for (let id = 0; id < pieceRequestsQueuedMax; id++) queue.add(peers[0]!, piece(id))
  await clock.runTo(200)
  queue.add(peers[1]!, piece(99))
  await clock.runTo(10_000)
  expect(order.indexOf('p1:99')).toBeLessThanOrEqual(3)
})

test('with a limit one piece at a time is on its way, over all peers', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(MiB, clock))
  const { peers } = swarm(5)
  for (const peer of peers) for (const id of [1, 2]) queue.add(peer, piece(id))
  let most = 0
  for (let ms = 0; ms <= 8000; ms += 10) {
    await clock.runTo(ms)
    most = Math.max(most, peers.filter((peer) => peer.receiving !== undefined).length)
  }
  expect(most).toBe(1)
  expect(peers.map((peer) => peer.got)).toEqual(peers.map(() => [1, 2]))
})

test('what is sent keeps to the limit', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(2 * MiB, clock))
  const { peers, order } = swarm(4)
  let next = 0
  for (const peer of peers) for (let each = 0; each < 16; each++) queue.add(peer, piece(next++))
  await clock.runTo(10_000)
  expect(order.length * pieceBytes).toBeGreaterThan(2 * MiB * 10 * 0.95)
  expect(order.length * pieceBytes).toBeLessThan(2 * MiB * 10 * 1.05)
})

test('a request that was cancelled in time is answered as cancelled and costs nothing', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(MiB, clock))
  const { peers, order } = swarm(2)
  for (const peer of peers) for (const id of [1, 2]) queue.add(peer, piece(id))
  queue.cancel(peers[0]!, 2)
  await clock.runTo(10_000)
  expect(peers[0]!.refused).toEqual([{ id: 2, code: 'cancelled' }])
  expect(order).toEqual(['p0:1', 'p1:1', 'p1:2'])
})

test('what is being sent already goes on to its end when it is cancelled', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(MiB, clock))
  const { peers } = swarm(1)
  queue.add(peers[0]!, piece(1))
  await clock.runTo(200)
  expect(peers[0]!.receiving).toBe(1)
  queue.cancel(peers[0]!, 1)
  await clock.runTo(2000)
  expect(peers[0]!).toMatchObject({ got: [1], refused: [], broken: [] })
})

test('cancelling what nobody asked for changes nothing', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(1)
  queue.cancel(peers[0]!, 7)
  queue.add(peers[0]!, piece(1))
  queue.cancel(peers[0]!, 7)
  await settled()
  expect(peers[0]!).toMatchObject({ got: [1], refused: [] })
})

test('a peer that asks for more than the queue holds is told to wait, and loses nothing', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers } = swarm(1)
  // One is taken out at once to be sent; so many wait behind it; the rest is too much.
  for (let id = 1; id <= pieceRequestsQueuedMax + 4; id++) queue.add(peers[0]!, piece(id))
  expect(peers[0]!.refused.map(({ code }) => code)).toEqual(['busy', 'busy', 'busy'])
  await clock.runTo(10_000)
  const refused = peers[0]!.refused.map(({ id }) => id)
  expect([...peers[0]!.got, ...refused].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: pieceRequestsQueuedMax + 4 }, (_, index) => index + 1),
  )
})

test('a peer that does not read holds up nobody', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(4)
  peers[0]!.readsAtOnce = false
  for (let id = 1; id <= 8; id++) for (const peer of peers) queue.add(peer, piece(id))
  await settled()
  expect(peers.slice(1).map((peer) => peer.got)).toEqual(peers.slice(1).map(() => [1, 2, 3, 4, 5, 6, 7, 8]))
  peers[0]!.read()
  await settled()
  expect(peers[0]!).toMatchObject({ got: [1, 2, 3, 4, 5, 6, 7, 8], broken: [] })
})

// The one turn that there is with a limit was over only when the system had taken the whole piece: a
// downloader that hung, its socket open and full, stopped the uploads to everybody else.
test('a peer that does not read holds up nobody for long under a limit either', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers } = swarm(3)
  peers[0]!.readsAtOnce = false
  const counted = countedPieces()
  for (let id = 1; id <= 8; id++) {
    for (const peer of peers) queue.add(peer, peer === peers[0] ? counted.piece(id) : piece(id))
  }
  for (let second = 1; second <= 20; second++) {
    await clock.runTo(second * 1000)
    await vi.advanceTimersByTimeAsync(1000)
  }
  vi.useRealTimers()
  expect(peers.slice(1).map((peer) => peer.got.length)).toEqual([8, 8])
  // And it holds one buffer, not two.
  expect(counted.loads).toBe(1)
  peers[0]!.read()
  await clock.runTo(40_000)
  expect(peers[0]!).toMatchObject({ got: [1, 2, 3, 4, 5, 6, 7, 8], broken: [] })
})

test('a disk that is slow with one piece does not hold up the pieces of others', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(3)
  const slow = heldPiece(1)
  queue.add(peers[0]!, slow)
  for (const peer of peers.slice(1)) for (const id of [1, 2, 3]) queue.add(peer, piece(id))
  await settled()
  expect(peers.map((peer) => peer.got)).toEqual([[], [1, 2, 3], [1, 2, 3]])
  slow.release()
  await settled()
  expect(peers[0]!.got).toEqual([1])
})

test('pieces of one peer go out in the order they were loaded for it, never one inside the other', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(1)
  const first = heldPiece(1)
  queue.add(peers[0]!, first)
  queue.add(peers[0]!, piece(2))
  await settled()
  first.release()
  await settled()
  expect(new Set(peers[0]!.got)).toEqual(new Set([1, 2]))
  expect(peers[0]!.broken).toEqual([])
})

test('a piece that cannot be loaded is refused with the reason, and the turn goes on', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers } = swarm(2)
  queue.add(
    peers[0]!,
    asked(1, () => Promise.resolve(refuse('file-changed', 'it changed'))),
  )
  queue.add(peers[0]!, piece(2))
  queue.add(peers[1]!, piece(3))
  await clock.runTo(2000)
  expect(peers[0]!).toMatchObject({ refused: [{ id: 1, code: 'file-changed' }], got: [2] })
  expect(peers[1]!.got).toEqual([3])
})

test('a peer that left is forgotten, in the middle of a piece too', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(MiB, clock))
  const { peers } = swarm(2)
  const counted = countedPieces()
  for (const id of [1, 2, 3]) queue.add(peers[0]!, counted.piece(id))
  for (const id of [1, 2, 3]) queue.add(peers[1]!, piece(id))
  await clock.runTo(200)
  expect(peers[0]!.receiving).toBe(1)
  peers[0]!.leave()
  queue.drop(peers[0]!)
  await clock.runTo(3000)
  expect(peers[0]!.got).toEqual([])
  expect(counted.loads).toBe(1)
  expect(peers[1]!.got).toEqual([1, 2, 3])
})

test('a peer that left while its piece was read from disk is sent nothing', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(1)
  const request = heldPiece(1)
  queue.add(peers[0]!, request)
  await settled()
  expect(request.loaded).toBe(true)
  peers[0]!.leave()
  queue.drop(peers[0]!)
  request.release()
  await settled()
  expect(peers[0]!).toMatchObject({ got: [], refused: [], broken: [], receiving: undefined })
})

test.each([
  ['set', undefined, MiB],
  ['removed', MiB, undefined],
  ['lowered', 4 * MiB, MiB / 2],
])('a limit that is %s in the middle of a piece never mixes two answers', async (_name, from, to) => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(from, clock)
  const queue = new UploadQueue(bucket)
  const { peers } = swarm(3)
  for (const peer of peers) peer.readsAtOnce = false
  for (let id = 1; id <= 6; id++) for (const peer of peers) queue.add(peer, piece(id))
  await clock.runTo(100)
  bucket.setRate(to)
  await clock.runTo(200)
  for (const peer of peers) peer.read()
  await clock.runTo(60_000)
  await settled()
  expect(peers.flatMap((peer) => peer.broken)).toEqual([])
  expect(peers.map((peer) => peer.got)).toEqual(peers.map(() => [1, 2, 3, 4, 5, 6]))
})

/** A request that leaves the choice to the queue, which is asked for it when its turn has come. */
function choice(id: number, choose: () => number | undefined): Request<Answering> {
  return {
    id,
    take: () => {
      const index = choose()
      if (index === undefined) return undefined
      return { index, isChoice: true, load: (buffer) => Promise.resolve(accept(buffer.fill(id % 256))) }
    },
  }
}

test('under a limit a choice is told before it begins, and no earlier than its turn', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers } = swarm(2)
  queue.add(peers[0]!, piece(1))
  queue.add(
    peers[1]!,
    choice(2, () => 77),
  )
  await clock.runTo(50)
  expect(peers[1]!.chosen).toEqual([])
  await clock.runTo(110)
  expect(peers[1]!.chosen).toEqual([{ id: 2, index: 77 }])
  expect(peers[1]!.receiving).toBeUndefined()
  await clock.runTo(1000)
  expect(peers[1]!).toMatchObject({ got: [2], broken: [] })
})

test('a choice that is cancelled before it begins costs no bytes and no time', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers, order } = swarm(3)
  queue.add(peers[0]!, piece(1))
  queue.add(
    peers[1]!,
    choice(2, () => 77),
  )
  await clock.runTo(110)
  queue.add(
    peers[2]!,
    choice(3, () => 78),
  )
  queue.cancel(peers[1]!, 2)
  queue.cancel(peers[1]!, 2)
  // Its turn is given on at once, not when the limit would have let it begin.
  expect(peers[2]!.chosen).toEqual([{ id: 3, index: 78 }])
  // The third piece is there when two pieces have been paid for.
  await clock.runTo(250)
  expect(order).toEqual(['p0:1', 'p2:3'])
  expect(peers[1]!).toMatchObject({ refused: [{ id: 2, code: 'cancelled' }], got: [], broken: [] })
  for (let id = 10; id < 18; id++) queue.add(peers[1]!, piece(id))
  await clock.runTo(1400)
  expect(peers[1]!.got.length).toBe(8)
})

test('a request with nothing to choose from waits until there is something', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(1)
  const pieces: number[] = []
  queue.add(
    peers[0]!,
    choice(1, () => pieces.pop()),
  )
  await settled()
  expect(peers[0]!.got).toEqual([])
  pieces.push(5)
  queue.lookAgain()
  await settled()
  expect(peers[0]!.got).toEqual([1])
})

test('a choice that cannot be read is told, so that it can be asked for again, and then refused', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const { peers } = swarm(1)
  const load: Asked['load'] = () => Promise.resolve(refuse('busy', 'too many files are open'))
  queue.add(peers[0]!, { id: 1, take: () => ({ index: 77, isChoice: true, load }) })
  await settled()
  expect(peers[0]!).toMatchObject({
    chosen: [{ id: 1, index: 77 }],
    refused: [{ id: 1, code: 'busy' }],
    got: [],
  })
})
