// Pieces that are put together from files, and files that are not what they were.

import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { stampsAt } from '../../../src/client/folder/files-on-disk.ts'
import {
  decodeStamps,
  encodeStamps,
  haveSameStamp,
  pickStamps,
  type FolderStamps,
} from '../../../src/client/folder/folder-stamps.ts'
import { packSegments, readPacked } from '../../../src/client/folder/packed-segments.ts'
import { loadSmallFiles } from '../../../src/client/folder/small-files.ts'
import { atOnce } from '../../../src/client/folder/in-slices.ts'
import {
  readSegments,
  readSegmentsLater,
  type DiskSegment,
  type SegmentFault,
} from '../../../src/client/folder/read-segments.ts'
import type { TreeEntry } from '../../../src/common/tree/tree.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const paths = ['a', 'sub/b', 'sub/c']
const entries: TreeEntry[] = paths.map((path) => ({ path, kind: 'file', sizeBytes: 10, mtimeSeconds: 0 }))
const segments: DiskSegment[] = paths.map((path) => ({ path, offset: 2, length: 8 }))

function madeFolder(): { root: string; stamps: FolderStamps } {
  const root = temporaryFolder()
  mkdirSync(join(root, 'sub'))
  for (const path of paths) writeFileSync(join(root, path), path.padEnd(10, '.'))
  return { root, stamps: atOnce(stampsAt(root, entries, [])) }
}

const compiledPath = fileURLToPath(new URL('../../../dist/client/small-files.node', import.meta.url))
const compiled = loadSmallFiles(compiledPath)?.readFiles

function readInC(...[root, given, stamps, buffer]: Parameters<typeof readSegments>): SegmentFault[] {
  return readPacked(root, packSegments(given), stamps, buffer, compiled)
}

// Without a compiler the last is the first once more.
describe.each([
  ['at once', async (...given: Parameters<typeof readSegments>) => readSegments(...given)],
  ['by promises', readSegmentsLater],
  ['with one call in C', async (...given: Parameters<typeof readSegments>) => readInC(...given)],
])('read %s', (_how, read) => {
  async function readAll(
    root: string,
    stamps: FolderStamps,
  ): Promise<{ text: string; faults: SegmentFault[] }> {
    const buffer = Buffer.alloc(24)
    const faults = await read(root, segments, stamps, buffer)
    return { text: buffer.toString(), faults }
  }

  test('a piece is the bytes of its files one behind the other', async () => {
    const { root, stamps } = madeFolder()
    expect(await readAll(root, stamps)).toEqual({ text: textOf(), faults: [] })
  })

  test('a file that was written to is read, and said to have changed', async () => {
    const { root, stamps } = madeFolder()
    appendFileSync(join(root, 'sub', 'b'), 'more')
    expect(await readAll(root, stamps)).toEqual({
      text: textOf(),
      faults: [{ segment: 1, state: 'changed' }],
    })
  })

  test('one that another of its name replaced counts as changed, too', async () => {
    const { root, stamps } = madeFolder()
    writeFileSync(join(root, 'new'), 'sub/b'.padEnd(10, '.'))
    renameSync(join(root, 'new'), join(root, 'sub', 'b'))
    expect((await readAll(root, stamps)).faults).toEqual([{ segment: 1, state: 'changed' }])
  })

  test('one that is gone, shorter, or a folder is lost', async () => {
    for (const change of [
      (path: string) => rmSync(path),
      (path: string) => truncateSync(path, 9),
      (path: string) => {
        rmSync(path)
        mkdirSync(path)
      },
    ]) {
      const { root, stamps } = madeFolder()
      change(join(root, 'sub', 'c'))
      expect((await readAll(root, stamps)).faults).toEqual([{ segment: 2, state: 'lost' }])
    }
  })

  test('no link is followed, neither in the place of a file nor of a folder', async () => {
    const { root, stamps } = madeFolder()
    const secret = temporaryFolder()
    for (const name of ['b', 'c']) writeFileSync(join(secret, name), 'secret text')
    rmSync(join(root, 'a'))
    symlinkSync(join(secret, 'b'), join(root, 'a'))
    rmSync(join(root, 'sub'), { recursive: true })
    symlinkSync(secret, join(root, 'sub'))
    const { faults } = await readAll(root, stamps)
    expect(faults.toSorted((one, other) => one.segment - other.segment)).toEqual(
      [0, 1, 2].map((segment) => ({ segment, state: 'lost' })),
    )
  })
})

test.skipIf(compiled === undefined)('a folder as it was is read without a call of Node', () => {
  const { root, stamps } = madeFolder()
  const buffer = Buffer.alloc(24)
  const odd: number[] = []
  const faults = readPacked(root, packSegments(segments), stamps, buffer, (...given) => {
    odd.push(compiled?.(...given) ?? -1)
    return odd[0] ?? -1
  })
  expect({ faults, odd, text: buffer.toString() }).toEqual({ faults: [], odd: [0], text: textOf() })
})

test.skipIf(compiled === undefined)('what does not fit into the room is refused as a bug', () => {
  const { root, stamps } = madeFolder()
  const read = (given: readonly DiskSegment[], room: number): void =>
    void readPacked(root, packSegments(given), stamps, Buffer.alloc(room), compiled)
  expect(() => read(segments, 23)).toThrow(TypeError)
  expect(() => read([{ path: 'a', offset: -1, length: 1 }], 24)).toThrow(TypeError)
  expect(() => read([{ path: 'a', offset: 0, length: NaN }], 24)).toThrow(TypeError)
  expect(() => read([{ path: 'a\0b', offset: 0, length: 1 }], 24)).toThrow(TypeError)
  expect(() => read([...segments, ...segments], 48)).toThrow(TypeError)
})

function textOf(): string {
  return paths.map((path) => path.padEnd(10, '.').slice(2)).join('')
}

test('stamps are kept on disk with the spellings of names, and what is damaged counts as missing', () => {
  const { stamps } = madeFolder()
  const spellings = [['café', 'cafe\u0301']] as const
  const encoded = encodeStamps(stamps, spellings)
  expect(decodeStamps(encoded, 3)).toEqual({ stamps, spellings })
  expect(decodeStamps(encoded, 2)).toBeUndefined()
  expect(decodeStamps(Buffer.alloc(0), 0)).toBeUndefined()
  expect(decodeStamps(encoded.subarray(1), 3)).toBeUndefined()
  const damaged = Buffer.from(encoded).fill('x', 8, 10)
  expect(decodeStamps(damaged, 3)).toBeUndefined()
})

test('a file has the same stamp until it is written to, and none once it is gone', () => {
  const { root, stamps } = madeFolder()
  expect(haveSameStamp(stamps, 1, atOnce(stampsAt(root, entries, [])))).toBe(true)
  appendFileSync(join(root, 'sub', 'b'), 'more')
  rmSync(join(root, 'sub', 'c'))
  const now = atOnce(stampsAt(root, entries, []))
  expect([0, 1, 2].map((entry) => haveSameStamp(stamps, entry, now))).toEqual([true, false, false])
  expect(pickStamps(now, [2])).toEqual(new BigInt64Array(5))
  expect(
    [0, 1, 2, 3].map((at) => haveSameStamp(pickStamps(now, [1, 0, 1, 2]), at, now, [1, 0, 1, 2][at])),
  ).toEqual([true, true, true, true])
})
