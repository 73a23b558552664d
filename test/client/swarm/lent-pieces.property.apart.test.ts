// Any folder is replaced by any next version of it, while somebody meddles with the old one: what is at the destination in
// the end is the new version, byte by byte, or the old one with what was done to it. Seeds are in the names of the tests.

import {
  copyFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { encodeTree } from '../../../src/common/tree/tree.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { entriesOf, folderSample, foundIn, textsOf } from './folder-sample.ts'
import { Held, makeFile, makeFiles, replacing } from './old-version.ts'
import { OneDownload } from './one-download.ts'

// Threads are those of the build.
vi.mock('../../../src/client/workers/start-worker.ts', () => ({
  startWorker: (script: URL, options: WorkerOptions) =>
    new Worker(new URL(`../../../dist/client/${basename(fileURLToPath(script))}`, import.meta.url), options),
}))

type Files = Record<string, Buffer>
type Int = (below: number) => number

const folders = ['', 'd/', 'd/e/', 'z/']

function anyBytes(int: Int): Buffer {
  const kind = int(8)
  const large = kind < 7 ? pieceBytes + int(3 * pieceBytes) : pieceBytes * (1 + int(2))
  const length = kind === 0 ? 0 : kind < 5 ? int(90_000) : large
  // Some are the same in several files, some pieces of a file are the same.
  return Buffer.alloc(length, ['twin ', '\0', `one of ${int(1e6)} `][int(3)])
}

function anyFiles(int: Int): Files {
  const files: Files = { 'big.bin': Buffer.alloc(5 * pieceBytes + 3, `big ${int(1e6)} `) }
  for (let file = 0, count = 10 + int(30); file < count; file++)
    files[`${folders[int(folders.length)]}${file}${int(4) === 0 ? '.sh' : ''}`] = anyBytes(int)
  return files
}

/** Some are changed, removed, renamed, longer, elsewhere too, or folders now. */
function nextOf(old: Files, int: Int): Files {
  const next: Files = { ...old, new: Buffer.alloc(3000, `new ${int(1e6)} `) }
  for (const [path, bytes] of Object.entries(old)) {
    const what = int(12)
    if (what < 3) delete next[path]
    if (what === 1) next[`${path}x`] = bytes
    if (what === 2) next[`${path}/inner`] = bytes
    if (what === 3) next[path] = anyBytes(int)
    if (what === 4) next[path] = Buffer.concat([bytes, Buffer.from('more')])
    if (what === 5) next[`also ${path.replaceAll('/', ' ')}`] = bytes
  }
  return next
}

/** Returns whether somebody's work is in the old version now, which so has to stay. */
function meddle(destination: string, old: Files, int: Int): boolean {
  let mustStay = false
  for (const [path, bytes] of Object.entries(old)) {
    const at = join(destination, path)
    const what = int(10)
    if (int(10) > 0 || !existsSync(at)) continue
    if (what === 0) chmodSync(at, lstatSync(at).mode & 0o777)
    if (what === 1) linkSync(at, `${destination} link ${path.replaceAll('/', ' ')}`)
    if (what === 2) makeFile(at, Buffer.alloc(bytes.length, 'evil'))
    if (what === 3) {
      copyFileSync(at, `${destination} copy`)
      rmSync(at)
      makeFile(at, bytes)
    }
    if (what > 3) mustStay = true
    if (what === 4 || what === 5) rmSync(at)
    if (what === 5) symlinkSync('/', at)
    if (what > 5) writeFileSync(at, Buffer.alloc(bytes.length + 1, 'mine'))
  }
  return mustStay
}

const first = Number(process.env['COTERIE_SEED'] ?? Date.now() % 1_000_000)
const seeds = Array.from({ length: 10 }, (_, at) => first + at)

test.each(seeds)('from seed %s', { timeout: 30_000 }, async (seed) => {
  const random = seededRandom(seed)
  const int: Int = (below) => Math.floor(random() * below)
  const old = anyFiles(int)
  const next = nextOf(old, int)
  const later = new Set(Object.keys(next).filter(() => int(12) === 0))
  const entries = entriesOf(next).map((entry) =>
    later.has(entry.path) && entry.kind !== 'folder'
      ? { ...entry, mtimeSeconds: entry.mtimeSeconds + 5 }
      : entry,
  )
  const destination = join(temporaryFolder(), 'photos')
  makeFiles(destination, old)
  const record = replacing(destination, encodeTree(entriesOf(old)))
  const one = new OneDownload(0, folderSample(next, entries), destination, undefined, record)
  const held = new Held()
  await one.seeder('ann', { piece: held.piece })
  one.start()
  await one.until('a request', () => held.isAsked)
  let mustStay = false
  const when = int(3)
  if (when === 0) mustStay = meddle(destination, old, int)
  let fillings = 0
  one.onUnpacking = () => {
    if (++fillings === when) mustStay = meddle(destination, old, int)
  }
  held.release()
  const isPaused = (): boolean => one.notices.some((notice) => notice.startsWith('paused: '))
  await one.until('the end', () => one.download.state === 'complete' || isPaused())
  expect(isPaused()).toBe(mustStay)
  if (mustStay) {
    renameSync(destination, `${destination}.mine`)
    one.start()
    await one.untilComplete()
  }
  expect(textsOf(foundIn(destination))).toEqual(textsOf(next))
  for (const entry of entries) {
    if (entry.kind === 'folder') continue
    const { mtimeMs, mode } = lstatSync(join(destination, entry.path))
    expect([entry.path, mtimeMs, (mode & 0o111) !== 0]).toEqual([
      entry.path,
      entry.mtimeSeconds * 1000,
      entry.kind === 'executable',
    ])
  }
  expect(one.leftOver()).toEqual([])
})
