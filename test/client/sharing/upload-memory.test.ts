import { expect, test, vi } from 'vitest'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { TokenBucket } from '../../../src/client/transfer/token-bucket.ts'
import { FakePeer } from './fake-peer.ts'
import { countedPieces, piece, settled, swarm } from './upload-requests.ts'

// With 200 connections each held a piece while it read it: 276 MiB were resident.
test('however many peers do not read, few pieces are in memory, and who reads finds room', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const { peers } = swarm(200)
    const counted = countedPieces()
    for (const peer of peers) {
      peer.readsAtOnce = false
      for (const id of [1, 2]) queue.add(peer, counted.piece(id))
    }
    await settled()
    // What was loaded stays in memory until its peer reads it.
    expect(counted.loads).toBe(32)
    const holding = peers.filter((peer) => peer.receiving !== undefined)
    for (const peer of peers) if (!holding.includes(peer)) queue.drop(peer)
    await vi.advanceTimersByTimeAsync(1000)
    // A slow one that reads at last gives its place back, and does not take it for its next piece.
    const late = holding.at(-1)!
    late.read()
    await settled()
    expect([late.got, counted.loads]).toEqual([[1], 32])
    const prompt = new FakePeer('prompt')
    for (const id of [1, 2, 3]) queue.add(prompt, piece(id))
    await settled()
    expect(prompt.got).toEqual([1, 2, 3])
    for (const peer of holding) peer.read()
    await settled()
    expect(holding.map(({ got, broken }) => [got, broken])).toEqual(holding.map(() => [[1, 2], []]))
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
