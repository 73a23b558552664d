import { truncateSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { hashBytes } from '../../../src/common/manifest.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { builtPool, bundledWorker, closedAfterTest } from './built-pool.ts'
import { plainHashes, sampleFile } from '../sharing/sample-file.ts'

const MiB = 1024 * 1024

test.each([0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 4 * MiB, 4 * MiB + 1, 20 * MiB, 70 * MiB + 3])(
  'a file of %i bytes is hashed as one would by hand',
  async (sizeBytes) => {
    const { path, bytes } = await sampleFile(temporaryFolder(), sizeBytes)
    const hashes = await (await builtPool()).hashFile(path, sizeBytes)
    expect(hashes.equals(plainHashes(bytes))).toBe(true)
  },
)

test('some pieces are hashed as in the whole, in the order they are asked for', async () => {
  const { path, bytes } = await sampleFile(temporaryFolder(), 20 * MiB)
  const pool = await builtPool()
  const all = plainHashes(bytes)
  const everyThird = Array.from({ length: 13 }, (_, index) => 39 - index * 3)
  for (const indices of [[], [0], [39], [7, 3, 5], everyThird]) {
    const expected = indices.map((index) => all.subarray(index * hashBytes, (index + 1) * hashBytes))
    const ranges = indices.map((index) => [index * pieceBytes, pieceBytes] as const)
    const hashes = await pool.hashRanges(path, ranges)
    expect(hashes.equals(Buffer.concat(expected))).toBe(true)
  }
})

test('workers that hash many pieces at once find the same, also of a file whose last piece is short', async () => {
  const { path, bytes } = await sampleFile(temporaryFolder(), 35 * MiB + 3)
  const pool = await builtPool(2, () => bundledWorker('hash-worker'))
  expect((await pool.hashFile(path, 35 * MiB + 3)).equals(plainHashes(bytes))).toBe(true)
})

test('several files at once on few workers all get their own hashes', async () => {
  const folder = temporaryFolder()
  const pool = await builtPool(2)
  const samples = await Promise.all([1, 2, 3, 4, 5].map((seed) => sampleFile(folder, 6 * MiB, seed)))
  const hashes = await Promise.all(samples.map(({ path }) => pool.hashFile(path, 6 * MiB)))
  expect(hashes.map((hash, index) => hash.equals(plainHashes(samples[index]!.bytes)))).toEqual(
    samples.map(() => true),
  )
})

test.each([2 * MiB, 20 * MiB])(
  'a file of %i bytes that has become shorter is a failure',
  async (sizeBytes) => {
    const { path } = await sampleFile(temporaryFolder(), sizeBytes)
    truncateSync(path, sizeBytes - 1)
    const hashing = (await builtPool()).hashFile(path, sizeBytes)
    const failure = await hashing.catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'file', message: expect.stringContaining('shorter') })
    expect(failure).not.toHaveProperty('cause')
  },
)

test.each([2 * MiB, 20 * MiB])('a missing file of %i bytes is a failure that names it', async (sizeBytes) => {
  const hashing = (await builtPool()).hashFile('/nowhere/at/all', sizeBytes)
  await expect(hashing).rejects.toMatchObject({
    code: 'file',
    message: expect.stringContaining('/nowhere/at/all'),
    // Whoever has to decide whether to try again asks for this.
    cause: { code: 'ENOENT' },
  })
})

test('after a file that failed the workers go on with the next', async () => {
  const pool = await builtPool(1)
  const { path, bytes } = await sampleFile(temporaryFolder(), 20 * MiB)
  const missing = pool.hashFile('/nowhere/at/all', 20 * MiB)
  const hashed = pool.hashFile(path, 20 * MiB)
  await expect(missing).rejects.toMatchObject({ code: 'file' })
  expect((await hashed).equals(plainHashes(bytes))).toBe(true)
})

test('a file that takes little time is hashed without a worker, and the loop goes on meanwhile', async () => {
  const { path, bytes } = await sampleFile(temporaryFolder(), 20 * MiB)
  const pool = new HashPool(1, () => {
    throw new Error('no worker is to start')
  })
  // Each piece takes the loop less than that of a disk, however busy the machine is.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => clock.mockRestore())
  const told: number[] = []
  let turns = 0
  const turn = (): void => void (turns++, (next = setImmediate(turn)))
  let next = setImmediate(turn)
  const hashes = await pool.hashFile(path, 20 * MiB, { onProgress: (_pieces, first) => told.push(first) })
  clearImmediate(next)
  expect(hashes.equals(plainHashes(bytes))).toBe(true)
  expect(told).toEqual([0, 4, 8, 12, 16, 20, 24, 28, 32, 36])
  expect(turns).toBeGreaterThan(5)
})

test('what the loop would be held up by is left to the workers after its first pieces', async () => {
  const { path, bytes } = await sampleFile(temporaryFolder(), 20 * MiB)
  const pool = await builtPool()
  let nowMs = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 100))
  onTestFinished(() => clock.mockRestore())
  const told: number[] = []
  const hashes = await pool.hashFile(path, 20 * MiB, { onProgress: (_pieces, first) => told.push(first) })
  expect(hashes.equals(plainHashes(bytes))).toBe(true)
  expect(told).toEqual([0, 4])
})

test('closing ends what the loop hashes, too', async () => {
  const { path } = await sampleFile(temporaryFolder(), 20 * MiB)
  const pool = new HashPool()
  const hashing = pool.hashFile(path, 20 * MiB)
  await pool.close()
  await expect(hashing).rejects.toMatchObject({ code: 'file', message: 'hashing was stopped' })
})

test('closing rejects what is being hashed and what waits for its turn', async () => {
  const pool = await builtPool(1)
  const { path } = await sampleFile(temporaryFolder(), 130 * MiB)
  const first = pool.hashFile(path, 130 * MiB)
  const second = pool.hashFile(path, 130 * MiB)
  const outcomes = Promise.allSettled([first, second])
  await pool.close()
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

// Beside the sources there is no worker to start. Files that waited for their turn behind one that
// failed so were never hashed and never refused: whoever shared them waited for ever.
test('a worker that dies fails every file that waits, none hangs', async () => {
  const pool = closedAfterTest(new HashPool(1))
  const { path } = await sampleFile(temporaryFolder(), 130 * MiB)
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => pool.hashFile(path, 130 * MiB)))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})
