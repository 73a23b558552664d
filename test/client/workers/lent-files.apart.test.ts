// Which files of a folder that is replaced get another name, by pieces that are lent.

import {
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import type * as Fs from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { FolderWriter } from '../../../src/client/workers/folder-writer.ts'
import { LentFiles } from '../../../src/client/workers/lent-files.ts'
import { readContents } from '../../../src/client/workers/unpack.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { hashesOfPiece } from '../../../src/common/manifest.ts'
import { folderSample, foundIn, mtimeSeconds, textsOf, type Contents } from '../swarm/folder-sample.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** Whether the disk gives a file another name. */
const disk = { canLink: true }

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>()
  const linkIfPossible = (from: string, to: string): void => {
    if (!disk.canLink)
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
    fs.linkSync(from, to)
  }
  return { ...fs, linkSync: linkIfPossible }
})

beforeEach(() => {
  disk.canLink = true
})

const contents: Contents = {
  'a/one': Buffer.alloc(700, 'one'),
  'a/two': Buffer.alloc(40, 'two'),
  'b/large': Buffer.alloc(5 * pieceBytes + 77, 'large'),
  'b/whole': Buffer.alloc(pieceBytes, 'whole'),
}
const { content, manifest } = folderSample(contents)
const folder = manifest.folder ?? { files: 0, treeBytes: 0, offsets: new Float64Array() }
/** Behind the tree, which is piece 0. */
const all = { small: [1], large: [2, 3, 4, 5, 6, 7], whole: [8] }

class Old {
  readonly former = temporaryFolder()
  readonly target = join(temporaryFolder(), 'new')

  constructor() {
    mkdirSync(this.target)
    for (const path of Object.keys(contents)) this.make(path)
  }

  at(path: string): string {
    return join(this.former, path)
  }

  make(path: string, bytes = contents[path] ?? Buffer.alloc(0)): void {
    mkdirSync(dirname(this.at(path)), { recursive: true })
    writeFileSync(this.at(path), bytes)
    utimesSync(this.at(path), mtimeSeconds, mtimeSeconds)
  }

  link(lent: readonly number[]): { linked: readonly number[]; needed: readonly number[] } {
    const writer = new FolderWriter(this.target)
    onTestFinished(() => writer.close())
    const hashes = Buffer.concat(lent.map((index) => hashesOfPiece(manifest, index)))
    const tree = content.subarray(0, folder.treeBytes)
    const files = readContents({ source: -1, folder, tree })
    const places = { former: this.former, folder: writer }
    return new LentFiles(files, { pieces: Int32Array.from(lent), hashes }, places).link()
  }
}

function expectMade({ target }: Old, ...paths: readonly string[]): void {
  const made = Object.fromEntries(Object.entries(contents).filter(([path]) => paths.includes(path)))
  expect(textsOf(foundIn(target))).toEqual(textsOf(made))
}

test('all that is as it was gets another name', () => {
  const old = new Old()
  const lent = [...all.small, ...all.large, ...all.whole]
  expect(old.link(lent)).toEqual({ linked: lent, needed: [] })
  expectMade(old, ...Object.keys(contents))
  for (const path of Object.keys(contents))
    expect(lstatSync(join(old.target, path)).ino).toBe(lstatSync(old.at(path)).ino)
})

test('of a large file all pieces have to be lent', () => {
  const old = new Old()
  expect(old.link([2, 3, 5, 6, 7, 8])).toEqual({ linked: [8], needed: [2, 3, 5, 6, 7] })
  expect(old.link([3, 4, 5, 6, 7])).toEqual({ linked: [], needed: [3, 4, 5, 6, 7] })
  expectMade(old, 'b/whole')
})

test.each([
  [
    'other bytes, with the size and time that it had',
    (old: Old, path: string) => old.make(path, other(path)),
  ],
  ['another time', (old: Old, path: string) => utimesSync(old.at(path), 1, 1)],
  ['another size', (old: Old, path: string) => old.make(path, Buffer.alloc(3))],
  ['a link instead', (old: Old, path: string) => linkInstead(old.at(path))],
  ['a folder instead', (old: Old, path: string) => folderInstead(old.at(path))],
  ['nothing', (old: Old, path: string) => rmSync(old.at(path))],
])('where a file has %s, its pieces are needed, and no others', (_what, change) => {
  const lent = [...all.small, ...all.large, ...all.whole]
  for (const [path, needed] of [
    ['a/two', all.small],
    ['b/large', all.large],
    ['b/whole', all.whole],
  ] as const) {
    const old = new Old()
    change(old, path)
    expect(old.link(lent)).toEqual({ linked: lent.filter((index) => !needed.includes(index)), needed })
    expect(foundIn(old.target)).not.toHaveProperty([path])
  }
})

test('a file that has other names already gets one more', () => {
  const old = new Old()
  linkSync(old.at('b/large'), old.at('b/same'))
  expect(old.link(all.large)).toEqual({ linked: all.large, needed: [] })
})

// As on FAT.
test('where files can have no other name, small ones are written at once, and of large ones the pieces are needed', () => {
  const old = new Old()
  disk.canLink = false
  expect(old.link([...all.small, ...all.large])).toEqual({ linked: all.small, needed: all.large })
  expectMade(old, 'a/one', 'a/two')
  expect(lstatSync(join(old.target, 'a/two')).mtimeMs).toBe(mtimeSeconds * 1000)
})

function other(path: string): Buffer {
  const bytes = Buffer.from(contents[path] ?? '')
  bytes.write('X', bytes.length - 1)
  return bytes
}

function linkInstead(path: string): void {
  renameSync(path, `${path}.moved`)
  symlinkSync(`${path}.moved`, path)
}

function folderInstead(path: string): void {
  rmSync(path)
  mkdirSync(path)
}
