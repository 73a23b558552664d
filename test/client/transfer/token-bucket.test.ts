import { expect, test } from 'vitest'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { FakeClock, settle } from './fake-clock.ts'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const pieceBytes = 512 * KiB

/** Sends pieces one after the other, as the upload queue does; counts what went out. */
function sender(bucket: TokenBucket): { sentBytes: number; stop: () => void } {
  const state = { sentBytes: 0, stopped: false, stop: () => void (state.stopped = true) }
  void (async () => {
    while (!state.stopped) {
      for (let at = 0; at < pieceBytes && !state.stopped;) {
        const bytes = Math.min(pieceBytes - at, bucket.sliceBytes)
        const allowed = bucket.take(bytes)
        if (allowed !== undefined) await allowed
        state.sentBytes += bytes
        at += bytes
      }
    }
  })()
  return state
}

test.each([
  ['10 KiB/s', 10 * KiB],
  ['100 KiB/s', 100 * KiB],
  ['4 MiB/s', 4 * MiB],
  ['64 MiB/s', 64 * MiB],
  ['1 GiB/s', GiB],
])('a limit of %s holds within a twentieth over 10 s', async (_name, rate) => {
  const clock = new FakeClock()
  const sent = sender(new TokenBucket(rate, clock))
  await clock.runTo(10_000)
  sent.stop()
  expect(sent.sentBytes / (rate * 10)).toBeGreaterThan(0.95)
  expect(sent.sentBytes / (rate * 10)).toBeLessThan(1.05)
})

test('a limit holds over every second, not only on average', async () => {
  const clock = new FakeClock()
  const rate = 4 * MiB
  const sent = sender(new TokenBucket(rate, clock))
  for (let second = 1; second <= 5; second++) {
    const before = sent.sentBytes
    await clock.runTo(second * 1000)
    // A burst of a tenth of a second may move from one second to the next.
    expect((sent.sentBytes - before) / rate).toBeGreaterThan(0.85)
    expect((sent.sentBytes - before) / rate).toBeLessThan(1.15)
  }
  sent.stop()
})

test('time that nobody used is not saved up beyond a tenth of a second', async () => {
  const clock = new FakeClock()
  const rate = MiB
  const bucket = new TokenBucket(rate, clock)
  await clock.runTo(60_000)
  const sent = sender(bucket)
  await clock.runTo(61_000)
  sent.stop()
  expect(sent.sentBytes / rate).toBeLessThan(1.25)
})

test.each([
  ['raised', 100 * KiB, 10 * MiB],
  ['lowered', 10 * MiB, 100 * KiB],
  ['lowered by much', GiB, 10 * KiB],
])('a limit that is %s holds from then on, within a twentieth over 10 s', async (_name, from, to) => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(from, clock)
  const sent = sender(bucket)
  await clock.runTo(3000)
  bucket.setRate(to)
  const before = sent.sentBytes
  await clock.runTo(13_000)
  sent.stop()
  // What was under way when the limit changed goes out as one slice of the old size.
  const slack = Math.min(pieceBytes, from / 10)
  expect(sent.sentBytes - before).toBeGreaterThan(to * 10 * 0.95)
  expect(sent.sentBytes - before).toBeLessThan(to * 10 * 1.05 + slack)
})

// The debt of a slice that went out at the old rate was kept as bytes: after 4 MiB/s, 64 KiB/s began
// with more than six seconds of silence, in which a downloader would take its seeder for dead.
test('a limit that is lowered does not begin with silence', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(4 * MiB, clock)
  for (let took = bucket.take(419_430); took === undefined; took = bucket.take(419_430));
  bucket.setRate(64 * KiB)
  let allowed = false
  void bucket.take(6554)?.then(() => (allowed = true))
  await clock.runTo(500)
  expect(allowed).toBe(true)
})

test('without a limit everything may go at once', () => {
  const bucket = new TokenBucket(undefined, new FakeClock())
  expect(bucket.take(GiB)).toBeUndefined()
  expect(bucket.take(GiB)).toBeUndefined()
  expect(bucket.spend(GiB)).toBe(0)
  expect(bucket.sliceBytes).toBeGreaterThan(GiB)
})

test('a limit that is removed lets everybody go who waits, in order', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(10 * KiB, clock)
  const gone: number[] = []
  for (let each = 0; each < 5; each++) void bucket.take(MiB)?.then(() => gone.push(each))
  await settle()
  expect(gone).toEqual([])
  bucket.setRate(undefined)
  await settle()
  expect(gone).toEqual([0, 1, 2, 3, 4])
})

test('who came first goes first, also past somebody who wants little', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(100 * KiB, clock)
  const gone: string[] = []
  void bucket.take(300 * KiB)?.then(() => gone.push('much'))
  void bucket.take(1)?.then(() => gone.push('little'))
  await clock.runTo(100)
  expect(gone).toEqual(['much'])
  await clock.runTo(4000)
  expect(gone).toEqual(['much', 'little'])
})

test('who comes when a timer is late does not go before those who wait', () => {
  let nowMs = 0
  const bucket = new TokenBucket(100 * KiB, { nowMs: () => nowMs, after: () => undefined })
  expect(bucket.take(1)).toBeInstanceOf(Promise)
  nowMs = 5000
  expect(bucket.take(1)).toBeInstanceOf(Promise)
})

test('a limit that is raised does not wait for what was owed under the old one', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(KiB, clock)
  bucket.spend(MiB)
  let allowed = false
  void bucket.take(1)?.then(() => (allowed = true))
  await clock.runTo(500)
  bucket.setRate(10 * MiB)
  await clock.runTo(2000)
  expect(allowed).toBe(true)
})

test('spend says how long to pause so that what came already fits the limit', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(100 * KiB, clock)
  let receivedBytes = 0
  for (;;) {
    const pauseMs = bucket.spend(64 * KiB)
    receivedBytes += 64 * KiB
    if (clock.nowMs() + pauseMs > 10_000) break
    await clock.runTo(clock.nowMs() + pauseMs)
  }
  expect(receivedBytes / (100 * KiB * 10)).toBeGreaterThan(0.95)
  expect(receivedBytes / (100 * KiB * 10)).toBeLessThan(1.07)
})

test('several readers that spend from one bucket share its limit', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(MiB, clock)
  let receivedBytes = 0
  const read = (): void => {
    receivedBytes += 16 * KiB
    clock.after(Math.max(1, bucket.spend(16 * KiB)), read)
  }
  for (let reader = 0; reader < 8; reader++) read()
  await clock.runTo(10_000)
  expect(receivedBytes / (10 * MiB)).toBeGreaterThan(0.95)
  expect(receivedBytes / (10 * MiB)).toBeLessThan(1.05)
})

test('says how long it takes until what was taken is paid for', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(MiB, clock)
  await clock.runTo(1000)
  expect(bucket.owesMs).toBe(0)
  expect(bucket.take(MiB)).toBeUndefined()
  // A tenth of a second was saved.
  expect(bucket.owesMs).toBeCloseTo(900)
  await clock.runTo(1500)
  expect(bucket.owesMs).toBeCloseTo(400)
  bucket.setRate(undefined)
  expect(bucket.owesMs).toBe(0)
})
