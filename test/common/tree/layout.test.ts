// How files lie in pieces: every byte once, and a change somewhere leaves pieces elsewhere as they are.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pieceBytes, pieceCountMax } from '../../../src/common/limits.ts'
import { layOut, type Layout } from '../../../src/common/tree/layout.ts'
import type { TreeEntry, TreeFile } from '../../../src/common/tree/tree.ts'
import { anyTree } from './any-tree.ts'

const file = (path: string, sizeBytes: number): TreeFile => ({
  path,
  kind: 'file',
  sizeBytes,
  mtimeSeconds: 0,
})

function laidOut(entries: readonly TreeEntry[], treeBytes = 1000): Layout {
  const layout = layOut(entries, treeBytes)
  if (layout === undefined) throw new Error('too many pieces')
  return layout
}

test('every byte of every file lies in one piece, and no piece is too long or empty', () => {
  fc.assert(
    fc.property(anyTree, fc.integer({ min: 1, max: 2_000_000 }), (entries, treeBytes) => {
      const { treePieces, lengths, segmentsOf } = laidOut(entries, treeBytes)
      const covered = entries.map(() => 0)
      for (let index = treePieces; index < lengths.length; index++) {
        const segments = segmentsOf(index)
        expect(segments.reduce((bytes, { length }) => bytes + length, 0)).toBe(lengths[index])
        for (const { entry, offset, length } of segments) {
          expect(offset).toBe(covered[entry])
          covered[entry] = offset + length
        }
      }
      expect(covered).toEqual(entries.map((entry) => (entry.kind === 'folder' ? 0 : entry.sizeBytes)))
      for (const length of lengths) {
        expect(length).toBeGreaterThan(0)
        expect(length).toBeLessThanOrEqual(pieceBytes)
      }
      expect(lengths.subarray(0, treePieces).reduce((bytes, length) => bytes + length, 0)).toBe(treeBytes)
      expect(() => segmentsOf(treePieces - 1)).toThrow(RangeError)
      expect(() => segmentsOf(lengths.length)).toThrow(RangeError)
    }),
  )
})

test('small files share pieces and a large one begins with a piece', () => {
  const { treePieces, segmentsOf } = laidOut([file('a', 10), file('b', 2 * pieceBytes + 5), file('c', 20)])
  expect(treePieces).toBe(1)
  expect([1, 2, 3, 4].map(segmentsOf)).toEqual([
    [
      { entry: 0, offset: 0, length: 10 },
      { entry: 2, offset: 0, length: 20 },
    ],
    [{ entry: 1, offset: 0, length: pieceBytes }],
    [{ entry: 1, offset: pieceBytes, length: pieceBytes }],
    [{ entry: 1, offset: 2 * pieceBytes, length: 5 }],
  ])
})

test('a file that comes in between leaves nearly all pieces of small files as they are', () => {
  const names = Array.from({ length: 3000 }, (_, index) => `file-${String(index).padStart(5, '0')}`)
  const before = names.map((name) => file(name, 10_240))
  const after = [...before.slice(0, 100), file('file-00099-b', 777), ...before.slice(100)]
  const contents = (entries: readonly TreeFile[]): Set<string> => {
    const { treePieces, lengths, segmentsOf } = laidOut(entries)
    const pieces = Array.from({ length: lengths.length - treePieces }, (_, at) => segmentsOf(treePieces + at))
    return new Set(pieces.map((segments) => segments.map(({ entry }) => entries[entry]?.path).join()))
  }
  const [old, now] = [contents(before), contents(after)]
  const changed = [...now].filter((piece) => !old.has(piece)).length
  expect(now.size).toBeGreaterThan(60)
  // The piece that it comes into, and those up to the next place where pieces end anyway.
  expect(changed).toBeLessThanOrEqual(now.size / 10)
})

test('no piece is gathered from very many files', () => {
  const tiny = Array.from({ length: 5000 }, (_, index) => file(`t${String(index).padStart(5, '0')}`, 3))
  const { treePieces, lengths, segmentsOf } = laidOut(tiny)
  const counts = Array.from(
    { length: lengths.length - treePieces },
    (_, at) => segmentsOf(treePieces + at).length,
  )
  expect(counts).toEqual([1024, 1024, 1024, 1024, 904])
})

test('more pieces than a folder may have are refused', () => {
  const large = (2 ** 17 + 1) * pieceBytes
  expect(layOut([file('a', large), file('b', large - pieceBytes)], 1)).toBeUndefined()
  expect(layOut([file('a', (pieceCountMax - 1) * pieceBytes)], 1)?.lengths).toHaveLength(pieceCountMax)
})
