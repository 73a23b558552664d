import { expect, test, vi } from 'vitest'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { TokenBucket } from '../../../src/client/transfer/token-bucket.ts'
import { FakePeer } from './fake-peer.ts'
import { countedPieces, piece, settled, swarm } from './upload-requests.ts'

// With 200 connections each held a piece while it read it: 276 MiB were resident. With some places kept for those who
// read, each connection was tried in one of them and then held its piece all the same: 150 took 150 MiB.
test('however many peers do not read, few pieces are in memory, and who reads finds room', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const { peers } = swarm(200)
    const counted = countedPieces()
    let mostHeld = 0
    const look = (): void => {
      const held = peers.filter((peer) => peer.receiving !== undefined && !peer.isGone).length
      mostHeld = Math.max(mostHeld, held)
    }
    for (const peer of peers) {
      peer.readsAtOnce = false
      peer.onGone = () => queue.drop(peer)
      for (const id of [1, 2]) queue.add(peer, counted.piece(id))
    }
    for (let tries = 0; tries < 40; tries++) {
      await settled()
      look()
      await vi.advanceTimersByTimeAsync(250)
    }
    expect(mostHeld).toBe(32)
    // Each was tried.
    expect(counted.loads).toBeGreaterThanOrEqual(200)
    // Those who are left hold what slow peers may hold. The others were cut.
    const holding = peers.filter(({ isGone }) => !isGone)
    expect(holding.map(({ receiving }) => receiving)).toEqual(Array.from({ length: 24 }, () => 1))
    const prompt = new FakePeer('prompt')
    for (const id of [1, 2, 3]) queue.add(prompt, piece(id))
    await settled()
    expect(prompt.got).toEqual([1, 2, 3])
    // A slow one that reads at last is given the next.
    for (const peer of holding) peer.read()
    await settled()
    expect(holding.map(({ got, broken }) => [got, broken])).toEqual(holding.map(() => [[1, 2], []]))
  } finally {
    vi.useRealTimers()
  }
})

test('peers of one user that do not read hold a few pieces, however many they are and however often they come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const counted = countedPieces()
    let all: FakePeer[] = []
    for (let again = 0; again < 5; again++) {
      for (const peer of all) peer.leave()
      all = Array.from({ length: 60 }, (_, index) => new FakePeer(`p${index}`, undefined, 'deaf'))
      for (const peer of all) {
        peer.readsAtOnce = false
        peer.onGone = () => queue.drop(peer)
        for (const id of [1, 2]) queue.add(peer, counted.piece(id))
      }
      for (let tries = 0; tries < 10; tries++) {
        await settled()
        await vi.advanceTimersByTimeAsync(250)
      }
      expect(all.filter(({ receiving }) => receiving !== undefined).length).toBeLessThanOrEqual(8)
      expect(all.filter(({ isGone }) => isGone)).toEqual([])
    }
    const slow = new FakePeer('slow')
    slow.readsAtOnce = false
    queue.add(slow, piece(1))
    await settled()
    // It finds a place although it does not read at once either.
    expect(slow.receiving).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

// Thirty-two that hung held all the places that there are, and nobody else was sent anything.
test('peers that hang, however many, do not keep those who read from their pieces', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const { peers } = swarm(60)
    for (const peer of peers) {
      peer.readsAtOnce = false
      for (const id of [1, 2]) queue.add(peer, piece(id))
    }
    await settled()
    const prompt = new FakePeer('prompt')
    for (const id of [1, 2, 3]) queue.add(prompt, piece(id))
    // Each that has not been tried yet may take its 250 ms, some at a time.
    for (let tries = 0; tries < 10; tries++) {
      await vi.advanceTimersByTimeAsync(250)
      await settled()
    }
    expect(prompt.got).toEqual([1, 2, 3])
  } finally {
    vi.useRealTimers()
  }
})
