import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { PieceStore } from '../../../src/client/downloading/piece-store.ts'
import { ProgressJournal } from '../../../src/client/storage/progress-journal.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { pieceLength } from '../../../src/common/pieces.ts'
import { manifestOf, pieceOf, sampleBytes } from '../sharing/sample-file.ts'
import { bytes, deliver, interrupted, manifest, place, sizeBytes } from './store-place.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { builtStorePool, staffedStorePool } from '../workers/built-pool.ts'

const all = [0, 1, 2, 3, 4, 5]

function held(store: PieceStore): number[] {
  return all.filter((index) => store.have.has(index))
}

function damage(path: string, index: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from('damage'), 0, 6, index * pieceBytes + 10)
  closeSync(file)
}

test('a new download has nothing', async () => {
  const store = await place().open()
  expect(held(store)).toEqual([])
  expect(store.have.length).toBe(6)
})

test('only the bytes of the piece are the piece, nothing else is written or told', async () => {
  const at = place()
  const store = await at.open()
  const wrong = [
    pieceOf(bytes, 1),
    pieceOf(bytes, 0).subarray(1),
    Buffer.alloc(0),
    Buffer.alloc(pieceBytes, 1),
  ]
  for (const piece of wrong) expect(await deliver(store, 0, piece)).toBe(false)
  expect([held(store), at.told]).toEqual([[], []])
  expect(readFileSync(at.part).every((byte) => byte === 0)).toBe(true)
  for (const index of all) expect(await deliver(store, index, pieceOf(bytes, index))).toBe(true)
  expect(readFileSync(at.part).equals(bytes)).toBe(true)
})

test('a piece is told of only when it is written, recorded and marked', async () => {
  const at = place()
  const { store, part, journal } = await at.openParts()
  const seen: object[] = []
  const look = (when: string): void => {
    const onDisk = readFileSync(at.part).subarray(3 * pieceBytes, 4 * pieceBytes)
    seen.push({
      when,
      written: onDisk.equals(pieceOf(bytes, 3)),
      recorded: journal.read(6)?.has(3),
      marked: store.have.has(3),
      told: at.told.includes(3),
    })
  }
  const write = part.write.bind(part)
  const add = journal.add.bind(journal)
  vi.spyOn(part, 'write').mockImplementation(async (index, piece) => {
    look('before writing')
    await write(index, piece)
    look('written')
  })
  vi.spyOn(journal, 'add').mockImplementation(async (index) => {
    await add(index)
    look('recorded')
  })
  await deliver(store, 3, pieceOf(bytes, 3))
  look('told')
  expect(seen).toEqual([
    { when: 'before writing', written: false, recorded: false, marked: false, told: false },
    { when: 'written', written: true, recorded: false, marked: false, told: false },
    { when: 'recorded', written: true, recorded: true, marked: false, told: false },
    { when: 'told', written: true, recorded: true, marked: true, told: true },
  ])
})

test('a piece that could not be written is neither marked nor claimed nor told', async () => {
  const at = place()
  const { store, part, journal } = await at.openParts()
  vi.spyOn(part, 'write').mockRejectedValueOnce(new Failure('file', 'the disk is full'))
  await expect(deliver(store, 2, pieceOf(bytes, 2))).rejects.toMatchObject({ code: 'file' })
  expect([held(store), at.told, journal.read(6)]).toEqual([[], [], new Set()])
  await deliver(store, 2, pieceOf(bytes, 2))
  expect([held(store), at.told, journal.read(6)]).toEqual([[2], [2], new Set([2])])
})

test('a piece that could not be recorded is neither marked nor told', async () => {
  const at = place()
  const { store, journal } = await at.openParts()
  vi.spyOn(journal, 'add').mockRejectedValueOnce(new Failure('file', 'the disk is full'))
  await expect(deliver(store, 2, pieceOf(bytes, 2))).rejects.toMatchObject({ code: 'file' })
  expect([held(store), at.told]).toEqual([[], []])
})

test('a piece that two peers deliver is told once', async () => {
  const at = place()
  const store = await at.open()
  await Promise.all([1, 1, 1].map((index) => deliver(store, index, pieceOf(bytes, index))))
  await deliver(store, 1, pieceOf(bytes, 1))
  expect(at.told).toEqual([1])
})

test('what is there can be read meanwhile, what is gone is refused', async () => {
  const at = place()
  const store = await at.open()
  await deliver(store, 5, pieceOf(bytes, 5))
  const buffer = Buffer.alloc(pieceBytes)
  expect(await store.read(5, buffer)).toEqual({ ok: true, value: undefined })
  expect(buffer.subarray(0, pieceLength(sizeBytes, 5)).equals(pieceOf(bytes, 5))).toBe(true)
  truncateSync(at.part, pieceBytes)
  expect(await store.read(5, buffer)).toMatchObject({ ok: false, refusal: { code: 'piece-missing' } })
})

test('an interrupted download goes on with what it had', async () => {
  const at = await interrupted([4, 0, 5])
  const store = await at.open()
  expect(held(store)).toEqual([0, 4, 5])
  // Nobody is told of what others learn from the bitfield.
  expect(at.told).toEqual([])
  for (const index of [1, 2, 3]) await deliver(store, index, pieceOf(bytes, index))
  await store.close()
  expect(readFileSync(at.part).equals(bytes)).toBe(true)
  expect(held(await at.open())).toEqual(all)
})

const journals: Record<string, (path: string) => void> = {
  missing: (path) => rmSync(path),
  empty: (path) => writeFileSync(path, ''),
  junk: (path) => writeFileSync(path, Buffer.alloc(333, 'junk')),
  'of another file': (path) => writeFileSync(path, readFileSync(path).fill(0xcd, 4, 36)),
  'claiming pieces there cannot be': (path) =>
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(4, 9)])),
}

test.each(Object.entries(journals))('a journal that is %s costs time, never a piece', async (_, spoil) => {
  const at = await interrupted([0, 2, 5])
  spoil(at.journal)
  expect(held(await at.open())).toEqual([0, 2, 5])
  // And it is right again.
  expect(held(await at.open())).toEqual([0, 2, 5])
})

test('a torn journal loses the piece it was torn at, and no other', async () => {
  const at = await interrupted([0, 2, 5])
  truncateSync(at.journal, readFileSync(at.journal).length - 3)
  expect(held(await at.open())).toEqual([0, 2])
})

test('a claim that does not match is dropped', async () => {
  const at = await interrupted([0, 2, 5])
  damage(at.part, 2)
  expect(held(await at.open())).toEqual([0, 5])
})

test('a part that was cut short or has vanished is no reason to believe the journal', async () => {
  const cut = await interrupted(all)
  truncateSync(cut.part, 2 * pieceBytes + 5)
  expect(held(await cut.open())).toEqual([0, 1])
  const vanished = await interrupted(all)
  rmSync(vanished.part)
  expect(held(await vanished.open())).toEqual([])
})

test('whatever happened to part and journal, nothing is marked that is not there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(all),
      fc.subarray(all),
      fc.constantFrom(...Object.values(journals), () => undefined),
      async (pieces, damaged, spoil) => {
        const at = await interrupted(pieces)
        for (const index of damaged) damage(at.part, index)
        spoil(at.journal)
        const store = await at.open()
        expect(held(store)).toEqual(pieces.filter((index) => !damaged.includes(index)))
        await store.close()
      },
    ),
    { numRuns: 25 },
  )
})

// A file of many pieces is verified and written by workers, a small one in place.
test('a file of many pieces keeps to the same order', async () => {
  const folder = temporaryFolder()
  const many = sampleBytes(20 * pieceBytes + 3, 2)
  const indices = Array.from({ length: 21 }, (_, index) => index)
  const told: number[] = []
  const part = new PartFile(join(folder, 'file'))
  const manifest = manifestOf(many)
  const journal = new ProgressJournal(join(folder, 'journal'), manifest.fileId)
  const store = await PieceStore.open(
    manifest,
    { part, journal, hashes: new HashPool(), storing: await staffedStorePool() },
    (index) => {
      const onDisk = readFileSync(part.path)
      expect(pieceOf(onDisk, index).equals(pieceOf(many, index))).toBe(true)
      expect(journal.read(21)?.has(index)).toBe(true)
      told.push(index)
    },
  )
  onTestFinished(() => store.close())
  expect(await Promise.all(indices.map((index) => deliver(store, index, pieceOf(bytes, index % 5))))).toEqual(
    indices.map(() => false),
  )
  expect(readFileSync(part.path).every((byte) => byte === 0)).toBe(true)
  // Each comes twice at once, as in an end game.
  const twice = [...indices, ...indices]
  expect(await Promise.all(twice.map((index) => deliver(store, index, pieceOf(many, index))))).toEqual(
    twice.map(() => true),
  )
  expect(told.toSorted((a, b) => a - b)).toEqual(indices)
  await part.publish(false)
  expect(readFileSync(part.destination).equals(many)).toBe(true)
})

// A worker takes as long to start as fifty pieces, and no more than forty-eight may be under way.
test('until a worker is there, the loop stores what comes', async () => {
  const folder = temporaryFolder()
  const many = sampleBytes(20 * pieceBytes, 2)
  const part = new PartFile(join(folder, 'file'))
  const manifest = manifestOf(many)
  const journal = new ProgressJournal(join(folder, 'journal'), manifest.fileId)
  const storing = await builtStorePool()
  vi.spyOn(storing, 'warmUp').mockImplementation(() => undefined)
  const store = await PieceStore.open(
    manifest,
    { part, journal, hashes: new HashPool(), storing },
    () => undefined,
  )
  onTestFinished(() => store.close())
  for (const index of [0, 1, 2]) {
    const buffer = store.takeBuffer()
    buffer.bytes.set(pieceOf(many, index))
    expect(await store.receive(index, buffer)).toBe(true)
    buffer.release()
  }
  expect([store.have.count, journal.read(20)]).toEqual([3, new Set([0, 1, 2])])
})

test('pieces of which there are few here start no worker, however fast they come', async () => {
  const folder = temporaryFolder()
  const many = sampleBytes(20 * pieceBytes, 2)
  const part = new PartFile(join(folder, 'file'))
  const manifest = manifestOf(many)
  const journal = new ProgressJournal(join(folder, 'journal'), manifest.fileId)
  const storing = await builtStorePool()
  const warmUp = vi.spyOn(storing, 'warmUp').mockImplementation(() => undefined)
  const parts = { part, journal, hashes: new HashPool(), storing }
  const store = await PieceStore.open(manifest, parts, () => undefined)
  onTestFinished(() => store.close())
  for (const isOneOfFew of [true, true]) store.takeBuffer(isOneOfFew).release()
  expect(warmUp).not.toHaveBeenCalled()
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
  onTestFinished(() => clock.mockRestore())
  for (const isOneOfFew of [false, false]) store.takeBuffer(isOneOfFew).release()
  expect(warmUp).toHaveBeenCalled()
})

// The pieces of a larger file are written by workers, which meet the trouble of the disk.
test('a piece that a worker cannot write is neither marked nor claimed nor told', async () => {
  const folder = temporaryFolder()
  const many = sampleBytes(9 * pieceBytes, 3)
  const told: number[] = []
  const part = new PartFile(join(folder, 'file'))
  const manifest = manifestOf(many)
  const journal = new ProgressJournal(join(folder, 'journal'), manifest.fileId)
  const store = await PieceStore.open(
    manifest,
    { part, journal, hashes: new HashPool(), storing: await staffedStorePool() },
    (index) => told.push(index),
  )
  onTestFinished(() => store.close())
  // Nothing can be written to what is open for reading.
  const file = openSync(part.path, 'r')
  onTestFinished(() => closeSync(file))
  vi.spyOn(part, 'lend').mockImplementationOnce(async (write) =>
    part.lend((sealed) => write({ ...sealed, file })),
  )
  // The second of two that come at once is for the workers.
  store.takeBuffer().release()
  const buffer = store.takeBuffer()
  buffer.bytes.set(pieceOf(many, 4))
  await expect(store.receive(4, buffer)).rejects.toMatchObject({
    code: 'file',
    message: expect.stringContaining(`cannot write ${part.path}`),
  })
  expect([store.have.count, told, journal.read(9)]).toEqual([0, [], new Set()])
  expect(await store.receive(4, buffer)).toBe(true)
  expect([store.have.count, told, journal.read(9)]).toEqual([1, [4], new Set([4])])
})

// The part stayed open for ever when what was in it could not be hashed.
test('a store that cannot be opened leaves nothing open', async () => {
  const at = await interrupted(all)
  const part = new PartFile(at.part.replace(/\.part$/, ''))
  const hashes = new HashPool()
  vi.spyOn(hashes, 'hashRanges').mockRejectedValue(new Failure('file', 'it cannot be read'))
  const journal = new ProgressJournal(at.journal, manifest.fileId)
  await expect(
    PieceStore.open(manifest, { part, journal, hashes, storing: new StorePool() }, () => undefined),
  ).rejects.toMatchObject({
    code: 'file',
  })
  await expect(part.read(0, 1, Buffer.alloc(1))).rejects.toMatchObject({
    message: expect.stringContaining('not open'),
  })
})

// What was written while the pieces were counted lay under the seal that was set behind, and was published.
test('what somebody writes while the pieces that are there are hashed does not count as verified', async () => {
  const at = await interrupted([0, 1, 2, 3, 4])
  const hashing = vi.spyOn(HashPool.prototype, 'hashRanges')
  try {
    hashing.mockImplementationOnce(async (...words) => {
      const found = await new HashPool().hashRanges(...words)
      const file = openSync(at.part, 'r+')
      writeSync(file, 'meddled', 0)
      closeSync(file)
      return found
    })
    const store = await at.open()
    expect(all.filter((index) => store.have.has(index))).toEqual([1, 2, 3, 4])
  } finally {
    hashing.mockRestore()
  }
})

// A write through a link in another folder, within one of our own, broke no seal that lasted and was reported by nobody.
test('a part file that has another name is verified once more before it gets its final one', async () => {
  const { store, part } = await place().openParts()
  for (const index of all) await deliver(store, index, pieceOf(bytes, index))
  linkSync(part.path, join(temporaryFolder(), 'link'))
  expect(await part.publish(false)).toBeUndefined()
  expect(await store.recheck()).toBe(false)
  const published = await part.publish(false)
  expect(published).toBeDefined()
  await published?.flushed
})

test('of a part it is whole with the pieces of the part, also when all journals are lost', async () => {
  const at = place()
  const wanted = new Bitfield(6)
  for (const index of [0, 4]) wanted.set(index)
  const store = await at.open(wanted)
  await deliver(store, 0, pieceOf(bytes, 0))
  expect([store.wantedCount, store.isWhole]).toEqual([2, false])
  await deliver(store, 4, pieceOf(bytes, 4))
  expect([store.isWhole, store.have.isFull]).toEqual([true, false])
  await store.close()
  rmSync(at.journal)
  const again = await at.open(wanted)
  expect([again.isWhole, again.have.count]).toEqual([true, 2])
  expect(await again.recheck()).toBe(false)
})
