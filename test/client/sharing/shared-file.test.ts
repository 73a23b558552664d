import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readSync,
  closeSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { verifyPiece } from '../../../src/client/hashing/piece-hash.ts'
import { SharedFile } from '../../../src/client/sharing/shared-file.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { pieceLength } from '../../../src/common/pieces.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { pieceOf, sampleBytes, sampleFile, type Sample } from './sample-file.ts'

const sizeBytes = 3 * pieceBytes + 1000

interface Shared extends Sample {
  readonly file: SharedFile
  readonly buffer: Buffer
  /** How often it was said to have changed, and to be gone. */
  readonly told: { changed: number; gone: number; away?: number }
}

async function share(): Promise<Shared> {
  const folder = join(temporaryFolder(), 'folder')
  mkdirSync(folder)
  const sample = await sampleFile(folder, sizeBytes)
  const told: Shared['told'] = { changed: 0, gone: 0 }
  const file = new SharedFile(sample.path, sample.manifest, sample.stamp, {
    onChanged: () => told.changed++,
    onGone: () => told.gone++,
    onAway: () => (told.away = (told.away ?? 0) + 1),
  })
  return { ...sample, file, told, buffer: Buffer.alloc(pieceBytes) }
}

/** Overwrites some bytes in place: same size, same inode. */
function scribble(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from('other bytes'), 0, 11, at)
  closeSync(file)
}

test('every piece of a file that did not change is served as it was hashed', async () => {
  const { file, bytes, buffer, told } = await share()
  for (let index = 0; index < file.manifest.pieceCount; index++) {
    expect(await file.read(index, buffer)).toEqual({ ok: true, value: undefined })
    expect(buffer.subarray(0, pieceLength(sizeBytes, index)).equals(pieceOf(bytes, index))).toBe(true)
  }
  expect(told).toEqual({ changed: 0, gone: 0 })
  file.close()
})

/** What is done to the file, and which of its four pieces are then as they were. */
const changes: Record<string, { change: (path: string) => void; left: readonly number[] }> = {
  'written to in place': { change: (path) => scribble(path, 5), left: [1, 2, 3] },
  'written to in its middle': { change: (path) => scribble(path, 2 * pieceBytes), left: [0, 1, 3] },
  'longer than it was': { change: (path) => appendFileSync(path, 'more'), left: [0, 1, 2, 3] },
  'cut short': { change: (path) => truncateSync(path, pieceBytes + 7), left: [0] },
  touched: {
    change: (path) => utimesSync(path, new Date(1_000_000_000_000), new Date(1_000_000_000_000)),
    left: [0, 1, 2, 3],
  },
  'written to and given its old time back': {
    change: (path) => {
      scribble(path, 5)
      utimesSync(path, new Date(1_000_000_000_000), new Date(1_000_000_000_000))
    },
    left: [1, 2, 3],
  },
}

test.each(Object.entries(changes))(
  'of a file that is %s the pieces that are left are served, the others never',
  async (_, { change, left }) => {
    for (const readBefore of [true, false]) {
      const { file, path, bytes, told } = await share()
      if (readBefore) expect((await file.read(0, Buffer.alloc(pieceBytes))).ok).toBe(true)
      change(path)
      for (const index of [3, 2, 1, 0]) {
        const buffer = Buffer.alloc(pieceBytes)
        const answer = await file.read(index, buffer)
        expect(answer.ok ? 'served' : answer.refusal.code).toBe(
          left.includes(index) ? 'served' : 'piece-missing',
        )
        const read = buffer.subarray(0, pieceLength(sizeBytes, index))
        if (answer.ok) expect(read.equals(pieceOf(bytes, index))).toBe(true)
      }
      expect([0, 1, 2, 3].filter((index) => file.have.has(index))).toEqual(left)
      expect(told).toEqual({ changed: 1, gone: 0 })
      file.close()
    }
  },
)

test('a file of which not one piece is left is gone', async () => {
  const { file, path, buffer, told } = await share()
  truncateSync(path, 0)
  for (const index of [0, 1, 2]) {
    expect(await file.read(index, buffer)).toMatchObject({ refusal: { code: 'piece-missing' } })
  }
  expect(await file.read(3, buffer)).toMatchObject({ refusal: { code: 'file-changed' } })
  expect(told).toEqual({ changed: 1, gone: 1 })
  file.close()
})

const disappearances: Record<string, (path: string) => void> = {
  'replaced by another file of the same size': (path) => {
    writeFileSync(`${path}.new`, sampleBytes(sizeBytes, 2))
    renameSync(`${path}.new`, path)
  },
  'replaced by a copy of itself': (path) => {
    copyFileSync(path, `${path}.new`)
    renameSync(`${path}.new`, path)
  },
  'moved away with its folder': (path) => {
    // The file itself is as it was: that there is another at its path is seen at the next look there.
    const nowMs = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs + 100)
    renameSync(dirname(path), `${dirname(path)}.moved`)
    mkdirSync(dirname(path))
    writeFileSync(path, sampleBytes(sizeBytes))
  },
}

test.each(Object.entries(disappearances))(
  'a file that is %s is refused, and said to be gone once',
  async (_, change) => {
    for (const readBefore of [true, false]) {
      const { file, path, buffer, told } = await share()
      if (readBefore) expect((await file.read(0, buffer)).ok).toBe(true)
      change(path)
      const answers = await Promise.all([0, 1, 3].map((index) => file.read(index, Buffer.alloc(pieceBytes))))
      expect(answers.map((answer) => (answer.ok ? 'served' : answer.refusal.code))).toEqual(
        answers.map(() => 'file-changed'),
      )
      await file.read(0, buffer)
      expect(told).toEqual({ changed: 0, gone: 1 })
      file.close()
      vi.restoreAllMocks()
    }
  },
)

test('a file that is written to while it is served never yields a bad piece', async () => {
  const { file, path, buffer } = await share()
  let served = 0
  for (let round = 0; round < 40; round++) {
    const reading = file.read(round % 4, buffer)
    // From the 20th read on, somebody writes while the piece is being read.
    if (round >= 20) scribble(path, (round % 4) * pieceBytes + round)
    if (!(await reading).ok) continue
    served++
    const length = pieceLength(sizeBytes, round % 4)
    expect(verifyPiece(file.manifest, round % 4, buffer.subarray(0, length))).toBe(true)
  }
  expect(served).toBeGreaterThanOrEqual(20)
  file.close()
})

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['on a disk that is away', (path: string) => renameSync(dirname(path), `${dirname(path)}.away`)],
])('a file that is %s is refused, and said to be away once', async (_what, leave) => {
  for (const asked of ['a look', 'a read']) {
    const { file, path, buffer, told } = await share()
    leave(path)
    // Twice: it is told once.
    for (let time = 0; time < 2; time++) {
      if (asked === 'a look') await file.look()
      else expect(await file.read(0, buffer)).toMatchObject({ refusal: { code: 'file-changed' } })
    }
    expect(told).toEqual({ changed: 0, gone: 0, away: 1 })
    file.close()
  }
})

test('a file that is replaced while nobody asks for it is noticed by a look', async () => {
  const { file, path, told } = await share()
  copyFileSync(path, `${path}.new`)
  renameSync(`${path}.new`, path)
  await file.look()
  expect(told).toEqual({ changed: 0, gone: 1 })
  file.close()
})

// Closing while a piece was being read made that read fail, which was taken for a change on disk. After
// a replacement by a new version the library then dropped the new version, and told its owner a lie.
test('closing in the middle of a read is not taken for a change', async () => {
  const { file, buffer, told } = await share()
  const reading = file.read(0, buffer)
  file.close()
  const answer = await reading
  expect(['served', 'not-shared']).toContain(answer.ok ? 'served' : answer.refusal.code)
  expect(told).toEqual({ changed: 0, gone: 0 })
})

test('what is closed is not opened again', async () => {
  const { file, path, buffer, told } = await share()
  file.close()
  rmSync(path)
  expect(await file.read(0, buffer)).toMatchObject({ ok: false, refusal: { code: 'not-shared' } })
  expect(told).toEqual({ changed: 0, gone: 0 })
})

test('an empty file has no pieces and is complete', async () => {
  const { path, manifest, stamp } = await sampleFile(temporaryFolder(), 0)
  const file = new SharedFile(path, manifest, stamp, {
    onChanged: () => undefined,
    onGone: () => undefined,
    onAway: () => undefined,
  })
  expect(file.manifest.pieceCount).toBe(0)
  expect(file.have.isFull).toBe(true)
  file.close()
})

test('any bytes can be read while the file is as it was hashed', async () => {
  const { file, bytes } = await share()
  const into = Buffer.alloc(pieceBytes)
  for (const offset of [0, 5, pieceBytes + 100, sizeBytes - pieceBytes]) {
    expect(await file.readAt(offset, into)).toBe(true)
    expect(into.equals(bytes.subarray(offset, offset + pieceBytes))).toBe(true)
  }
  expect(await file.readAt(sizeBytes - 10, into)).toBe(false)
  file.close()
  expect(await file.readAt(0, into)).toBe(false)
})

test.each(Object.entries(changes))(
  'no bytes but whole pieces are read of a file %s',
  async (_how, { change }) => {
    const { file, path, told } = await share()
    const into = Buffer.alloc(100)
    expect(await file.readAt(5, into)).toBe(true)
    change(path)
    expect([await file.readAt(5, into), await file.readAt(5, into)]).toEqual([false, false])
    expect(told.changed).toBe(1)
    file.close()
  },
)

test('a file is lent open, and what fails while it is used says nothing about it', async () => {
  const { file, bytes, told } = await share()
  const used = await file.lend(async (descriptor) => {
    const into = Buffer.alloc(10)
    readSync(descriptor, into, 0, 10, 77)
    return into
  })
  expect(used?.equals(bytes.subarray(77, 87))).toBe(true)
  const failure = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  await expect(file.lend(() => Promise.reject(failure))).rejects.toBe(failure)
  expect(await file.readAt(0, Buffer.alloc(10))).toBe(true)
  expect(told).toEqual({ changed: 0, gone: 0 })
  file.close()
  expect(await file.lend(() => Promise.resolve(1))).toBeUndefined()
})

test('a file that is gone is lent to nobody', async () => {
  const { file, path } = await share()
  rmSync(path)
  expect(await file.lend(() => Promise.resolve(1))).toBeUndefined()
  file.close()
})
