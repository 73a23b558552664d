import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { JournaledFile } from '../../../src/client/storage/journaled-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** Longer than what is always replaced. */
const long = 'x'.repeat(100_000)
const whole = { long }

interface Place {
  readonly file: JournaledFile
  readonly path: string
  readonly journal: string
  /** What the next run of the program finds. */
  readonly found: () => ReturnType<JournaledFile['load']>
}

function place(): Place {
  const folder = temporaryFolder()
  const path = join(folder, 'one.json')
  const found = (): ReturnType<JournaledFile['load']> => new JournaledFile(path).load()
  return { file: closedAtEnd(new JournaledFile(path)), path, journal: join(folder, 'one.journal'), found }
}

function closedAtEnd(file: JournaledFile): JournaledFile {
  onTestFinished(() => file.close(() => ({})))
  return file
}

/** A large file with these changes in its journal. */
async function journaled(...changes: readonly object[]): Promise<Place> {
  const at = place()
  await at.file.save([], () => whole)
  for (const change of changes) await at.file.save([change], () => whole)
  return at
}

test('there is nothing before the first save', async () => {
  const { file, found } = place()
  expect(await found()).toBeUndefined()
  await file.close(() => ({}))
  expect(await found()).toBeUndefined()
})

test('a small file is replaced with each save, and has no journal', async () => {
  const { file, path, journal, found } = place()
  for (const of of [1, 2, 3]) await file.save([{ of }], () => ({ of }))
  expect(await found()).toEqual({ whole: { of: 3 }, changes: [] })
  expect(readFileSync(path, 'utf8')).toBe('{\n "of": 3\n}\n')
  expect(existsSync(journal)).toBe(false)
})

test('changes of a large one are appended, those of a save together', async () => {
  const { file, path, found } = await journaled({ of: 'é\n' })
  const before = readFileSync(path)
  await file.save([{ of: 2 }, { of: 3 }], () => whole)
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(await found()).toMatchObject({ whole, changes: [{ of: 'é\n' }, { of: 2 }, { of: 3 }] })
})

test('thousands of changes write each a few times, not all of it each time', async () => {
  const { file, path, journal } = await journaled()
  let written = 0
  let wholes = 0
  const all: object[] = []
  for (let of = 0; of < 400; of++) {
    const change = { of, text: 'y'.repeat(800) }
    all.push(change)
    const { ino } = statSync(path)
    await file.save([change], () => ({ long, all }))
    if (statSync(path).ino === ino) written += 830
    else {
      wholes++
      written += statSync(path).size
    }
  }
  expect(wholes).toBeLessThanOrEqual(4)
  expect(written).toBeLessThan(5 * statSync(path).size)
  expect(statSync(journal).size).toBeLessThanOrEqual(statSync(path).size)
})

test('wherever a crash cuts the journal off, all saves before are found', async () => {
  const { journal, found } = await journaled({ of: 1 }, { of: 2 }, { of: 3 })
  const text = readFileSync(journal, 'utf8')
  for (let length = text.length; length >= 0; length--) {
    writeFileSync(journal, text.slice(0, length))
    const lines = text.slice(0, length).split('\n').length - 1
    const changes = [1, 2, 3].slice(0, Math.max(0, lines - 1)).map((of) => ({ of }))
    expect(await found()).toMatchObject({ whole, changes })
  }
  rmSync(journal)
  expect(await found()).toMatchObject({ whole, changes: [] })
})

test('a last line that is as long but was not written whole is not found', async () => {
  const { journal, found } = await journaled({ of: 1 }, { of: 2 })
  writeFileSync(journal, readFileSync(journal, 'utf8').replace('{"of":2}', '\0\0\0\0\0\0\0\0'))
  expect(await found()).toMatchObject({ changes: [{ of: 1 }] })
})

test('a line in the middle that is not as it was written is damage', async () => {
  const { journal, found } = await journaled({ of: 1 }, { of: 2 })
  writeFileSync(journal, readFileSync(journal, 'utf8').replace('{"of":1}', '{"of":7}'))
  await expect(found()).rejects.toThrow('a line of its journal is damaged')
})

test('a file that another version of the program has replaced has no journal', async () => {
  const { path, found } = await journaled({ of: 1 })
  writeFileSync(path, JSON.stringify({ long: 'other' }))
  expect(await found()).toEqual({ whole: { long: 'other' }, changes: [] })
})

test('a journal of an earlier time counts for nothing', async () => {
  const { path, journal, found } = await journaled({ of: 1 })
  const earlier = readFileSync(journal)
  const next = closedAtEnd(new JournaledFile(path))
  await next.load()
  await next.save([{ of: 2 }], () => ({ long, of: 2 }))
  expect(readFileSync(journal).equals(earlier)).toBe(true)
  expect(await found()).toMatchObject({ whole: { of: 2 }, changes: [] })
})

test('after a save that failed, the next one saves all', async () => {
  const { file, journal, found } = place()
  await file.save([], () => whole)
  mkdirSync(journal)
  await expect(file.save([{ of: 1 }], () => whole)).rejects.toThrow(
    expect.objectContaining({ code: 'EISDIR' }),
  )
  rmSync(journal, { recursive: true })
  await file.save([{ of: 2 }], () => ({ long, of: 2 }))
  expect(await found()).toMatchObject({ whole: { of: 2 }, changes: [] })
})

test('when it is closed there is one file, which has all', async () => {
  const { path, journal, file, found } = await journaled({ of: 1 })
  await file.close(() => ({ long, of: 1 }))
  expect(existsSync(journal)).toBe(false)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ long, of: 1 })
  await file.save([{ of: 2 }], () => ({ long, of: 2 }))
  expect(await found()).toMatchObject({ whole: { of: 2 }, changes: [] })
})
