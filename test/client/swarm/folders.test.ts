// A folder is fetched as a whole: all of it appears under its name at once, and nothing anywhere else.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { idOf } from '../../../src/client/downloading/part-file.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { encodeTree, type TreeEntry } from '../../../src/common/tree/tree.ts'
import { entriesOf, folderSample, foundIn, mtimeSeconds, textsOf, type Contents } from './folder-sample.ts'
import { OneDownload } from './one-download.ts'

const bytes = (length: number, fill: string): Buffer => Buffer.alloc(length, fill)

const contents: Contents = {
  'readme.txt': bytes(700, 'read me '),
  'bin/run.sh': bytes(40, 'exit 0\n'),
  'photos/one.jpg': bytes(pieceBytes + 77, 'one'),
  'photos/two.jpg': bytes(2 * pieceBytes, 'two'),
  'photos/note': bytes(3, 'a'),
  nothing: bytes(0, ''),
  'later/inside': undefined,
}

const texts = textsOf(contents)

async function fetched(one: OneDownload): Promise<void> {
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
}

test('all files arrive with their bytes, times and whether they may be run, empty folders too', async () => {
  const one = new OneDownload(0, folderSample(contents))
  await fetched(one)
  expect(textsOf(foundIn(one.destination))).toEqual(texts)
  expect(statSync(join(one.destination, 'readme.txt')).mtimeMs).toBe(mtimeSeconds * 1000)
  const modeOf = (path: string): number =>
    statSync(join(one.destination, path)).mode & 0o777 & ~process.umask()
  expect(modeOf('bin/run.sh') & 0o100).toBe(0o100)
  expect(modeOf('readme.txt') & 0o111).toBe(0)
  expect(statSync(one.destination).mode & 0o777).toBe(0o777 & ~process.umask())
  expect(one.leftOver()).toEqual([])
})

test('until all is there nothing has its name', async () => {
  const one = new OneDownload(0, folderSample(contents))
  let seen: boolean | undefined
  one.onHave = () => (seen ??= existsSync(one.destination))
  one.onUnpacking = () => expect(existsSync(one.destination)).toBe(false)
  await fetched(one)
  expect(seen).toBe(false)
})

test('a folder without anything in it is one', async () => {
  const one = new OneDownload(0, folderSample({}))
  await fetched(one)
  expect(readdirSync(one.destination)).toEqual([])
})

describe('what others put in the way', () => {
  test('is not replaced where the folder shall be', async () => {
    const one = new OneDownload(0, folderSample(contents))
    one.onUnpacking = () => {
      mkdirSync(one.destination)
      writeFileSync(join(one.destination, 'mine'), 'mine')
    }
    await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    expect(one.notices).toEqual([
      `paused: ${one.destination} exists by now, and was not overwritten; move it away and type resume_download, or cancel_download`,
    ])
    expect(textsOf(foundIn(one.destination))).toEqual({ mine: 'mine' })
    rmSync(one.destination, { recursive: true })
    one.onUnpacking = () => undefined
    one.start()
    await one.untilComplete()
    expect(textsOf(foundIn(one.destination))).toEqual(texts)
    expect(one.leftOver()).toEqual([])
  })

  test('is not followed where it is filled: a link that somebody puts there leads nothing outside', async () => {
    const one = new OneDownload(0, folderSample(contents))
    const outside = join(one.folder, 'outside')
    mkdirSync(outside)
    one.onUnpacking = () => symlinkSync(outside, join(one.folder, 'file.bin.unpacking.part', 'photos'))
    await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    expect(one.notices[0]).toContain('photos: somebody has put')
    expect(readdirSync(outside)).toEqual([])
    expect(existsSync(one.destination)).toBe(false)
    // What it made itself it removes.
    one.onUnpacking = () => undefined
    one.start()
    await one.untilComplete()
    expect(lstatSync(join(one.destination, 'photos')).isDirectory()).toBe(true)
    expect([textsOf(foundIn(one.destination)), readdirSync(outside)]).toEqual([texts, []])
  })

  test('stays where it would be filled, and is named', async () => {
    const one = new OneDownload(0, folderSample(contents))
    const inTheWay = join(one.folder, 'file.bin.unpacking.part')
    mkdirSync(inTheWay)
    writeFileSync(join(inTheWay, 'mine'), 'mine')
    await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    expect(one.notices).toEqual([`paused: ${inTheWay} is in the way; move it away`])
    expect(readdirSync(inTheWay)).toEqual(['mine'])
  })
})

test('cancelling takes away what was fetched and what was filled', async () => {
  const one = new OneDownload(0, folderSample(contents))
  one.onUnpacking = () => mkdirSync(one.destination)
  await one.seeder('ann')
  one.start()
  await one.until('the notice', () => one.notices.length > 0)
  await one.download.discard()
  expect(one.leftOver()).toEqual([])
})

// The old folder once stayed aside under the name of a part, and nothing was at the destination.
test('cancelling after a kill in the middle of a swap gives the old folder its name again', async () => {
  const one = new OneDownload(0, folderSample(contents))
  const [aside, filled] = ['replaced', 'unpacking'].map((what) => `${one.destination}.${what}.part`) as [
    string,
    string,
  ]
  for (const path of [aside, filled]) mkdirSync(path)
  writeFileSync(join(aside, 'mine'), 'mine')
  const replaces = { id: idOf(lstatSync(aside)), tree: 'as it was' }
  one.download.record = { ...one.download.record, unpacked: idOf(lstatSync(filled)), replaces }
  await one.download.discard()
  expect(textsOf(foundIn(one.destination))).toEqual({ mine: 'mine' })
  expect(one.leftOver()).toEqual([])
})

describe('a sharer who lies about what is in it', () => {
  const safe = entriesOf(contents)
  const renamed = (from: string, to: string): TreeEntry[] =>
    safe.map((entry) => (entry.path === from ? { ...entry, path: to } : entry))

  test.each([
    [
      'leads outside',
      renamed('bin/run.sh', '../outside'),
      'it cannot be fetched: ../outside is not a path within a folder',
    ],
    [
      'has absolute paths',
      renamed('bin/run.sh', '/tmp/x.sh'),
      'it cannot be fetched: /tmp/x.sh is not a path within a folder',
    ],
    [
      'has other files than its pieces',
      safe.filter(({ path }) => path !== 'photos/note'),
      'it cannot be fetched: the list of its files is not that of its pieces',
    ],
  ])('and %s is stopped before its files are fetched', async (_what, entries, problem) => {
    const one = new OneDownload(0, folderSample(contents, safe, encodeTree(entries)))
    await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    expect(one.notices).toEqual([`paused: ${problem}`])
    expect(readdirSync(one.folder).filter((name) => name !== 'journals')).toEqual([
      'file.bin.part',
      'manifests',
    ])
  })
})
