// What the upload queue chooses before its time, for peers that are far away.

import { expect, test, vi } from 'vitest'
import type { Answering } from '../../../src/client/sharing/answering.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import type { Request } from '../../../src/client/sharing/upload-order.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { accept } from '../../../src/common/refusal.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { FakeClock } from '../transfer/fake-clock.ts'
import type { FakePeer } from './fake-peer.ts'
import { OneSharer } from './one-sharer.ts'
import { piece, swarm } from './upload-requests.ts'

const MiB = 1024 * 1024

/** A request that leaves the choice: the piece with the number of the request. `loads` hears when it is read. */
function choice(id: number, loads: number[] = []): Request<Answering> {
  const load: Answering['load'] = (buffer) => {
    loads.push(id)
    return Promise.resolve(accept(buffer.fill(id % 256)))
  }
  return { id, take: () => ({ index: id, isChoice: true, load }) }
}

/** Peers so far away, each with so many requests, at 4 MiB/s: a piece takes 125 ms. */
function crowd(
  count: number,
  roundTripMs: number,
  each: number,
): { clock: FakeClock; queue: UploadQueue; peers: FakePeer[]; order: string[]; loads: number[] } {
  const clock = new FakeClock()
  const queue = new UploadQueue(new TokenBucket(4 * MiB, clock))
  const { peers, order } = swarm(count)
  const loads: number[] = []
  for (const peer of peers) peer.roundTrip.ms = roundTripMs
  for (const [at, peer] of peers.entries()) {
    for (let request = 0; request < each; request++) queue.add(peer, choice(100 * at + request, loads))
  }
  return { clock, queue, peers, order, loads }
}

const toldOf = (peers: readonly FakePeer[]): number[] =>
  peers.flatMap(({ chosen }) => chosen.map(({ id }) => id))

test('peers far away are told of their pieces two round trips before, and nothing is read for that', async () => {
  const { clock, peers, loads } = crowd(8, 150, 2)
  await clock.runTo(10)
  // One is being sent. Of the 300 ms before they begin, the first has 125.
  expect(toldOf(peers).length).toBeGreaterThanOrEqual(3)
  expect(toldOf(peers).length).toBeLessThanOrEqual(4)
  expect(loads).toHaveLength(1)
  await clock.runTo(5000)
  expect(peers.map(({ got }) => got.length)).toEqual(peers.map(() => 2))
  expect(peers.flatMap(({ broken }) => broken)).toEqual([])
})

test('peers that are near are told when their turn begins', async () => {
  const { clock, peers } = crowd(8, 5, 2)
  await clock.runTo(10)
  expect(toldOf(peers)).toHaveLength(1)
})

test('what is taken back before its time costs nothing, and another comes in its place', async () => {
  const { clock, queue, peers, order } = crowd(8, 150, 2)
  await clock.runTo(10)
  const [told] = peers.filter(({ chosen, receiving }) => chosen.length > 0 && receiving === undefined)
  const [chosen] = told!.chosen
  const before = toldOf(peers).length
  queue.cancel(told!, chosen!.id)
  queue.cancel(told!, chosen!.id)
  expect(told!.refused).toEqual([{ id: chosen!.id, code: 'cancelled' }])
  expect(toldOf(peers)).toHaveLength(before + 1)
  // Eight pieces take one second.
  await clock.runTo(1000)
  expect(order.length).toBeGreaterThanOrEqual(7)
  await clock.runTo(5000)
  expect(order).toHaveLength(15)
})

test('a piece that its peer gets from elsewhere comes after the others, if it is not taken back', async () => {
  const { clock, queue, peers, order } = crowd(8, 60_000, 1)
  await clock.runTo(10)
  const [told] = peers.filter(({ chosen, receiving }) => chosen.length > 0 && receiving === undefined)
  queue.onTaken(told!, told!.chosen[0]!.index)
  await clock.runTo(5000)
  expect(order.at(-1)).toBe(`${told!.name}:${told!.chosen[0]!.id}`)
  expect(order).toHaveLength(8)
})

test('a peer that left is sent nothing of what it was told, and others get their turns', async () => {
  const { clock, queue, peers, order, loads } = crowd(4, 150, 2)
  await clock.runTo(10)
  const [told] = peers.filter(({ chosen, receiving }) => chosen.length > 0 && receiving === undefined)
  told!.isGone = true
  queue.drop(told!)
  await clock.runTo(5000)
  expect(told!.got).toEqual([])
  expect(loads).toHaveLength(6)
  expect(order).toHaveLength(6)
})

test('a limit that is removed lets those that were told come first', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(4 * MiB, clock)
  const queue = new UploadQueue(bucket)
  const { peers, order } = swarm(4)
  for (const [at, peer] of peers.entries()) {
    peer.roundTrip.ms = 150
    queue.add(peer, choice(at))
  }
  await clock.runTo(10)
  bucket.setRate(undefined)
  await clock.runTo(1000)
  expect(order).toHaveLength(4)
  expect(peers.flatMap(({ broken }) => broken)).toEqual([])
})

test('a single peer far away gets all of the limit', async () => {
  const { clock, queue, peers } = crowd(1, 150, 0)
  for (let id = 0; id < 16; id++) queue.add(peers[0]!, id % 4 === 0 ? piece(id) : choice(id))
  await clock.runTo(2000)
  expect(peers[0]!.got.length).toBeGreaterThanOrEqual(15)
  expect(peers[0]!.broken).toEqual([])
})

test('how far away a peer is shows in its greeting', async () => {
  const sharer = await OneSharer.start({ bucket: new TokenBucket(4 * MiB) })
  const now = performance.now.bind(performance)
  let onTheWayMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now() + onTheWayMs)
  const identity = makeIdentity()
  const peer = await sharer.newcomer(identity)
  const { fileId } = sharer.manifest
  let whole = 0
  const wholeWhenTold: number[] = []
  peer.onChosen = () => wholeWhenTold.push(whole)
  await peer.hello(sharer.ticketOf('bob', identity))
  onTheWayMs += 150
  await peer.prove()
  onTheWayMs += 150
  await peer.open(fileId)
  peer.caller.tell('wants', { fileId, bitfield: Bitfield.full(16).toBase64() })
  const pieces = Array.from({ length: 4 }, () => peer.piece(fileId, undefined).then(() => whole++))
  await Promise.all(pieces)
  vi.restoreAllMocks()
  // Told one by one, the third would be told when two are there. What is told during a piece comes behind it.
  expect(wholeWhenTold[0]).toBe(0)
  expect(wholeWhenTold[2]).toBeLessThan(2)
})
