import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { recordOf } from '../../../src/client/storage/progress-journal.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import { slotCount, SlotState, StoreSlots } from '../../../src/client/workers/store-slots.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import {
  breakingPoints,
  breakingStoreWorker,
  builtStorePool,
  bundledWorker,
  closedAfterTest,
  idleStoreWorker,
  realWorker,
  sleepyWorker,
} from './built-pool.ts'
import { files, jobOf, recordsOf, store } from './store-files.ts'

test('a received piece is written at its place and recorded behind that', async () => {
  const pool = await builtStorePool()
  const at = files()
  const piece = sampleBytes(pieceBytes, 3)
  expect(await store(pool, jobOf(at, 1, piece), piece)).toBe('stored')
  expect(readFileSync(at.path).equals(Buffer.concat([Buffer.alloc(pieceBytes), piece]))).toBe(true)
  expect(readFileSync(at.journalPath).equals(recordOf(1))).toBe(true)
})

test('a piece that is not the expected one is written nowhere and not recorded', async () => {
  const pool = await builtStorePool()
  const at = files()
  const piece = sampleBytes(pieceBytes, 3)
  const job = jobOf(at, 1, piece)
  piece.writeUInt8(piece.readUInt8(7) ^ 1, 7)
  expect(await store(pool, job, piece)).toBe('bad')
  expect([statSync(at.path).size, statSync(at.journalPath).size]).toEqual([0, 0])
})

test('a short piece, as the last one is, is written and nothing behind it', async () => {
  const pool = await builtStorePool()
  const at = files()
  const last = sampleBytes(1000, 4)
  expect(await store(pool, jobOf(at, 0, last), last)).toBe('stored')
  expect(readFileSync(at.path).equals(last)).toBe(true)
})

test('a piece far behind 4 GiB lands at its place', async () => {
  const pool = await builtStorePool()
  const at = files()
  const piece = sampleBytes(100, 5)
  const index = 200_000
  expect(await store(pool, jobOf(at, index, piece), piece)).toBe('stored')
  expect(statSync(at.path).size).toBe(index * pieceBytes + 100)
})

test('a bad piece among many that came at once is the only one that is not stored', async () => {
  // The bundled worker hashes them side by side where the processor can.
  const pool = await builtStorePool(undefined, (data) => bundledWorker('store-worker', data))
  const at = files()
  const pieces = Array.from({ length: 40 }, (_, index) => sampleBytes(pieceBytes - index * 100, index + 1))
  const jobs = pieces.map((piece, index) => jobOf(at, index, piece))
  for (const bad of [3, 20]) pieces[bad]?.writeUInt8(0xee, 1234)
  const outcomes = await Promise.all(jobs.map((job, index) => store(pool, job, pieces[index]!)))
  expect(outcomes.flatMap((outcome, index) => (outcome === 'stored' ? [] : [`${index} ${outcome}`]))).toEqual(
    ['3 bad', '20 bad'],
  )
  expect(recordsOf(at).toSorted((one, other) => one - other)).toEqual(
    pieces.flatMap((_, index) => ([3, 20].includes(index) ? [] : [index])),
  )
  const written = readFileSync(at.path)
  for (const [index, piece] of pieces.entries()) {
    const there = written.subarray(index * pieceBytes, index * pieceBytes + piece.length)
    expect(there.equals([3, 20].includes(index) ? Buffer.alloc(piece.length) : piece)).toBe(true)
  }
})

test('hundreds of pieces through few slots and several workers all land at their places, each once', async () => {
  const pool = await builtStorePool(4)
  const at = files()
  const count = 300
  const pieces = Array.from({ length: count }, (_, index) => sampleBytes(1 + ((index * 977) % 5000), index))
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const piece = pieces[index]!
      expect(await store(pool, jobOf(at, index, piece), piece)).toBe('stored')
    }
  }
  await Promise.all(Array.from({ length: 60 }, lane))
  const written = readFileSync(at.path)
  for (const [index, piece] of pieces.entries()) {
    expect(written.subarray(index * pieceBytes, index * pieceBytes + piece.length).equals(piece)).toBe(true)
  }
  expect(recordsOf(at).toSorted((a, b) => a - b)).toEqual(pieces.map((_, index) => index))
})

test('a piece that cannot be written is a failure of the system, with its code, and is not recorded', async () => {
  const pool = await builtStorePool()
  const at = files('r')
  const piece = sampleBytes(pieceBytes, 3)
  await expect(store(pool, jobOf(at, 0, piece), piece)).rejects.toMatchObject({ code: 'EBADF' })
  expect(statSync(at.journalPath).size).toBe(0)
})

test('when all slots are taken a buffer of the own memory is given, and slots are used again', () => {
  const pool = new StorePool()
  const taken = Array.from({ length: slotCount }, () => pool.take())
  expect(new Set(taken.map(({ slot }) => slot)).size).toBe(slotCount)
  expect(pool.take()).toMatchObject({ slot: undefined })
  taken[5]!.release()
  expect(pool.take().slot).toBe(taken[5]!.slot)
})

/** A journal to which nothing can be written until it is drained: a pipe that is full. */
function fullJournal(): { journal: number; drain: () => void } {
  const path = join(temporaryFolder(), 'journal')
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
  const journal = openSync(path, 'r+')
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const untilRefused = (step: () => void): void => {
    try {
      for (;;) step()
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' })
    }
  }
  const bytes = Buffer.alloc(4096)
  const drain = (): void => untilRefused(() => readSync(own, bytes))
  untilRefused(() => writeSync(own, bytes))
  onTestFinished(() => {
    drain()
    closeSync(journal)
    closeSync(own)
  })
  return { journal, drain }
}

test('closing waits for a piece that is being written, and rejects those that nobody began with', async () => {
  const pool = await builtStorePool(1)
  const { journal, drain } = fullJournal()
  const at = { ...files(), journal }
  const pieces = Array.from({ length: 40 }, (_, index) => sampleBytes(pieceBytes, index))
  const stored = pieces.map((piece, index) => store(pool, jobOf(at, index, piece), piece))
  const outcomes = Promise.allSettled(stored)
  // The worker is in the middle of its first piece: it is in the file, and its record is not in the journal.
  await vi.waitFor(() => expect(statSync(at.path).size).toBeGreaterThan(0))
  let isClosed = false
  const closing = pool.close().then(() => (isClosed = true))
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(isClosed).toBe(false)
  drain()
  await closing
  const statuses = (await outcomes).map(({ status }) => status)
  expect(statuses.filter((status) => status === 'fulfilled')).toHaveLength(1)
})

test('after closing, and after a rest, the next piece finds workers again', async () => {
  const pool = await builtStorePool()
  const at = files()
  const piece = sampleBytes(pieceBytes, 3)
  for (let round = 0; round < 3; round++) {
    expect(await store(pool, jobOf(at, round, piece), piece)).toBe('stored')
    await pool.close()
  }
})

// Beside the sources there is no worker to start.
test('without a worker that can start the loop stores the pieces, and none hangs', async () => {
  const pool = closedAfterTest(new StorePool(2))
  const at = files()
  const pieces = [0, 1, 2].map((n) => sampleBytes(pieceBytes, n))
  const stored = await Promise.all(pieces.map((piece, n) => store(pool, jobOf(at, n, piece), piece)))
  expect(stored).toEqual(['stored', 'stored', 'stored'])
  expect(readFileSync(at.path).equals(Buffer.concat(pieces))).toBe(true)
})

const ends = {
  'throws an error': "throw new Error('broken')",
  'ends without one': 'process.exit(3)',
  'runs out of memory': 'for (const kept = []; ; ) kept.push(new Array(100_000).fill(0.5))',
}

describe.each(Object.entries(ends))('a worker that %s', (_name, end) => {
  test.each(breakingPoints)('in the state "%s" loses no piece, and nobody waits for ever', async (point) => {
    const warned = once(process, 'warning')
    const pool = await builtStorePool(1, (data) => breakingStoreWorker(point, end, data))
    const at = files()
    const pieces = [0, 1, 2, 3].map((n) => sampleBytes(pieceBytes, n))
    // Taken before the worker breaks, posted after that: its memory is that of a worker which is gone.
    const early = pool.take()
    early.bytes.set(pieces[3]!)
    const posted = pieces.slice(0, 2).map((piece, n) => store(pool, jobOf(at, n, piece), piece))
    const wrong = store(pool, { ...jobOf(at, 2, pieces[2]!), expected: Buffer.alloc(52) }, pieces[2]!)
    expect(await Promise.all([...posted, wrong])).toEqual(['stored', 'stored', 'bad'])
    expect(String(await warned)).toContain('a thread that writes pieces has ended')
    expect(await pool.store(early.slot!, jobOf(at, 3, pieces[3]!))).toBe('stored')
    early.release()
    const written = readFileSync(at.path)
    for (const n of [0, 1, 3])
      expect(written.subarray(n * pieceBytes, (n + 1) * pieceBytes).equals(pieces[n]!)).toBe(true)
    expect(new Set(recordsOf(at))).toEqual(new Set([0, 1, 3]))
    // Its slots are used no more, and the new ones are all there.
    const taken = Array.from({ length: slotCount }, () => pool.take().slot)
    expect(new Set(taken).size).toBe(slotCount)
    expect(taken).not.toContain(early.slot)
  })
})

// It ended the client in the middle of a download, on a machine that was at its limit of threads.
test.each([0, 1])(
  'where no further thread than %i can be started, the pieces are stored all the same',
  async (startsMax) => {
    const warned = once(process, 'warning')
    let starts = 0
    const startNone = (data: object): Worker => {
      if (starts++ === startsMax) throw new Failure('file', 'no thread can be started: EAGAIN')
      return idleStoreWorker(data)
    }
    const pool = closedAfterTest(new StorePool(2, startNone, 2))
    const at = files()
    const pieces = [0, 1, 2].map((n) => sampleBytes(pieceBytes, n))
    pool.warmUp(true)
    expect(String(await warned)).toContain('no thread can be started')
    const stored = pieces.map((piece, n) => store(pool, jobOf(at, n, piece), piece))
    // After a rest it tries again, and fails again with a piece in hand.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000)
    onTestFinished(() => clock.mockRestore())
    starts = startsMax
    stored.push(store(pool, jobOf(at, 3, pieces[0]!), pieces[0]!))
    expect(await Promise.all(stored)).toEqual(['stored', 'stored', 'stored', 'stored'])
    expect(readFileSync(at.path).equals(Buffer.concat([...pieces, pieces[0]!]))).toBe(true)
  },
)

test('what a broken worker leaves is finished only when the others have ended, each piece once', async () => {
  const started: Worker[] = []
  const pool = await builtStorePool(2, (data) => {
    const worker =
      started.length === 0
        ? realWorker('store-worker', data)
        : breakingStoreWorker('hashing', "throw new Error('broken')", data)
    started.push(worker)
    return worker
  })
  const at = files()
  const pieces = Array.from({ length: 60 }, (_, n) => sampleBytes(pieceBytes, n))
  const stored = pieces.map((piece, n) => store(pool, jobOf(at, n, piece), piece))
  pool.warmUp()
  expect(await Promise.all(stored)).toEqual(pieces.map(() => 'stored'))
  expect(readFileSync(at.path).equals(Buffer.concat(pieces))).toBe(true)
})

test('two workers are started at once for pieces that come from here, and one for those that are fetched', async () => {
  const started: Worker[] = []
  const start = (data: object): Worker => {
    const worker = idleStoreWorker(data)
    started.push(worker)
    return worker
  }
  const pool = await builtStorePool(1, start, 2)
  pool.warmUp()
  pool.warmUp()
  await vi.waitFor(() => expect(pool.isStaffed).toBe(true), { timeout: 10_000, interval: 5 })
  pool.warmUp()
  expect(started).toHaveLength(1)
  const other = await builtStorePool(1, start, 2)
  other.warmUp(true)
  expect(started).toHaveLength(3)
  other.warmUp(true)
  expect(started).toHaveLength(3)
})

test('closing while a worker breaks settles every piece', async () => {
  const pool = await builtStorePool(1, (data) => breakingStoreWorker('writing', 'process.exit(1)', data))
  const at = files()
  const piece = sampleBytes(pieceBytes, 1)
  const stored = [0, 1, 2].map((n) => store(pool, jobOf(at, n, piece), piece))
  const outcomes = Promise.allSettled(stored)
  await pool.close()
  expect((await outcomes).map(({ status }) => status)).toHaveLength(3)
})

// A wake-up that is lost leaves a piece lying until the next one comes, and here none comes. The worker does
// nothing but fall asleep, and this thread posts at every moment of that.
test('a worker is woken for every piece, however close it is to falling asleep', async () => {
  const slots = new StoreSlots()
  const worker = sleepyWorker(slots.memory)
  onTestFinished(async () => void (await worker.terminate()))
  await once(worker, 'online')
  const job = jobOf({ path: '', journalPath: '', file: 0, journal: 0 }, 0, Buffer.alloc(1))
  const answers = new Int32Array(new SharedArrayBuffer(4))
  let lost = 0
  for (let round = 0; round < 100_000 && lost === 0; round++) {
    // From at once to a few microseconds after it has done the last one.
    for (let spin = 0; spin < round % 400; spin++) Atomics.load(answers, 0)
    slots.post(0, job)
    const startedMs = performance.now()
    while (slots.state(0) !== SlotState.stored && lost === 0)
      if (performance.now() - startedMs > 10_000) lost++
    slots.setState(0, SlotState.idle)
  }
  expect(lost).toBe(0)
})

test('a job comes back from the shared memory as it was put there', () => {
  const slots = new StoreSlots()
  const job = fc.record({
    length: fc.integer({ min: 1, max: pieceBytes }),
    file: fc.integer({ min: 0, max: 0x7fffffff }),
    journal: fc.integer({ min: 0, max: 0x7fffffff }),
    offset: fc.integer({ min: 0, max: 2 ** 37 }),
    expected: fc.uint8Array({ minLength: 52, maxLength: 52 }),
    record: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    from: fc.option(
      fc.record({
        file: fc.integer({ min: 0, max: 0x7fffffff }),
        offset: fc.integer({ min: 0, max: 2 ** 37 }),
      }),
      { nil: undefined },
    ),
    seal: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    isAtRest: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: slotCount - 1 }), job, (slot, posted) => {
      slots.post(slot, posted)
      expect(slots.job(slot)).toEqual(posted)
    }),
  )
})

test('nothing that belongs to one slot reaches into another or into a piece', () => {
  const slots = new StoreSlots()
  for (let slot = 0; slot < slotCount; slot++) slots.piece(slot).fill(slot)
  const job = {
    length: 1,
    file: 2,
    journal: 3,
    offset: 4,
    expected: Buffer.alloc(52, 5),
    record: Buffer.alloc(4, 6),
    seal: 0,
    isAtRest: false,
  }
  for (let slot = 0; slot < slotCount; slot++) slots.post(slot, { ...job, length: slot })
  for (let slot = 0; slot < slotCount; slot++) {
    expect(slots.job(slot).length).toBe(slot)
    expect(slots.piece(slot).every((byte) => byte === slot)).toBe(true)
  }
})
