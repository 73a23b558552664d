// What a folder is found to consist of, and what is refused by name.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { atOnce } from '../../../src/client/folder/in-slices.ts'
import { scanFolder, type FolderScan, type ScanOptions } from '../../../src/client/folder/scan.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { encodeTree, parseTree } from '../../../src/common/tree/tree.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** A folder with these files in it, each with its own path as content; a path that ends in a slash is a folder. */
function folderOf(...paths: readonly string[]): string {
  const root = temporaryFolder()
  for (const path of paths) {
    if (path.endsWith('/')) mkdirSync(join(root, path), { recursive: true })
    else {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), path)
    }
  }
  return root
}

function scan(root: string, options: Partial<ScanOptions> = {}): Answer<FolderScan> {
  return atOnce(scanFolder(root, { skipSpecial: false, apart: [], ...options }))
}

function scanned(root: string, options: Partial<ScanOptions> = {}): FolderScan {
  const answer = scan(root, options)
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  return answer.value
}

function refusal(root: string, options: Partial<ScanOptions> = {}): string {
  const answer = scan(root, options)
  return answer.ok ? 'nothing is refused' : answer.refusal.sentence
}

test('files come in the order of a tree, with their sizes, times and whether they may be run', () => {
  const root = folderOf('b.txt', 'a/z', 'a.txt', 'a/b/c', 'B')
  chmodSync(join(root, 'b.txt'), 0o654)
  utimesSync(join(root, 'a.txt'), 0, 1234.9)
  utimesSync(join(root, 'B'), 0, new Date(-500))
  const { entries } = scanned(root)
  expect(entries.map(({ path }) => path)).toEqual(['B', 'a/b/c', 'a/z', 'a.txt', 'b.txt'])
  expect(entries[3]).toEqual({ path: 'a.txt', kind: 'file', sizeBytes: 5, mtimeSeconds: 1234 })
  expect(entries[0]).toMatchObject({ mtimeSeconds: -1 })
  expect(entries.map(({ kind }) => kind)).toEqual(['file', 'file', 'file', 'file', 'executable'])
  expect(parseTree(encodeTree(entries))).toEqual(entries)
})

test('empty folders are kept, and a folder may be empty itself', () => {
  expect(scanned(folderOf('a/b/c/', 'a/d')).entries.map(({ path, kind }) => [path, kind])).toEqual([
    ['a/b/c', 'folder'],
    ['a/d', 'file'],
  ])
  expect(scanned(folderOf()).entries).toEqual([])
})

test('a folder of thousands of files is looked through in many steps', () => {
  const root = folderOf(...Array.from({ length: 1000 }, (_, each) => `sub/f${each}`))
  const steps = scanFolder(root, { skipSpecial: false, apart: [] })
  let count = 0
  for (;;) {
    const step = steps.next()
    if (step.done === true) {
      expect(step.value).toMatchObject({ ok: true })
      break
    }
    count++
  }
  expect(count).toBeGreaterThan(15)
})

test('names in normal form D are shared under the usual spelling, and found on disk by their own', () => {
  const decomposed = 'cafe\u0301'
  const { entries, spellings } = scanned(folderOf(`${decomposed}/a`, 'b'))
  expect(entries.map(({ path }) => path)).toEqual(['b', 'café/a'])
  expect(spellings).toEqual([['café/a', `${decomposed}/a`]])
  expect(refusal(folderOf('cafe\u0301', 'caf\u00e9'))).toBe(
    'café is there twice, in two spellings of one name; rename one',
  )
})

test('links, pipes and sockets are refused by name, or left out and named', () => {
  const root = folderOf('a', 'sub/b')
  symlinkSync('/etc', join(root, 'sub', 'etc'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  expect(refusal(root)).toBe('pipe is a pipe, which cannot be shared; --skip-special leaves such files out')
  const { entries, skipped, skippedCount } = scanned(root, { skipSpecial: true })
  expect(entries.map(({ path }) => path)).toEqual(['a', 'sub/b'])
  expect({ skipped, skippedCount }).toEqual({ skipped: ['pipe', 'sub/etc'], skippedCount: 2 })
})

test('a folder of which everything is left out is an empty one', () => {
  const root = folderOf('sub/')
  symlinkSync('/etc', join(root, 'sub', 'etc'))
  expect(scanned(root, { skipSpecial: true }).entries).toEqual([{ path: 'sub', kind: 'folder' }])
})

test('what has to stay apart is refused with the reason, or left out, be it a file or a folder', () => {
  const root = folderOf('a.bin.part', 'b.part/x', 'c.part')
  const apart = ['a.bin.part', 'b.part'].map((path) => {
    const { dev, ino } = statSync(join(root, path))
    return [`${dev}:${ino}`, 'is being downloaded'] as const
  })
  expect(refusal(root, { apart })).toContain('a.bin.part is being downloaded')
  expect(scanned(root, { apart, skipSpecial: true }).entries.map(({ path }) => path)).toEqual(['c.part'])
})

test('names that others cannot have are refused with their path', () => {
  expect(refusal(folderOf('sub/bad\u200bname'))).toContain('sub/bad\u200bname: character 4')
  expect(refusal(folderOf('a/Read', 'a/read'))).toBe(
    'a/read and Read differ in nothing but upper and lower case; rename one',
  )
  const deep = Array.from({ length: 65 }, () => 'd').join('/')
  expect(refusal(folderOf(deep))).toContain('has more than 64 names')
  const root = folderOf()
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff])]), '')
  expect(refusal(root)).toContain('its name is not valid UTF-8')
})

test('a folder that is a link itself is followed, and those in it are not', () => {
  const root = folderOf('a')
  const place = folderOf()
  symlinkSync(root, join(place, 'link'))
  expect(scanned(join(place, 'link')).entries.map(({ path }) => path)).toEqual(['a'])
  expect(refusal(place)).toContain('link is a link')
})
