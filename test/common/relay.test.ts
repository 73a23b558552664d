// Forwarding between two ends, over real sockets.

import type { Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { relayLimits } from '../../src/common/limits.ts'
import { OneRelay, type End } from './one-relay.ts'

const MiB = 1024 * 1024

/** Sends without a pause until the test is over. */
function flood({ socket }: End): void {
  const bytes = Buffer.alloc(64 * 1024, 'x')
  let isOver = false
  onTestFinished(() => void (isOver = true))
  const more = (): void => {
    if (isOver || socket.destroyed) return
    if (socket.write(bytes)) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}

/** What a connection may have waiting, as `relayLimits` says, and the first lines. */
const heldMax = 161 * 1024

/** Bytes that have come and are not with the system yet, the first lines included. */
function heldIn({ sockets }: OneRelay): number {
  const held = ({ bytesRead, bytesWritten, writableLength }: Socket): number =>
    bytesRead - (bytesWritten - writableLength)
  return sockets.reduce((sum, socket) => sum + held(socket), 0)
}

test('two ends with the tokens of a pair get what the other one sends, also what it sent before they came', async () => {
  const place = await OneRelay.open()
  const [mine = '', yours = ''] = place.expect() ?? []
  const one = place.dial(mine, 'said at once, ')
  one.socket.write('and then')
  await vi.waitFor(() => expect(place.sockets).toHaveLength(1))
  const other = place.dial(yours)
  other.socket.write('heard')
  await vi.waitFor(() => expect([one.text, other.text]).toEqual(['heard', 'said at once, and then']))
  expect(place.relay).toMatchObject({ pairs: 1, joined: 1, bytes: 'said at once, and thenheard'.length })
})

test('a token is good once, and whoever has none is told so and leaves', async () => {
  const place = await OneRelay.open()
  const [mine = '', yours = ''] = place.expect() ?? []
  place.dial(mine)
  await vi.waitFor(() => expect(place.sockets).toHaveLength(1))
  for (const token of [mine, 'x'.repeat(32)]) {
    const stranger = place.dial(token)
    await stranger.closed
    expect(stranger.text).toContain('nothing of the kind is expected here')
  }
  expect(place.relay.pairs).toBe(0)
  place.dial(yours)
  await vi.waitFor(() => expect(place.relay.pairs).toBe(1))
})

test('an end that has said all still gets all that the other one says', async () => {
  const place = await OneRelay.open()
  const [mine = '', yours = ''] = place.expect() ?? []
  const [one, other] = [place.dial(mine), place.dial(yours, '', true)]
  one.socket.end('a question')
  await vi.waitFor(() => expect([other.text, other.hasEnded]).toEqual(['a question', true]))
  const answer = Buffer.alloc(3 * MiB, 'a')
  other.socket.end(answer)
  await Promise.all([one.closed, other.closed])
  expect(one.bytes).toBe(answer.length)
  await vi.waitFor(() => expect(place.relay.pairs).toBe(0))
})

test('an end that is cut cuts the other one', async () => {
  const place = await OneRelay.open()
  const [one, other] = place.pair()
  one.socket.write('hello')
  await vi.waitFor(() => expect(other.text).toBe('hello'))
  one.socket.resetAndDestroy()
  await other.closed
  await vi.waitFor(() => expect(place.relay.pairs).toBe(0))
})

test('of what one end sends faster than the other one reads, little waits in the relay', async () => {
  const place = await OneRelay.open()
  const [one, other] = place.pair()
  other.socket.pause()
  flood(one)
  await vi.waitFor(() => expect(place.sockets).toHaveLength(2))
  // It stands still when the systems' buffers are full.
  let last = -1
  await vi.waitFor(
    () => {
      const { bytes } = place.relay
      const isStill = bytes === last && bytes > 0
      last = bytes
      expect(isStill).toBe(true)
    },
    { timeout: 10_000, interval: 100 },
  )
  expect(heldIn(place)).toBeLessThan(heldMax)
  other.socket.resume()
  await vi.waitFor(() => expect(other.bytes).toBeGreaterThan(last + MiB), { timeout: 10_000 })
})

test('of what one end sends faster than the rate lets it go, little waits in the relay, either', async () => {
  const place = await OneRelay.open({ bytesPerSecond: 128 * 1024 })
  const [one, other] = place.pair()
  flood(one)
  await vi.waitFor(() => expect(other.bytes).toBeGreaterThan(64 * 1024), { timeout: 10_000 })
  expect(heldIn(place)).toBeLessThan(heldMax)
})

test('all pairs together get the rate, within 5 %, and each pair as much as another', async () => {
  const rate = 4 * MiB
  const place = await OneRelay.open({ bytesPerSecond: rate })
  const pairs = ['ann', 'cem', 'eva'].map((user) => place.pair(user))
  for (const [one] of pairs) flood(one)
  // Whoever sends in both directions gets no more.
  const [, back] = pairs[0] ?? []
  if (back !== undefined) flood(back)
  const got = (): number[] => pairs.map(([one, other]) => one.bytes + other.bytes)
  await vi.waitFor(() => expect(Math.min(...got())).toBeGreaterThan(256 * 1024), { timeout: 10_000 })
  const [fromMs, from, before] = [performance.now(), place.relay.bytes, got()]
  await vi.waitFor(() => expect(performance.now() - fromMs).toBeGreaterThan(2500), { timeout: 10_000 })
  const measured = ((place.relay.bytes - from) * 1000) / (performance.now() - fromMs)
  expect(measured / rate).toBeGreaterThan(0.95)
  expect(measured / rate).toBeLessThan(1.05)
  const shares = got().map((bytes, index) => bytes - (before[index] ?? 0))
  expect(Math.max(...shares) / Math.min(...shares)).toBeLessThan(1.15)
})

test('one user gets so many pairs and not one more', async () => {
  const place = await OneRelay.open()
  for (let count = 0; count < relayLimits.pairsOfUser; count++) expect(place.expect('ann')).toBeDefined()
  expect(place.expect('ann')).toBeUndefined()
  expect(place.expect('cem', 'ann')).toBeDefined()
})

test('when all pairs are taken, the user with most of them gives one up, unless the other one has as many', async () => {
  const place = await OneRelay.open({ limits: { pairs: 4, pairsOfUser: 3 } })
  const first = place.pair('ann')
  await vi.waitFor(() => expect(place.relay.pairs).toBe(1))
  for (const user of ['ann', 'ann', 'cem']) expect(place.expect(user)).toBeDefined()
  expect(place.expect('eva')).toBeDefined()
  await first[0].closed
  // Ann has two now, as many as Cem would have, and Eva one.
  expect(place.expect('cem')).toBeUndefined()
})

test('there are so many pairs in all and not one more', async () => {
  const place = await OneRelay.open()
  for (let count = 0; count < relayLimits.pairs; count++) expect(place.expect(`user-${count}`)).toBeDefined()
  expect(place.expect('another')).toBeUndefined()
})

test('a pair ends when one does not come, when nothing moves for a minute, and when it is old', async () => {
  let nowMs = 0
  const lifetimeMs = 3 * relayLimits.idleMs
  const place = await OneRelay.open({ nowMs: () => nowMs, limits: { lifetimeMs } })
  const alone = place.dial((place.expect() ?? [''])[0])
  await vi.waitFor(() => expect(place.sockets).toHaveLength(1))
  nowMs = relayLimits.comeWithinMs
  place.relay.look()
  expect(alone.hasEnded).toBe(false)
  nowMs++
  place.relay.look()
  await alone.closed

  const [one, other] = place.pair()
  await vi.waitFor(() => expect(place.relay.pairs).toBe(1))
  const bornMs = nowMs
  while (nowMs < bornMs + lifetimeMs) {
    expect(place.relay.pairs).toBe(1)
    nowMs += relayLimits.idleMs / 2
    const text = `at ${nowMs}`
    one.socket.write(text)
    await vi.waitFor(() => expect(other.text.endsWith(text)).toBe(true))
    place.relay.look()
  }
  nowMs++
  place.relay.look()
  await other.closed

  const [idle] = place.pair()
  await vi.waitFor(() => expect(place.relay.pairs).toBe(1))
  nowMs += relayLimits.idleMs + 1
  place.relay.look()
  await idle.closed
})
