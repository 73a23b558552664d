import { expect, test, vi } from 'vitest'
import type { Answering } from '../../../src/client/sharing/answering.ts'
import { EntryLimits, type EntryLimit } from '../../../src/client/sharing/entry-limits.ts'
import { heldByEntriesMax, heldMax } from '../../../src/client/sharing/limits.ts'
import type { Request } from '../../../src/client/sharing/upload-order.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { FakeClock } from '../transfer/fake-clock.ts'
import { FakePeer } from './fake-peer.ts'
import { countedPieces, piece, settled, swarm } from './upload-requests.ts'

const MiB = 1024 * 1024

function entryLimit(bytesPerSecond: number, clock: FakeClock): EntryLimit {
  return { bucket: new TokenBucket(bytesPerSecond, clock), isTaken: false }
}

/** A piece of an entry with this limit, which waits while another one of it is sent. */
function within(queue: UploadQueue, limit: EntryLimit, id: number): Request<Answering> {
  const { load } = piece(id)
  return { id, take: () => (queue.mayBegin(limit) ? { index: id, load, limit } : undefined) }
}

test('of the names of a content the lowest limit counts, until it is taken away', () => {
  const names = ['a', 'b', 'c']
  const limits = new EntryLimits({ namesOf: () => names })
  const rate = (): number | undefined => limits.find('g', 'id')?.bucket.bytesPerSecond
  expect(rate()).toBeUndefined()
  limits.set({ group: 'g', name: 'b' }, 2000)
  limits.set({ group: 'g', name: 'c' }, 1000)
  limits.set({ group: 'other', name: 'a' }, 10)
  expect(rate()).toBe(1000)
  limits.set({ group: 'g', name: 'c' }, 3000)
  expect(rate()).toBe(2000)
  limits.set({ group: 'g', name: 'b' }, undefined)
  expect(rate()).toBe(3000)
  limits.clear()
  expect(rate()).toBeUndefined()
})

test('a limit that is taken away no longer holds back what is being sent', async () => {
  const limits = new EntryLimits({ namesOf: () => ['f'] })
  limits.set({ group: 'g', name: 'f' }, 1)
  const limit = limits.find('g', 'id')
  if (limit === undefined) throw new Error('it has a limit')
  const queue = new UploadQueue(new TokenBucket())
  const peer = new FakePeer('ann')
  for (const id of [1, 2]) queue.add(peer, within(queue, limit, id))
  await settled()
  expect([peer.got, limit.isTaken]).toEqual([[], true])
  limits.set({ group: 'g', name: 'f' }, undefined)
  await vi.waitFor(() => expect(peer.got).toEqual([1, 2]))
  expect(limit.isTaken).toBe(false)
})

test('an entry keeps to its limit, one piece at a time, and the others do not wait for it', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const limit = entryLimit(MiB, clock)
  const { peers, order } = swarm(3)
  const [ann, ben, cem] = peers as [FakePeer, FakePeer, FakePeer]
  for (const id of [1, 2, 3, 4, 5, 6]) {
    queue.add(ann, within(queue, limit, id))
    queue.add(ben, within(queue, limit, id))
    queue.add(cem, piece(id))
  }
  await settled()
  expect(cem.got).toEqual([1, 2, 3, 4, 5, 6])
  let most = 0
  for (let ms = 0; ms <= 4000; ms += 10) {
    await clock.runTo(ms)
    most = Math.max(most, [ann, ben].filter(({ receiving }) => receiving !== undefined).length)
  }
  await settled()
  expect(most).toBe(1)
  // 4 MiB, of which both have their share.
  const sent = order.filter((each) => !each.startsWith('p2'))
  expect([7, 8]).toContain(sent.length)
  expect(Math.abs(ann.got.length - ben.got.length)).toBeLessThanOrEqual(2)
  for (const peer of peers) expect(peer.broken).toEqual([])
})

test('what a user fetches without a limit goes on beside others, while an entry trickles to him', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const limit = entryLimit(1024, clock)
  const [slow, fast] = [new FakePeer('slow', undefined, 'ann'), new FakePeer('fast', undefined, 'ann')]
  const other = new FakePeer('other', undefined, 'ben')
  queue.add(slow, within(queue, limit, 1))
  for (const id of Array.from({ length: 12 }).keys()) {
    queue.add(fast, piece(id))
    queue.add(other, piece(id))
  }
  await clock.runTo(2100)
  // 8 MiB, of which both users have their share.
  for (const { got } of [fast, other]) expect(got.length).toBeGreaterThanOrEqual(6)
  expect(fast.got.length + other.got.length).toBeGreaterThanOrEqual(15)
  expect(slow.receiving).toBe(1)
})

test('what is sent of an entry flows evenly, however small its limit', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const peer = new FakePeer('ann')
  const send = vi.spyOn(peer, 'send')
  queue.add(peer, within(queue, entryLimit(64 * 1024, clock), 1))
  await clock.runTo(1000)
  const sizes = send.mock.calls.map(([bytes]) => bytes.length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6554)
  expect(sizes.reduce((all, size) => all + size, 0)).toBeCloseTo(64 * 1024, -5)
})

test('the limit of all uploads holds for entries with one of their own, too', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(MiB, clock))
  const limit = entryLimit(8 * MiB, clock)
  const { peers, order } = swarm(2)
  for (const id of Array.from({ length: 16 }).keys()) {
    queue.add(peers[0]!, within(queue, limit, id))
    queue.add(peers[1]!, piece(id))
  }
  await clock.runTo(5000)
  expect(order.length * pieceBytes).toBeGreaterThan(5 * MiB * 0.8)
  expect(order.length * pieceBytes).toBeLessThanOrEqual(5 * MiB * 1.05)
})

test('a peer that does not read its piece of an entry does not keep others from theirs', async () => {
  const queue = new UploadQueue(new TokenBucket())
  const limit = { bucket: new TokenBucket(1024 * MiB), isTaken: false }
  const [hung, other] = [new FakePeer('hung'), new FakePeer('other')]
  hung.readsAtOnce = false
  queue.add(hung, within(queue, limit, 1))
  await settled()
  queue.add(other, within(queue, limit, 2))
  expect(other.got).toEqual([])
  await vi.waitFor(() => expect(other.got).toEqual([2]))
  hung.read()
  await vi.waitFor(() => expect(hung.got).toEqual([1]))
})

test('a choice is told while the limit of the entry holds it back, and can be cancelled for another one', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const limit = entryLimit(MiB, clock)
  // What was sent before is still being paid for.
  limit.bucket.spend(MiB)
  const peer = new FakePeer('ann')
  const { load } = piece(1)
  const take = (): Answering | undefined =>
    queue.mayBegin(limit) ? { index: 7, isChoice: true, load, limit } : undefined
  queue.add(peer, { id: 1, take })
  queue.add(peer, within(queue, limit, 2))
  await settled()
  expect(peer.chosen).toEqual([{ id: 1, index: 7 }])
  queue.cancel(peer, 1)
  await clock.runTo(4000)
  expect(peer.refused).toEqual([{ id: 1, code: 'cancelled' }])
  expect([peer.got, limit.isTaken]).toEqual([[2], false])
})

test('only so many entries are held in memory at once, and those behind them come later', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const { peers } = swarm(heldByEntriesMax + 4)
  for (const peer of peers) queue.add(peer, within(queue, entryLimit(MiB, clock), 1))
  await clock.runTo(100)
  expect(peers.filter(({ receiving }) => receiving !== undefined)).toHaveLength(heldByEntriesMax)
  await clock.runTo(2000)
  expect(peers.map(({ got }) => got)).toEqual(peers.map(() => [1]))
})

test('entries that trickle take no memory from other uploads', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const trickling = swarm(heldByEntriesMax).peers
  for (const peer of trickling) queue.add(peer, within(queue, entryLimit(1024, clock), 1))
  await clock.runTo(100)
  const counted = countedPieces()
  for (const peer of swarm(2 * heldMax).peers) {
    peer.readsAtOnce = false
    queue.add(peer, counted.piece(2))
  }
  await vi.waitFor(() => expect(counted.loads).toBe(heldMax))
  for (const peer of trickling) expect(peer.receiving).toBe(1)
})

test('a peer that leaves in the middle gives the entry free', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(undefined, clock))
  const limit = entryLimit(MiB, clock)
  const [ann, ben] = [new FakePeer('ann'), new FakePeer('ben')]
  queue.add(ann, within(queue, limit, 1))
  await clock.runTo(200)
  queue.add(ben, within(queue, limit, 2))
  queue.drop(ann)
  ann.leave()
  await clock.runTo(1500)
  expect([ben.got, limit.isTaken]).toEqual([[2], false])
})
