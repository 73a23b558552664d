// Writing the files of a folder, many with one call in C and each with calls of Node: both make the same. The former is
// skipped where there is no compiler.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadSmallFiles } from '../../../src/client/folder/small-files.ts'
import { FolderWriter, type PackedFile } from '../../../src/client/workers/folder-writer.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const compiledPath = fileURLToPath(new URL('../../../dist/client/small-files.node', import.meta.url))
const compiled = loadSmallFiles(compiledPath)?.writeFiles
const isCompiled = existsSync(compiledPath)

const content = Buffer.from('one;two;three;')
const files: readonly PackedFile[] = [
  { path: 'a/one', offset: 0, length: 4, isExecutable: false, mtimeSeconds: 1_500_000_000 },
  { path: 'a/two', offset: 4, length: 4, isExecutable: true, mtimeSeconds: 0 },
  { path: 'a/b/c/three', offset: 8, length: 6, isExecutable: false, mtimeSeconds: -5 },
  { path: 'ä ö', offset: 0, length: 14, isExecutable: false, mtimeSeconds: 1 },
]

function inside(folder: string): object {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return paths.map((path) => {
    const stats = lstatSync(join(folder, path))
    if (!stats.isFile()) return [path]
    const text = readFileSync(join(folder, path), 'utf8')
    return [path, text, stats.mtimeMs / 1000, (stats.mode & 0o111) !== 0]
  })
}

const wanted = [
  ['a'],
  ['a/b'],
  ['a/b/c'],
  ['a/b/c/three', 'three;', -5, false],
  ['a/one', 'one;', 1_500_000_000, false],
  ['a/two', 'two;', 0, true],
  ['ä ö', 'one;two;three;', 1, false],
]

describe.each([
  ['with one call in C', isCompiled, compiled],
  ['with calls of Node', true, undefined],
])('%s', (_name, isThere, writeFiles) => {
  function writerOf(folder: string, above = 0): FolderWriter {
    const writer = new FolderWriter(folder, above, writeFiles)
    onTestFinished(() => writer.close())
    return writer
  }

  test.skipIf(!isThere)('files get their bytes, their times and whether they may be run', () => {
    const folder = temporaryFolder()
    writerOf(folder).files(files, content)
    expect(inside(folder)).toEqual(wanted)
  })

  test.skipIf(!isThere)('what is above a part of a folder is left out', () => {
    const folder = temporaryFolder()
    writerOf(folder, 'a/'.length).files(files.slice(0, 3), content)
    expect(inside(folder)).toEqual(
      [['b'], ['b/c'], ['b/c/three', 'three;', -5, false]].concat([
        ['one', 'one;', 1_500_000_000, false],
        ['two', 'two;', 0, true],
      ]),
    )
  })

  test.skipIf(!isThere)('a file that somebody has put there is named, and stays as it is', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a', 'two'), 'mine')
    expect(() => writerOf(folder).files(files, content)).toThrow(
      `cannot write ${join(folder, 'a', 'two')}: somebody has put something there`,
    )
    expect(readFileSync(join(folder, 'a', 'two'), 'utf8')).toBe('mine')
    expect(readFileSync(join(folder, 'a', 'one'), 'utf8')).toBe('one;')
  })

  test.skipIf(!isThere).each([[3], [12, 17], [3, 12]])(
    'of many the first that cannot be made is named: %i',
    (...taken) => {
      const folder = temporaryFolder()
      for (const file of taken) writeFileSync(join(folder, `f${file}`), 'mine')
      const many = Array.from({ length: 20 }, (_, file) => ({ ...files[0], path: `f${file}` }) as PackedFile)
      expect(() => writerOf(folder).files(many, content)).toThrow(
        `cannot write ${join(folder, `f${taken[0]}`)}: `,
      )
      expect(readFileSync(join(folder, 'f0'), 'utf8')).toBe('one;')
    },
  )

  test.skipIf(!isThere)('no link that somebody has put there is followed', () => {
    const [outside, folder] = [temporaryFolder(), temporaryFolder()]
    mkdirSync(join(folder, 'a'))
    symlinkSync(join(outside, 'two'), join(folder, 'a', 'two'))
    expect(() => writerOf(folder).files(files, content)).toThrow('somebody has put something there')
    const linked = temporaryFolder()
    symlinkSync(outside, join(linked, 'a'))
    expect(() => writerOf(linked).files(files, content)).toThrow('somebody has put')
    expect(readdirSync(outside)).toEqual([])
  })
})

test.skipIf(!isCompiled)(
  'bytes behind the content, and names that lead elsewhere, are refused as a bug',
  () => {
    const folder = temporaryFolder()
    const write = (file: Partial<PackedFile>): void => {
      const writer = new FolderWriter(folder, 0, compiled)
      onTestFinished(() => writer.close())
      writer.files(
        [{ path: 'f', offset: 0, length: 4, isExecutable: false, mtimeSeconds: 0, ...file }],
        content,
      )
    }
    expect(() => write({ offset: 11 })).toThrow(TypeError)
    expect(() => write({ offset: -1 })).toThrow(TypeError)
    expect(() => write({ length: NaN })).toThrow(TypeError)
    expect(() => write({ path: 'f\0g' })).toThrow(TypeError)
    const names = Buffer.from('../f\0')
    expect(() => compiled?.(0, names, new Float64Array(4), content, new Int32Array(1))).toThrow(TypeError)
    expect(readdirSync(folder)).toEqual([])
  },
)

test('compiled functions that are not there are undefined', () => {
  expect(loadSmallFiles('./nothing.node')).toBeUndefined()
})
