// Which entries of a folder are meant by a path or pattern, and which pieces hold them.

import { expect, test } from 'vitest'
import { atOnce } from '../../../src/client/folder/in-slices.ts'
import { piecesOf, select } from '../../../src/client/folder/selection.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { layOut } from '../../../src/common/tree/layout.ts'
import { entriesOf } from '../swarm/folder-sample.ts'

const entries = entriesOf({
  '*.txt': Buffer.alloc(1),
  'a.txt': Buffer.alloc(10),
  'b.txt': Buffer.alloc(20),
  'empty/folder': undefined,
  'photos/.hidden.jpg': Buffer.alloc(5),
  'photos/one.jpg': Buffer.alloc(pieceBytes),
  'photos/old/two.jpg': Buffer.alloc(3 * pieceBytes + 1),
  'photos and more/x': Buffer.alloc(7),
})

/** The paths that are chosen, as they would be written, or why none are. */
function chosenBy(within: string): string[] | string {
  const selected = atOnce(select(entries, within, 'f'))
  if (!selected.ok) return selected.refusal.sentence
  const { chosen, above } = selected.value
  return entries.filter((_, index) => chosen[index] === 1).map(({ path }) => path.slice(above))
}

test.each([
  ['a file', 'photos/one.jpg', ['one.jpg']],
  ['all below a folder', 'photos', ['.hidden.jpg', 'old/two.jpg', 'one.jpg']],
  ['an empty folder', 'empty/folder', ['']],
  ['a folder of an empty folder', 'empty', ['folder']],
  ['a pattern, which does not reach into folders', '*.jpg', 'there is nothing like *.jpg in f'],
  ['a pattern in a folder', 'photos/*.jpg', ['.hidden.jpg', 'one.jpg']],
  ['a pattern through folders', '**/*.jpg', ['photos/.hidden.jpg', 'photos/old/two.jpg', 'photos/one.jpg']],
  ['choices', '{a,b}.txt', ['a.txt', 'b.txt']],
  ['a folder by a pattern', 'photo?/old/**', ['photos/old/two.jpg']],
  ['the very name, though it is a pattern too', '*.txt', ['*.txt']],
  ['nothing', 'photos/three.jpg', 'there is nothing like photos/three.jpg in f'],
  ['half a name', 'phot', 'there is nothing like phot in f'],
  ['what is no pattern', 'a[', 'the pattern a[ lacks a closing bracket'],
])('%s is chosen by its path or pattern', (_what, within, expected) => {
  expect(chosenBy(within)).toEqual(expected)
})

test('how much is chosen is said, and whether it is one file', () => {
  expect(atOnce(select(entries, 'a.txt', 'f'))).toMatchObject({
    value: { isFile: true, count: 1, sizeBytes: 10 },
  })
  expect(atOnce(select(entries, 'photos/on?.jpg', 'f'))).toMatchObject({
    value: { isFile: false, count: 1, sizeBytes: pieceBytes },
  })
  expect(atOnce(select(entries, '**', 'f'))).toMatchObject({
    value: { isFile: false, count: entries.length, sizeBytes: 4 * pieceBytes + 44 },
  })
})

test('the pieces of the tree and of the chosen files are wanted, and no others', () => {
  const layout = layOut(entries, 2 * pieceBytes - 3)
  const piecesFor = (within: string): number[] => {
    const selected = atOnce(select(entries, within, 'f'))
    if (layout === undefined || !selected.ok) throw new Error('nothing is chosen')
    const pieces = atOnce(piecesOf(selected.value, layout))
    return Array.from({ length: pieces.length }, (_, index) => index).filter((index) => pieces.has(index))
  }
  // Two of the tree, one of small files, four of the first large one, one of the other.
  expect(piecesFor('**')).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(piecesFor('b.txt')).toEqual([0, 1, 2])
  expect(piecesFor('photos/old')).toEqual([0, 1, 3, 4, 5, 6])
  expect(piecesFor('photos/one.jpg')).toEqual([0, 1, 7])
  expect(piecesFor('empty')).toEqual([0, 1])
})
