import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { journalOf, ProgressJournal } from '../../../src/client/storage/progress-journal.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const fileId = 'ab'.repeat(32)
const pieceCount = 1000

function journal(path = join(temporaryFolder(), 'journal')): { path: string; journal: ProgressJournal } {
  return { path, journal: new ProgressJournal(path, fileId) }
}

/** A journal on disk that claims these pieces. */
async function written(pieces: readonly number[]): Promise<{ path: string; journal: ProgressJournal }> {
  const made = journal()
  await made.journal.begin([])
  for (const index of pieces) await made.journal.add(index)
  await made.journal.close()
  return made
}

test('what was added is claimed after a restart', async () => {
  const { path } = await written([3, 1, 999, 0])
  expect(new ProgressJournal(path, fileId).read(pieceCount)).toEqual(new Set([0, 1, 3, 999]))
})

test('what was known at the start and what came later are claimed alike', async () => {
  const { path, journal: first } = journal()
  await first.begin([5, 6])
  await first.add(7)
  // Not closed: a program that is killed closes nothing.
  expect(new ProgressJournal(path, fileId).read(pieceCount)).toEqual(new Set([5, 6, 7]))
  await first.close()
})

test('any set of pieces comes back as it was', async () => {
  const { path, journal: kept } = journal()
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(pieceCount - 1)),
      fc.uniqueArray(fc.nat(pieceCount - 1)),
      async (known, added) => {
        await kept.begin(known)
        await Promise.all(added.map((index) => kept.add(index)))
        await kept.close()
        expect(new ProgressJournal(path, fileId).read(pieceCount)).toEqual(new Set([...known, ...added]))
      },
    ),
    { numRuns: 50 },
  )
})

test('a journal cut off anywhere claims a prefix of what was added, or nothing can be said', async () => {
  const pieces = [10, 20, 30]
  const size = readFileSync((await written(pieces)).path).length
  for (let cut = 0; cut < size; cut++) {
    const { path, journal: torn } = await written(pieces)
    truncateSync(path, cut)
    const whole = Math.floor((cut - 36) / 4)
    expect(torn.read(pieceCount)).toEqual(cut < 36 ? undefined : new Set(pieces.slice(0, whole)))
  }
})

test.each<[string, (path: string) => void]>([
  ['empty', (path) => writeFileSync(path, '')],
  ['junk', (path) => writeFileSync(path, Buffer.alloc(500, 'junk'))],
  ['of an older version', (path) => writeFileSync(path, readFileSync(path).fill('CTJ0', 0, 4))],
  ['of another file', (path) => writeFileSync(path, readFileSync(path).fill(0xcd, 4, 36))],
  ['naming a piece that the file does not have', (path) => appendFileSync(path, Buffer.from([0, 0, 3, 232]))],
])('a journal that is %s says nothing, rather than something wrong', async (_, damage) => {
  const { path, journal: damaged } = await written([1, 2, 3])
  damage(path)
  expect(damaged.read(pieceCount)).toBeUndefined()
})

test('a journal that is not there says nothing', async () => {
  expect(journal().journal.read(pieceCount)).toBeUndefined()
})

test('a journal that cannot be read says nothing', () => {
  const { path, journal: unreadable } = journal()
  mkdirSync(path)
  expect(unreadable.read(pieceCount)).toBeUndefined()
})

/** From now on the disk takes nothing, as far as open files can tell. */
async function fillDisk(): Promise<void> {
  const file = await open(join(temporaryFolder(), 'any'), 'w')
  const files = Object.getPrototypeOf(file) as FileHandle
  await file.close()
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const write = vi.spyOn(files, 'writeFile').mockRejectedValue(full)
  onTestFinished(() => write.mockRestore())
}

// The disk of the journals is most often the disk of the downloads. A full one was thrown as it came,
// which is no failure but a bug: it ended the program, where the download should have paused.
test('a journal that cannot be written is a failure that says why', async () => {
  const { path, journal: full } = journal()
  await fillDisk()
  const failure = {
    code: 'file',
    message: `cannot save the progress of a download in ${path}: the disk is full`,
  }
  await expect(full.begin([])).rejects.toMatchObject(failure)
  await expect(full.add(1)).rejects.toMatchObject(failure)
  await expect(full.add(2)).rejects.toMatchObject(failure)
  await full.close()
  const { path: folder, journal: misplaced } = journal()
  mkdirSync(folder)
  await expect(misplaced.begin([])).rejects.toMatchObject({ code: 'file' })
})

test('a journal begins anew over whatever was there', async () => {
  const { path, journal: again } = await written([1, 2, 3])
  writeFileSync(path, Buffer.alloc(500, 'junk'))
  await again.begin([9])
  await again.close()
  expect(again.read(pieceCount)).toEqual(new Set([9]))
})

test('nothing is written after closing or removing', async () => {
  const { path, journal: closed } = await written([1])
  await closed.add(2)
  expect(closed.read(pieceCount)).toEqual(new Set([1]))
  await closed.remove()
  await closed.add(3)
  await closed.remove()
  expect(existsSync(path)).toBe(false)
})

test('downloads of different files, or to different places, have journals of their own', async () => {
  const folder = temporaryFolder()
  const places: [string, string][] = [
    ['/a/file', fileId],
    ['/b/file', fileId],
    ['/a/file', 'cd'.repeat(32)],
  ]
  for (const [index, [destination, id]] of places.entries()) {
    const kept = journalOf(folder, destination, id)
    await kept.begin([index])
    await kept.close()
  }
  const read = places.map(([destination, id]) => journalOf(folder, destination, id).read(pieceCount))
  expect(read).toEqual([new Set([0]), new Set([1]), new Set([2])])
})

test('a journal that cannot be closed is a failure that names it and its cause', async () => {
  const { path, journal: kept } = journal()
  await kept.begin([])
  // Closed behind its back, as by a disk that is gone: closing it again says EBADF.
  await kept.lend(async (file) => closeSync(file))
  await expect(kept.close()).rejects.toMatchObject({
    code: 'file',
    message: expect.stringContaining(path),
    cause: { code: 'EBADF' },
  })
})
