// Of a folder only a part is fetched: the pieces that hold it, and those of the tree.

import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { encodeTree } from '../../../src/common/tree/tree.ts'
import { entriesOf, folderSample, foundIn, mtimeSeconds, textsOf, type Contents } from './folder-sample.ts'
import { OneDownload } from './one-download.ts'

const bytes = (length: number, fill: string): Buffer => Buffer.alloc(length, fill)

const contents: Contents = {
  'readme.txt': bytes(700, 'read me '),
  'bin/run.sh': bytes(40, 'exit 0\n'),
  'photos/one.jpg': bytes(pieceBytes + 77, 'one'),
  'photos/two.jpg': bytes(2 * pieceBytes, 'two'),
  'photos/note': bytes(3, 'a'),
  'photos/empty': undefined,
  nothing: bytes(0, ''),
}
/** Piece 0 is the tree, 1 has the small files, 2 and 3 one.jpg, 4 and 5 two.jpg. */
const sample = folderSample(contents)
const texts = textsOf(contents)

function oneOf(within: string, overwrite = false): OneDownload {
  return new OneDownload(0, sample, undefined, new HashPool(), { within, overwrite })
}

/** Returns which pieces the peer was asked for, in order. */
async function fetched(one: OneDownload): Promise<number[]> {
  const ann = await one.seeder('ann')
  one.start()
  await one.untilComplete()
  return ann.asked.toSorted((a, b) => a - b)
}

test.each([
  ['photos/one.jpg', [0, 2, 3]],
  ['bin/run.sh', [0, 1]],
  ['nothing', [0]],
])('the file %s comes as a file, with nothing but its pieces', async (within, pieces) => {
  const one = oneOf(within)
  expect(await fetched(one)).toEqual(pieces)
  expect(readFileSync(one.destination, 'latin1')).toBe(texts[within])
  const { mtimeMs, mode } = statSync(one.destination)
  expect([mtimeMs, mode & 0o100]).toEqual([mtimeSeconds * 1000, within.endsWith('.sh') ? 0o100 : 0])
  expect(one.leftOver()).toEqual([])
  expect(one.download.view()).toMatchObject({
    name: `file.bin/${within}`,
    sizeBytes: contents[within]?.length,
    pieceCount: pieces.length,
    piecesDone: pieces.length,
  })
})

test.each([
  [
    'photos',
    [0, 1, 2, 3, 4, 5],
    {
      'one.jpg': contents['photos/one.jpg'],
      'two.jpg': contents['photos/two.jpg'],
      note: contents['photos/note'],
      empty: undefined,
    },
  ],
  ['photos/t*', [0, 4, 5], { 'two.jpg': contents['photos/two.jpg'] }],
  ['photos/empty', [0], {}],
  [
    '**/*o*',
    [0, 1, 2, 3, 4, 5],
    {
      'photos/one.jpg': contents['photos/one.jpg'],
      'photos/two.jpg': contents['photos/two.jpg'],
      'photos/note': contents['photos/note'],
      nothing: contents['nothing'],
    },
  ],
])('%s comes as a folder, without what is above', async (within, pieces, expected) => {
  const one = oneOf(within)
  expect(await fetched(one)).toEqual(pieces)
  expect(textsOf(foundIn(one.destination))).toEqual(textsOf(expected))
  expect(one.leftOver()).toEqual([])
})

test('with the tree at hand, it is not fetched', async () => {
  const one = oneOf('photos/one.jpg')
  const manifests = new ManifestStore(one.folder)
  await manifests.save(one.manifest)
  await manifests.saveTree(one.manifest.fileId, encodeTree(entriesOf(contents)))
  expect(await fetched(one)).toEqual([2, 3])
  expect(readFileSync(one.destination, 'latin1')).toBe(texts['photos/one.jpg'])
})

test('what is not in the folder fails for good, with nothing but the tree fetched', async () => {
  const one = oneOf('photos/three.jpg')
  const ann = await one.seeder('ann')
  one.start()
  await one.until('the failure', () => one.notices.length > 0)
  await one.download.settled()
  expect(one.notices).toEqual(['failed: there is nothing like photos/three.jpg in file.bin'])
  expect([one.download.state, ann.asked]).toEqual(['failed', [0]])
})

test('after a pause it goes on with what it had', async () => {
  const one = oneOf('photos')
  const ann = await one.seeder('ann', {
    piece: ({ right, send, before }) => {
      if (before < 3) send(right)
    },
  })
  one.start()
  await one.until('three pieces', () => one.had.length >= 3)
  await one.download.pause()
  const had = new Set(one.had)
  ann.stop()
  const ben = await one.seeder('ben')
  one.start()
  await one.untilComplete()
  expect(ben.asked.filter((index) => had.has(index))).toEqual([])
  expect(textsOf(foundIn(one.destination))['two.jpg']).toBe(texts['photos/two.jpg'])
})

describe('one file', () => {
  test('replaces a file where that is wanted, whose mode it takes over', async () => {
    const one = oneOf('bin/run.sh', true)
    writeFileSync(one.destination, 'old')
    chmodSync(one.destination, 0o640)
    await fetched(one)
    expect(readFileSync(one.destination, 'latin1')).toBe(texts['bin/run.sh'])
    expect(statSync(one.destination).mode & 0o777).toBe(0o640)
    expect(one.leftOver()).toEqual([])
  })

  test('does not replace one that appears meanwhile, and takes its place when that is gone', async () => {
    const one = oneOf('photos/one.jpg')
    one.onUnpacking = () => writeFileSync(one.destination, 'mine')
    await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    expect(one.notices[0]).toContain('exists by now')
    await one.download.settled()
    expect(readFileSync(one.destination, 'utf8')).toBe('mine')
    one.onUnpacking = () => undefined
    await one.download.discard()
    expect(readdirSync(one.folder).toSorted()).toEqual(['file.bin', 'journals', 'manifests'])
  })

  test('that had its name at a kill is known by it, and nothing is fetched again', async () => {
    const one = oneOf('photos/one.jpg')
    let isFirst = true
    one.onUnpacking = () => {
      const filled = join(one.folder, 'file.bin.unpacking.part')
      if (!existsSync(join(filled, 'one.jpg'))) return
      if (isFirst) linkSync(join(filled, 'one.jpg'), one.destination)
      isFirst = false
      throw Object.assign(new Error('killed'), { code: 'EIO' })
    }
    const ann = await one.seeder('ann')
    one.start()
    await one.until('the notice', () => one.notices.length > 0)
    await one.download.settled()
    const asked = ann.asked.length
    expect(one.notices[0]).toContain('paused')
    one.download.record = { ...one.download.record, part: one.partId }
    one.start()
    await one.untilComplete()
    expect([readFileSync(one.destination, 'latin1'), ann.asked.length]).toEqual([
      texts['photos/one.jpg'],
      asked,
    ])
    expect(statSync(one.destination).nlink).toBe(1)
    expect(one.leftOver()).toEqual([])
  })
})

test('nothing is written over a folder that is there', async () => {
  const one = oneOf('photos')
  one.onUnpacking = () => mkdirSync(one.destination, { recursive: true })
  writeFileSync(join(one.folder, 'mine'), 'mine')
  await one.seeder('ann')
  one.start()
  await one.until('the notice', () => one.notices.length > 0)
  expect(one.notices[0]).toContain('exists by now')
  expect(readdirSync(one.destination)).toEqual([])
})

test('what it has of the folder is served while it runs', async () => {
  const one = oneOf('photos/one.jpg')
  const served: boolean[] = []
  one.onServing = (store) => {
    one.onHave = async (index) => {
      const buffer = Buffer.alloc(pieceBytes)
      served.push((await store.read(index, buffer)).ok)
    }
  }
  await fetched(one)
  expect(served).toEqual([true, true, true])
})

test('of its pieces those are taken from elsewhere that are there', async () => {
  const one = oneOf('photos/t*')
  mkdirSync(join(one.folder, 'old'))
  writeFileSync(join(one.folder, 'old', 'b'), contents['photos/two.jpg'] ?? '')
  writeFileSync(join(one.folder, 'old', 'c'), contents['photos/one.jpg'] ?? '')
  one.download.record = { ...one.download.record, from: join(one.folder, 'old') }
  expect(await fetched(one)).toEqual([0])
  expect(textsOf(foundIn(one.destination))).toEqual({ 'two.jpg': texts['photos/two.jpg'] })
})
