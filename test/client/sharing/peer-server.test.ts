// A sharing client beside those who take its places, its memory or its time, over real sockets.

import { Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openedFilesMax } from '../../../src/client/sharing/limits.ts'
import {
  peerConnectionLimits,
  pieceBytes,
  stalledAfterMs,
  stalledInPiecesAfterMs,
  unsentToPeerBytesMax,
} from '../../../src/common/limits.ts'
import { flushAll } from '../../../src/common/wire/channel.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import type { RawPeer } from '../../integration/raw-peer.ts'
import { manifestOf, OneSharer } from './one-sharer.ts'

/** Keeps so many connections there that say this and no more, and opens each again when it is closed. */
async function besiege(sharer: OneSharer, count: number, text: string): Promise<{ opened: number }> {
  const siege = { opened: 0, isOver: false }
  onTestFinished(() => void (siege.isOver = true))
  const come = async (): Promise<void> => {
    const socket = await sharer.stranger(text)
    siege.opened++
    socket.resume()
    socket.on('close', () => {
      if (!siege.isOver) void come()
    })
  }
  await Promise.all(Array.from({ length: count }, come))
  return siege
}

// Two hundred that said nothing took all places: a download of 8 MiB did not come in 25 s.
test.each([
  ['say nothing', ''],
  ['begin a greeting and stop', '{"jsonrpc":"2.0","id":0,"meth'],
  ['speak HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['greet with rubbish', '{"jsonrpc":"2.0","id":0,"method":"hello","params":{}}\n'],
])('connections that %s, and come again whenever they are cut, keep no member out', async (_what, text) => {
  const sharer = await OneSharer.start()
  const siege = await besiege(sharer, 400, text)
  for (const user of ['ann', 'ben', 'cid']) expect(await sharer.serves(user)).toBe(pieceBytes)
  expect(siege.opened).toBeGreaterThanOrEqual(400)
})

test('of those who say nothing so many stay as there are places, the newest', async () => {
  const sharer = await OneSharer.start()
  const { unproven } = peerConnectionLimits
  const sockets: Socket[] = []
  const closed: number[] = []
  for (let index = 0; index < unproven + 20; index++) {
    const socket = await sharer.stranger()
    sockets.push(socket)
    socket.resume().on('close', () => closed.push(index))
  }
  // Whoever comes later is answered later.
  expect(await sharer.serves('ann')).toBe(pieceBytes)
  await vi.waitUntil(() => closed.length >= 20)
  expect(closed).toEqual(Array.from({ length: 20 }, (_, index) => index))
})

test('connections of one member, however many, keep no other out; the oldest of them go', async () => {
  const sharer = await OneSharer.start()
  const identity = makeIdentity()
  const { ofOwner } = peerConnectionLimits
  const peers: RawPeer[] = []
  const closed: number[] = []
  for (let index = 0; index < ofOwner + 10; index++) {
    const peer = await sharer.member('bob', identity)
    peers.push(peer)
    void peer.closed.then(() => closed.push(index))
  }
  expect(await sharer.serves('ann')).toBe(pieceBytes)
  await vi.waitUntil(() => closed.length >= 10)
  expect(closed).toEqual(Array.from({ length: 10 }, (_, index) => index))
  expect(await peers.at(-1)!.open(sharer.manifest.fileId)).toMatchObject({ ok: true })
})

test('when all places are taken, one who has none gets one of those who have many', async () => {
  const sharer = await OneSharer.start()
  const { proven, ofOwner } = peerConnectionLimits
  const single = await sharer.member('single')
  for (let index = 1; index < proven; index++) await sharer.member(`u${Math.floor(index / ofOwner)}`)
  expect(await sharer.serves('ann')).toBe(pieceBytes)
  expect(await single.open(sharer.manifest.fileId)).toMatchObject({ ok: true })
})

/** One that has asked for more than the system holds for it, and reads nothing until it is told to. */
async function swamped(
  sharer: OneSharer,
  identity = makeIdentity(),
): Promise<{ peer: RawPeer; pieces: Promise<unknown[]> }> {
  const peer = await sharer.member('slow', identity)
  const { fileId } = sharer.manifest
  const pieces: Promise<unknown>[] = []
  await peer.open(fileId)
  peer.caller.channel.pause('limit')
  for (let index = 0; index < 16; index++) pieces.push(peer.piece(fileId, index))
  await vi.waitUntil(() => sharer.reads > 0)
  // Nothing more is read while two pieces wait for it.
  for (let before = -1; before !== sharer.reads;) {
    before = sharer.reads
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { peer, pieces: Promise.all(pieces) }
}

// The system takes more for a slow reader only when a third of some MiB has gone: at 64 KiB/s nothing was seen to go
// for 20 s, and the connection was cut after ten.
test('whoever reads so slowly that nothing is seen to go for minutes is not cut, and gets all it asked for', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const sharer = await OneSharer.start()
  const { peer, pieces } = await swamped(sharer)
  expect(sharer.reads).toBeLessThan(16)
  vi.advanceTimersByTime(12 * stalledAfterMs)
  peer.caller.channel.resume('limit')
  expect(await pieces).toEqual(Array.from({ length: 16 }, () => expect.objectContaining({ ok: true })))
})

/** A client whose connection takes nothing comes back on another, and begins with the file there. */
async function comesBack(sharer: OneSharer): Promise<{ former: RawPeer; back: RawPeer }> {
  const identity = makeIdentity()
  const { peer: former, pieces } = await swamped(sharer, identity)
  pieces.catch(() => undefined)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const back = await sharer.member('slow', identity)
  expect(await back.open(sharer.manifest.fileId)).toMatchObject({ ok: true })
  return { former, back }
}

test('a client that comes back for a file is served at once, and its former connection, which takes nothing, is closed', async () => {
  const sharer = await OneSharer.start()
  const other = await sharer.member('other')
  expect(await other.open(sharer.manifest.fileId)).toMatchObject({ ok: true })
  const { former, back } = await comesBack(sharer)
  expect(await back.piece(sharer.manifest.fileId, 0)).toMatchObject({ ok: true })
  vi.advanceTimersByTime(2000)
  former.caller.channel.resume('limit')
  expect(await former.closed).toMatch(/closed|reset/)
  for (const peer of [back, other])
    expect(await peer.piece(sharer.manifest.fileId, 1)).toMatchObject({ ok: true })
})

test('a client that is heard on both of its connections for a file keeps both', async () => {
  const sharer = await OneSharer.start()
  const { former, back } = await comesBack(sharer)
  former.caller.tell('taken', { fileId: sharer.manifest.fileId, index: 15 })
  flushAll()
  expect(await back.piece(sharer.manifest.fileId, 0)).toMatchObject({ ok: true })
  vi.advanceTimersByTime(2000)
  former.caller.channel.resume('limit')
  expect(await former.piece(sharer.manifest.fileId, 1)).toMatchObject({ ok: true })
})

test('whoever reads nothing at all is cut in the end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const sharer = await OneSharer.start()
  const { peer, pieces } = await swamped(sharer)
  pieces.catch(() => undefined)
  vi.advanceTimersByTime(2 * stalledInPiecesAfterMs)
  peer.caller.channel.resume('limit')
  expect(await peer.closed).toMatch(/closed|reset/)
})

test('a member that does not read hears of every piece that comes once it reads, and waits for none', async () => {
  const pieceCount = 20_000
  const sharer = await OneSharer.start({ pieceCount, hasAll: false })
  const heard = new Set<number>()
  const peer = await sharer.member('slow', makeIdentity(), (index) => heard.add(index))
  expect(await peer.open(sharer.manifest.fileId)).toMatchObject({ ok: true })
  peer.caller.channel.pause('limit')
  for (let index = 0; index < pieceCount; index++) sharer.tellHave(index)
  peer.caller.channel.resume('limit')
  await vi.waitUntil(() => heard.size === pieceCount, { timeout: 30_000 })
})

test('a connection may open some files, and is refused more', async () => {
  const sharer = await OneSharer.start()
  const peer = await sharer.member('ann')
  const answers: unknown[] = []
  for (let count = 1; count <= openedFilesMax + 1; count++) {
    const manifest = manifestOf(16 + count)
    sharer.share(manifest)
    answers.push(await peer.open(manifest.fileId))
  }
  expect(answers.slice(0, -1)).toEqual(
    Array.from({ length: openedFilesMax }, () => expect.objectContaining({ ok: true })),
  )
  expect(answers.at(-1)).toMatchObject({ ok: false, refusal: { code: 'busy' } })
})

test('for a member that does not read no more is answered than a little, however much it asks; then all of it is', async () => {
  const sharer = await OneSharer.start({ pieceCount: 100_000 })
  const made = vi.spyOn(Socket.prototype, 'setNoDelay')
  onTestFinished(() => made.mockRestore())
  const peer = await sharer.member('slow')
  const { fileId } = sharer.manifest
  const answerBytes = JSON.stringify(await peer.open(fileId)).length
  const socket = (made.mock.contexts as (Socket & { server?: object | null })[]).find(({ server }) => server)!
  // As if the system took nothing; it takes some MiB, which is more than may be asked for at once.
  socket.cork()
  const answers = Array.from({ length: 20 }, () => peer.open(fileId))
  await vi.waitUntil(() => socket.writableLength > unsentToPeerBytesMax)
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(socket.writableLength).toBeLessThan(unsentToPeerBytesMax + 2 * answerBytes)
  socket.uncork()
  expect(await Promise.all(answers)).toEqual(answers.map(() => expect.objectContaining({ ok: true })))
})
