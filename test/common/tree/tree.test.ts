// Trees of folders: what goes in comes out, and nothing that others send leads outside or takes much memory.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pathBytesMax, treeFilesMax } from '../../../src/common/limits.ts'
import { comparePaths, pathProblem } from '../../../src/common/tree/paths.ts'
import { encodeTree, parseTree, readTree, type TreeEntry } from '../../../src/common/tree/tree.ts'
import { ByteWriter } from '../../../src/common/tree/varint.ts'
import { anyTree } from './any-tree.ts'

const file = (path: string): TreeEntry => ({ path, kind: 'file', sizeBytes: 5, mtimeSeconds: 1_700_000_000 })

function problemOf(entries: readonly TreeEntry[]): string | undefined {
  const parsed = parseTree(encodeTree(entries))
  return 'problem' in parsed ? parsed.problem : undefined
}

test('a tree comes out as it went in, whatever is in it', () => {
  fc.assert(
    fc.property(anyTree, (entries) => {
      expect(parseTree(encodeTree(entries))).toEqual(entries)
    }),
  )
})

test('one byte that is missing, added or changed gives another tree or none, and never an exception', () => {
  fc.assert(
    fc.property(anyTree, fc.nat(), fc.integer({ min: 1, max: 255 }), (entries, place, change) => {
      const bytes = encodeTree(entries)
      const at = place % bytes.length
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ change
      for (const other of [bytes.subarray(0, at), Buffer.concat([bytes, Buffer.of(change)]), changed])
        expect(parseTree(other)).not.toEqual(entries)
    }),
  )
})

test('each tree has one spelling: what is read and written again is the same', () => {
  fc.assert(
    fc.property(anyTree, fc.nat(), fc.nat({ max: 255 }), (entries, place, byte) => {
      const bytes = encodeTree(entries)
      bytes[place % bytes.length] = byte
      const parsed = parseTree(bytes)
      if (!('problem' in parsed)) expect(encodeTree(parsed)).toEqual(bytes)
    }),
    { numRuns: 1000 },
  )
})

describe('a tree from others is refused', () => {
  test.each([
    ['../outside', '../outside is not a path within a folder'],
    ['a/../../outside', 'a/../../outside is not a path within a folder'],
    ['/etc/passwd', '/etc/passwd is not a path within a folder'],
    ['a//b', 'a//b is not a path within a folder'],
    ['a/', 'a/ is not a path within a folder'],
    ['.', '. is not a path within a folder'],
    ['a\\b', 'a\\b is not a path within a folder'],
    ['a/\u0000', 'a/\u0000 is not a path within a folder'],
    ['a/\u202egnp.exe', 'a/\u202egnp.exe is not a path within a folder'],
    // Decomposed, as a Mac spells it: another one would be taken for the same.
    ['a/u\u0308', 'a/u\u0308 is not a path within a folder'],
    [`${'a/'.repeat(64)}b`, `the path ${'a/'.repeat(30)}… has more than 64 names`],
    [`${'a/'.repeat(4096)}b`, 'a path is longer than 4096 bytes'],
    [`a/${'b'.repeat(256)}`, `a/${'b'.repeat(256)} is not a path within a folder`],
  ])('with a path like %#: %.30s', (path, problem) => {
    expect(problemOf([file(path)])).toBe(problem)
  })

  test.each([
    ['a name twice', ['a', 'a'], 'a is listed twice or out of order'],
    ['names out of order', ['b', 'a'], 'a is listed twice or out of order'],
    ['a file where a folder is', ['a', 'a/b'], 'a is a file and a folder'],
    [
      'names that some systems take for one',
      ['Read', 'read'],
      'read and Read differ in nothing but upper and lower case',
    ],
    ['folders likewise', ['A/x', 'B/y', 'a/z'], 'a and A differ in nothing but upper and lower case'],
  ])('with %s', (_what, paths, problem) => {
    expect(problemOf(paths.map(file))).toBe(problem)
  })

  test('with an empty folder that has something in it', () => {
    expect(problemOf([{ path: 'a', kind: 'folder' }, file('a/b')])).toBe('a is not empty')
  })

  test('that is short and stands for paths of gigabytes', () => {
    const writer = new ByteWriter(2 ** 26)
    writer.bytes(Buffer.from('CTT1'))
    const count = 700_000
    writer.number(count)
    const folders = `${'d'.repeat(200)}/`.repeat(19)
    for (let index = 0; index < count; index++) {
      const name = String(index).padStart(7, '0')
      writer.number(index === 0 ? 0 : folders.length)
      const rest = Buffer.from(index === 0 ? folders + name : name)
      writer.number(rest.length)
      writer.bytes(rest)
      writer.number(2)
    }
    // Spelt as it has to be but for what they share of the last name; the bound comes first or second.
    expect(parseTree(writer.done())).toMatchObject({ problem: expect.any(String) })
  })

  test('that claims more files than there may be', () => {
    const writer = new ByteWriter(100)
    writer.bytes(Buffer.from('CTT1'))
    writer.number(treeFilesMax + 1)
    expect(parseTree(writer.done())).toEqual({ problem: `it has more than ${treeFilesMax} files` })
  })
})

test('whatever bytes come, a tree or a sentence comes of them', () => {
  const anyBytes = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const parsed = parseTree(Buffer.concat([Buffer.from('CTT1'), bytes]))
      expect('problem' in parsed ? typeof parsed.problem : 'entries').not.toBe('undefined')
    }),
    { numRuns: 2000 },
  )
})

test('reading a large tree stops often, so that others have their turn', () => {
  const entries = Array.from({ length: 5000 }, (_, index) => file(`f${String(index).padStart(5, '0')}`))
  const reading = readTree(encodeTree(entries))
  let stops = 0
  for (let step = reading.next(); step.done !== true; step = reading.next()) stops++
  expect(stops).toBeGreaterThanOrEqual(9)
})

describe('a path that is about to be shared', () => {
  test('is good when each of its names could be a file', () => {
    expect(pathProblem('photos/2026/käse (1).jpg')).toBeUndefined()
  })

  test.each([
    ['a/ b', 'a/ b: " b" begins with a blank (U+0020); rename the file without it'],
    [`a/${'b'.repeat(pathBytesMax)}`, `the path a/${'b'.repeat(58)}… is longer than 4096 bytes`],
  ])('is refused as a name would be: %j', (path, problem) => {
    expect(pathProblem(path)).toBe(problem)
  })
})

test('what is in a folder comes together, before names that begin like it', () => {
  const paths = ['a.b', 'a/b', 'a', 'a/a/c', 'a-b', 'b']
  expect(paths.toSorted(comparePaths)).toEqual(['a', 'a/a/c', 'a/b', 'a-b', 'a.b', 'b'])
})
