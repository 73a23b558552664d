// What one user's peers take of the uploads beside another's: what is asked for on many connections, at length, or
// without being read costs others no more than a share.

import { expect, onTestFinished, test, vi } from 'vitest'
import { SliceTurns } from '../../../src/client/sharing/slice-turns.ts'
import type { Answering } from '../../../src/client/sharing/answering.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import type { Request } from '../../../src/client/sharing/upload-order.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { accept } from '../../../src/common/refusal.ts'
import { FakeClock, settle } from '../transfer/fake-clock.ts'
import { FakePeer } from './fake-peer.ts'
import { piece, settled } from './upload-requests.ts'

const MiB = 1024 * 1024
/** A piece takes so long at 4 MiB/s, in milliseconds. */
const pieceMs = 125

/** A manifest that is as long as so many pieces. */
function manifest(id: number, pieces: number): Request<Answering> {
  return { id, take: () => ({ load: () => Promise.resolve(accept(Buffer.alloc(pieces * pieceBytes, id))) }) }
}

/** Peers of one user that note when each answer reached them whole, in milliseconds. */
function peersOf(owner: string, count: number, nowMs: () => number): { peers: FakePeer[]; atMs: number[] } {
  const atMs: number[] = []
  const peers = Array.from(
    { length: count },
    (_, index) => new FakePeer(`${owner}${index}`, () => atMs.push(nowMs()), owner),
  )
  return { peers, atMs }
}

/** Both clocks, in steps: that of the limit, and the timers of whoever waits for a peer to read. */
async function runBoth(clock: FakeClock, toMs: number): Promise<void> {
  for (let ms = clock.nowMs(); ms <= toMs; ms += 25) {
    await clock.runTo(ms)
    await vi.advanceTimersByTimeAsync(25)
  }
}

test('a user with many connections has the share of one', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const greedy = peersOf('greedy', 20, () => clock.nowMs())
  const modest = peersOf('modest', 1, () => clock.nowMs())
  for (const peer of greedy.peers) for (let id = 1; id <= 16; id++) queue.add(peer, piece(id))
  // All that it had saved is used up.
  await clock.runTo(64 * pieceMs)
  for (let id = 1; id <= 16; id++) queue.add(modest.peers[0]!, piece(id))
  await clock.runTo(64 * pieceMs + 40 * pieceMs)
  expect(modest.peers[0]!.got.length).toBe(16)
  // One that comes new gets two turns for one of the other.
  expect(modest.atMs.at(-1)! - 64 * pieceMs).toBeLessThan(26 * pieceMs)
})

// A manifest of 16 MiB had the only turn until its end.
test('a long manifest leaves others their turns, and is paid for', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const order: string[] = []
  const long = new FakePeer('long', (_peer, id) => order.push(`long ${id}`))
  // This one always wants more.
  const other: FakePeer = new FakePeer('other', (_peer, id) => {
    order.push('other')
    queue.add(other, piece((id + 8) % 100))
  })
  queue.add(long, manifest(200, 32))
  for (let id = 1; id <= 4; id++) queue.add(long, piece(id))
  await clock.runTo(2 * pieceMs)
  for (let id = 1; id <= 8; id++) queue.add(other, piece(id))
  await clock.runTo(20 * pieceMs)
  expect(order.length).toBeGreaterThanOrEqual(8)
  await clock.runTo(120 * pieceMs)
  const end = order.indexOf('long 200')
  expect(end).toBeGreaterThan(20)
  expect(new Set(order.slice(0, end))).toEqual(new Set(['other']))
  expect(order.slice(end + 1, end + 13)).toEqual(Array.from({ length: 12 }, () => 'other'))
  expect(long.broken).toEqual([])
})

// Each connection that hung had its quarter of a second before others were served: a download that took 0.5 s took 5.
test('connections of one user that hang, however many, are waited for once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const deaf = peersOf('deaf', 40, () => clock.nowMs())
  const other = peersOf('other', 1, () => clock.nowMs())
  for (const peer of deaf.peers) {
    peer.readsAtOnce = false
    for (const id of [1, 2]) queue.add(peer, piece(id))
  }
  for (let id = 1; id <= 16; id++) queue.add(other.peers[0]!, piece(id))
  await runBoth(clock, 60 * pieceMs)
  expect(other.peers[0]!.got.length).toBe(16)
  // Its own 16 turns, six of those that hang, and one wait.
  expect(other.atMs.at(-1)!).toBeLessThan(26 * pieceMs)
})

test('when a peer of a user has hung, another of its peers is not waited for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const deaf = peersOf('deaf', 2, () => clock.nowMs())
  const other = peersOf('other', 1, () => clock.nowMs())
  for (const peer of deaf.peers) peer.readsAtOnce = false
  queue.add(deaf.peers[0]!, piece(1))
  await runBoth(clock, 8 * pieceMs)
  queue.add(deaf.peers[1]!, piece(1))
  queue.add(other.peers[0]!, piece(1))
  await runBoth(clock, 16 * pieceMs)
  expect(deaf.peers[1]!.receiving).toBe(1)
  expect(other.atMs[0]! - 8 * pieceMs).toBeLessThan(1.5 * pieceMs)
})

test('a peer has two turns in a row where they are its own', async () => {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const order: string[] = []
  const [first, second] = ['a', 'b'].map((name) => new FakePeer(name, (peer) => order.push(peer.name)))
  for (let id = 1; id <= 16; id++) queue.add(first!, piece(id))
  await clock.runTo(64 * pieceMs)
  for (let round = 0; round < 8; round++) {
    for (let id = 1; id <= 16; id++) queue.add(first!, piece(id))
    await clock.runTo((80 + 16 * round) * pieceMs)
  }
  order.length = 0
  for (const peer of [first!, second!]) for (let id = 1; id <= 12; id++) queue.add(peer, piece(id))
  await clock.runTo(300 * pieceMs)
  expect(order.slice(0, 15).join('')).toContain('bb')
})

test('answers that are sent at once share the limit by user, not by answer', async () => {
  const clock = new FakeClock()
  const slices = new SliceTurns(new TokenBucket(MiB, clock))
  const order: string[] = []
  const take = async (owner: string, count: number): Promise<void> => {
    await slices.take(owner, 0.1 * MiB)
    order.push(`${owner}${count}`)
  }
  for (let count = 1; count <= 4; count++) void take('a', count)
  void take('b', 1)
  await settle()
  await clock.runTo(1000)
  expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'a4'])
})

test('without a limit nothing waits, also what has been waiting', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(1000, clock)
  const slices = new SliceTurns(bucket)
  let went = 0
  for (let count = 0; count < 5; count++) void slices.take('a', MiB)?.then(() => went++)
  expect(went).toBe(0)
  bucket.setRate(undefined)
  await settled()
  expect(went).toBe(5)
  expect(slices.take('a', MiB)).toBeUndefined()
})
