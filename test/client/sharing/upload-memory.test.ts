import { expect, test, vi } from 'vitest'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { FakePeer } from './fake-peer.ts'
import { countedPieces, piece, settled, swarm } from './upload-requests.ts'

// With 200 connections each held a piece while it read it: 276 MiB were resident. With some places kept for those who
// read, each connection was tried in one of them and then held its piece all the same: 150 took 150 MiB.
test('however many peers do not read, few pieces are in memory, and who reads finds room', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
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
    for (let tries = 0; tries < 200; tries++) {
      await settled()
      look()
      await vi.advanceTimersByTimeAsync(250)
    }
    expect(mostHeld).toBe(32)
    // Each was tried.
    expect(counted.loads).toBeGreaterThanOrEqual(200)
    const left = peers.filter(({ isGone }) => !isGone)
    expect(left.length).toBeGreaterThanOrEqual(24)
    // One that may read finds room, or is made room for.
    const prompt = new FakePeer('prompt')
    for (const id of [1, 2, 3]) queue.add(prompt, piece(id))
    await vi.advanceTimersByTimeAsync(1500)
    await settled()
    const holding = peers.filter(({ isGone }) => !isGone)
    expect(prompt.got).toEqual([1, 2, 3])
    expect(holding.length).toBeGreaterThanOrEqual(24)
    // A slow one that reads at last is given the next.
    for (const peer of holding) peer.read()
    await settled()
    expect(holding.map(({ got, broken }) => [got, broken])).toEqual(holding.map(() => [[1, 2], []]))
  } finally {
    vi.useRealTimers()
  }
})

test('peers of one user that do not read hold a few pieces, however many they are and however often they come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
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
      for (let tries = 0; tries < 20; tries++) {
        await settled()
        await vi.advanceTimersByTimeAsync(250)
      }
      expect(all.filter(({ receiving }) => receiving !== undefined).length).toBeLessThanOrEqual(8)
      expect(all.filter(({ isGone }) => isGone)).toEqual([])
    }
    // Others who do not read at once either find places.
    const slow = Array.from({ length: 20 }, (_, index) => new FakePeer(`slow ${index}`))
    for (const peer of slow) {
      peer.readsAtOnce = false
      queue.add(peer, piece(1))
    }
    for (let tries = 0; tries < 20; tries++) {
      await settled()
      await vi.advanceTimersByTimeAsync(250)
    }
    expect([...slow, ...all].filter(({ isGone }) => isGone)).toEqual([])
    expect(slow.map(({ receiving }) => receiving)).toEqual(slow.map(() => 1))
  } finally {
    vi.useRealTimers()
  }
})

/** Lets so many seconds pass. */
async function pass(seconds: number): Promise<void> {
  for (let quarter = 0; quarter < 4 * seconds; quarter++) {
    await settled()
    await vi.advanceTimersByTimeAsync(250)
  }
  await settled()
}

test('nobody is cut while nobody waits, and then those first of whom one user has most', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const many = Array.from({ length: 6 }, (_, index) => new FakePeer(`m${index}`, undefined, 'many'))
    const { peers: single } = swarm(26)
    for (const peer of [...single.slice(0, 18), ...many, ...single.slice(18)]) {
      peer.readsAtOnce = false
      peer.onGone = () => queue.drop(peer)
      queue.add(peer, piece(1))
      await pass(0.25)
    }
    await pass(20)
    expect([...single, ...many].filter(({ receiving }) => receiving === 1).length).toBe(32)
    expect([...single, ...many].filter(({ isGone }) => isGone)).toEqual([])
    const prompt = new FakePeer('prompt')
    queue.add(prompt, piece(1))
    await pass(1.5)
    expect(prompt.got).toEqual([1])
    expect(many.map(({ isGone }) => isGone)).toEqual(many.map(() => true))
    // And of the others those that have held theirs longest.
    expect(single.map(({ isGone }) => isGone)).toEqual(single.map((_, index) => index < 2))
  } finally {
    vi.useRealTimers()
  }
})

test('peers that are slow and take something now and then are not cut, however many they are', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const queue = new UploadQueue(new TokenBucket())
    const { peers } = swarm(60)
    for (const peer of peers) {
      peer.readsAtOnce = false
      for (const id of [1, 2]) queue.add(peer, piece(id))
    }
    const prompt = new FakePeer('prompt')
    for (const id of [1, 2, 3]) queue.add(prompt, piece(id))
    for (let times = 0; times < 400 && peers.some(({ got }) => got.length < 2); times++) {
      await settled()
      await vi.advanceTimersByTimeAsync(250)
      for (const peer of peers) peer.takeSome()
    }
    expect(peers.filter(({ isGone }) => isGone)).toEqual([])
    expect([prompt, ...peers].map(({ got }) => got.length)).toEqual([3, ...peers.map(() => 2)])
  } finally {
    vi.useRealTimers()
  }
})

// Thirty-two that hung held all the places that there are, and nobody else was sent anything.
test('peers that hang, however many, do not keep those who read from their pieces', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
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
    // Each that has not been tried yet may take its second and a bit, some at a time.
    for (let tries = 0; tries < 4 * 6; tries++) {
      await vi.advanceTimersByTimeAsync(250)
      await settled()
    }
    expect(prompt.got).toEqual([1, 2, 3])
  } finally {
    vi.useRealTimers()
  }
})
