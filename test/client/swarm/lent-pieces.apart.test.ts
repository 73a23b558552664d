// A folder lends its pieces to the version that replaces it: what is the same in both is not copied.

import { chmodSync, existsSync, linkSync, lstatSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import type { PieceStore } from '../../../src/client/downloading/piece-store.ts'
import { lengthOfPiece, offsetOfPiece } from '../../../src/common/manifest.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { encodeTree, type TreeEntry } from '../../../src/common/tree/tree.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { FakeSeeder } from './fake-seeder.ts'
import { entriesOf, folderSample, foundIn, textsOf, type Contents } from './folder-sample.ts'
import { Held, makeFile, makeFiles, replacing } from './old-version.ts'
import { OneDownload } from './one-download.ts'

// Threads are those of the build.
vi.mock('../../../src/client/workers/start-worker.ts', () => ({
  startWorker: (script: URL, options: WorkerOptions) =>
    new Worker(new URL(`../../../dist/client/${basename(fileURLToPath(script))}`, import.meta.url), options),
}))

const bytesOf = (name: string, length: number): Buffer => Buffer.alloc(length, `${name} `)

/** Small ones, several in a piece, and large ones. */
const old: Contents = {
  ...Object.fromEntries(
    Array.from({ length: 30 }, (_, file) => [`src/${file}`, bytesOf(`file ${file}`, 90_000 + file)]),
  ),
  'run.sh': bytesOf('run', 600_000),
  'same.bin': bytesOf('same', 3 * pieceBytes + 77),
  'twin.bin': bytesOf('same', 3 * pieceBytes + 77),
  'grown.bin': bytesOf('grown', 2 * pieceBytes),
  'named.bin': bytesOf('named', 700_000),
  'dated.bin': bytesOf('dated', 800_000),
}
const { 'named.bin': named, ...kept } = old
const fresh: Contents = {
  ...kept,
  'src/7': bytesOf('another', 90_007),
  'grown.bin': bytesOf('grown', 2 * pieceBytes + 1000),
  'renamed.bin': named,
}
const unchanged = Object.keys(kept).filter(
  (path) =>
    !['src/7', 'grown.bin', 'dated.bin'].includes(path) && (path.endsWith('.bin') || path === 'run.sh'),
)

function laterBy(seconds: number, entry: TreeEntry): TreeEntry {
  return entry.kind === 'folder' ? entry : { ...entry, mtimeSeconds: entry.mtimeSeconds + seconds }
}

const entries = entriesOf(fresh).map((entry) => (entry.path === 'dated.bin' ? laterBy(9, entry) : entry))
const sample = folderSample(fresh, entries)

/** The old version is at the destination, and is to be replaced. */
function replacingOld(): OneDownload {
  const destination = join(temporaryFolder(), 'photos')
  makeFiles(destination, old)
  const record = replacing(destination, encodeTree(entriesOf(old)))
  return new OneDownload(0, sample, destination, undefined, record)
}

function inodeOf(one: OneDownload, path: string): number {
  return lstatSync(join(one.destination, path)).ino
}

/** What the part file takes on the disk. */
function partBytes(one: OneDownload): number {
  return lstatSync(`${one.destination}.part`).blocks * 512
}

function expectFresh(one: OneDownload): void {
  expect(textsOf(foundIn(one.destination))).toEqual(textsOf(fresh))
  for (const entry of entries)
    if (entry.kind !== 'folder')
      expect(lstatSync(join(one.destination, entry.path)).mtimeMs).toBe(entry.mtimeSeconds * 1000)
  expect(one.leftOver()).toEqual([])
}

/** The piece that begins with this text. */
function indexOf(text: string): number {
  const { content, manifest } = sample
  const begins = (index: number): boolean =>
    content.toString(
      'latin1',
      offsetOfPiece(manifest, index),
      offsetOfPiece(manifest, index) + text.length,
    ) === text
  return Array.from({ length: manifest.pieceCount }, (_, index) => index).findIndex(begins)
}

const taken = (notice: string): boolean => notice.includes(' are taken from ')

/** A download whose seeder has been asked for something, and waits. */
async function asked(): Promise<{ one: OneDownload; held: Held; seeder: FakeSeeder; store: PieceStore }> {
  const one = replacingOld()
  const held = new Held()
  const stores: PieceStore[] = []
  one.onServing = (serving) => stores.push(serving)
  const seeder = await one.seeder('ann', { piece: held.piece })
  one.start()
  await one.until('a request', () => held.isAsked)
  const [store] = stores
  if (store === undefined) throw new Error('nothing is served')
  return { one, held, seeder, store }
}

/** As a person does who is told that the old version is not replaced. */
async function moveAwayAndResume(one: OneDownload): Promise<void> {
  renameSync(one.destination, `${one.destination}.mine`)
  one.start()
  await one.untilComplete()
}

test('files that are the same get another name, and neither they nor what others have of them is fetched', async () => {
  const one = replacingOld()
  const before = new Map(unchanged.map((path) => [path, inodeOf(one, path)]))
  let partAtEnd = 0
  one.onUnpacking = () => (partAtEnd = partBytes(one))
  const seeder = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expectFresh(one)
  for (const path of unchanged) expect([path, inodeOf(one, path)]).toEqual([path, before.get(path)])
  expect(lstatSync(join(one.destination, 'run.sh')).mode & 0o111).not.toBe(0)
  // The tree, the piece with the new small file, and what was appended.
  expect(seeder.asked.length).toBeLessThanOrEqual(3)
  // Besides these only what has another name or time, and the rest of what was appended to.
  expect(partAtEnd).toBeLessThan(3 * pieceBytes + 700_000 + 800_000 + 2 * pieceBytes)
  expect(one.notices.filter((notice) => !taken(notice))).toEqual([])
})

test('what is lent is served to others, as it was hashed', async () => {
  const { one, held, store } = await asked()
  const buffer = Buffer.alloc(pieceBytes)
  expect(store.have.count).toBeGreaterThan(10)
  expect(partBytes(one)).toBeLessThan(2 * pieceBytes)
  for (let index = 0; index < one.manifest.pieceCount; index++) {
    if (!store.have.has(index)) continue
    expect((await store.read(index, buffer)).ok).toBe(true)
    const [at, length] = [offsetOfPiece(one.manifest, index), lengthOfPiece(one.manifest, index)]
    expect(buffer.subarray(0, length).equals(sample.content.subarray(at, at + length))).toBe(true)
  }
  held.release()
  await one.untilComplete()
  expectFresh(one)
})

test('a file of the old version that is overwritten meanwhile is fetched, and nothing of it comes into the new one', async () => {
  const { one, held, seeder } = await asked()
  // With the size and the time that it had: the old folder still passes for what it was.
  makeFile(join(one.destination, 'run.sh'), bytesOf('me', 600_000))
  const before = seeder.asked.length
  held.release()
  await one.untilComplete()
  expectFresh(one)
  expect(one.notices).toContain(
    `${one.destination} was changed by another program; what is missing now is fetched`,
  )
  const first = indexOf('run run')
  expect(seeder.asked.slice(before)).toEqual(expect.arrayContaining([first, first + 1]))
})

test('an old version that was changed is not replaced; when it is moved away, nothing is fetched again', async () => {
  const { one, held, seeder } = await asked()
  writeFileSync(join(one.destination, 'mine'), 'mine')
  held.release()
  await one.until('the notice', () => one.notices.some((notice) => notice.startsWith('paused: ')))
  expect(one.notices.at(-1)).toBe(
    `paused: ${one.destination} was changed, and is not replaced; move it away and type resume_download`,
  )
  const before = seeder.asked.length
  await moveAwayAndResume(one)
  expectFresh(one)
  expect(seeder.asked).toHaveLength(before)
})

test('after a pause the same is lent again, and nothing is fetched twice', async () => {
  const one = replacingOld()
  const seeder = await one.seeder('ann', {
    piece: ({ before, right, send }) => {
      if (before === 0) send(right)
    },
  })
  one.start()
  await one.until('another request', () => seeder.asked.length > 1)
  const first = seeder.asked[0] ?? -1
  await one.until('the first piece', () => one.had.includes(first))
  await one.download.pause()
  const ben = await one.seeder('ben')
  seeder.stop()
  one.start()
  await one.untilComplete()
  expectFresh(one)
  expect(ben.asked).not.toContain(first)
  expect(ben.asked.length).toBeLessThanOrEqual(2)
})

test('when somebody writes to the part file, what is lent stays', async () => {
  const { one, held, seeder } = await asked()
  writeFileSync(`${one.destination}.part`, 'meddled', { flag: 'r+' })
  held.release()
  await one.untilComplete()
  expectFresh(one)
  expect(one.notices).toContain(
    `${one.destination}.part was changed by another program; it is verified again`,
  )
  expect(seeder.asked.length).toBeLessThanOrEqual(6)
  // Each counts once, but for what was overwritten.
  expect(one.had.length - new Set(one.had).size).toBeLessThanOrEqual(1)
})

// A backup with hard links, or chmod, changes the time of the last change of a file. All was copied then.
test('a file that has got another name or mode meanwhile is not copied', async () => {
  const { one, held } = await asked()
  let partAtEnd = 0
  one.onUnpacking = () => (partAtEnd = partBytes(one))
  chmodSync(join(one.destination, 'run.sh'), 0o750)
  linkSync(join(one.destination, 'same.bin'), join(one.folder, 'backup'))
  const inode = inodeOf(one, 'same.bin')
  held.release()
  await one.untilComplete()
  expectFresh(one)
  expect(inodeOf(one, 'same.bin')).toBe(inode)
  expect(partAtEnd).toBeLessThan(7 * pieceBytes)
})

// Whoever asked then had all that was lent pass for lost.
test('what is asked for while the old version stands aside is there again when that is not replaced', async () => {
  const { one, held, seeder, store } = await asked()
  const buffer = Buffer.alloc(pieceBytes)
  writeFileSync(join(one.destination, 'mine'), 'mine')
  const answers: unknown[] = []
  one.onTreeAt = async () => {
    if (!existsSync(one.destination)) answers.push(await store.read(indexOf('run run'), buffer))
  }
  held.release()
  await one.until('the notice', () => one.notices.some((notice) => notice.startsWith('paused: ')))
  expect(answers).toEqual([
    { ok: false, refusal: { code: 'busy', sentence: 'the folder is being replaced' } },
  ])
  const before = seeder.asked.length
  await moveAwayAndResume(one)
  expectFresh(one)
  expect(seeder.asked).toHaveLength(before)
})

test('a piece that is found to be gone is offered to nobody any more, and is fetched', async () => {
  const { one, held, seeder, store } = await asked()
  const buffer = Buffer.alloc(pieceBytes)
  makeFile(join(one.destination, 'run.sh'), bytesOf('me', 600_000))
  const first = indexOf('run run')
  expect(store.have.has(first)).toBe(true)
  expect(await store.read(first, buffer)).toMatchObject({ refusal: { code: 'piece-missing' } })
  expect(store.have.has(first)).toBe(false)
  held.release()
  await one.untilComplete()
  expectFresh(one)
  expect(seeder.asked).toContain(first)
})

test('a download that ends leaves the old version as it was', async () => {
  const { one } = await asked()
  await one.download.discard()
  expect(textsOf(foundIn(one.destination))).toEqual(textsOf(old))
  expect(one.leftOver()).toEqual([])
})
