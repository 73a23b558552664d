// What is written out of a part file when some pieces are there, in any order.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readContents, Unpacker } from '../../../src/client/workers/unpack.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { folderSample, foundIn, mtimeSeconds, textsOf, type Contents } from '../swarm/folder-sample.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const bytes = (length: number, fill: string): Buffer => Buffer.alloc(length, fill)

const contents: Contents = {
  // With the next one in one piece.
  'a/one': bytes(700, 'one'),
  'a/two.sh': bytes(40, 'two'),
  'b/large': bytes(3 * pieceBytes + 77, 'large'),
  'b/whole': bytes(pieceBytes, 'whole'),
  'c/empty': bytes(0, ''),
  'd/folder': undefined,
}
/** Behind the tree, which is piece 0. */
const [smallPiece, firstLarge, wholePiece] = [1, 2, 6]

const nothing = { files: 0, treeBytes: 0, offsets: new Float64Array() }

interface Filled {
  readonly unpacker: Unpacker
  readonly target: string
}

function begun(selection?: { chosen: Uint8Array; above: number }, former?: string): Filled {
  const folder = temporaryFolder()
  const target = join(folder, 'filled')
  mkdirSync(target)
  const { content, manifest } = folderSample(contents)
  writeFileSync(join(folder, 'part'), content)
  const source = { source: openSync(join(folder, 'part'), 'r'), folder: manifest.folder ?? nothing }
  onTestFinished(() => closeSync(source.source))
  const unpacker = new Unpacker(source, readContents(source), { target, selection, former })
  onTestFinished(() => unpacker.close())
  return { unpacker, target }
}

test('small files are there with their piece, and a large one with its last one', () => {
  const { unpacker, target } = begun()
  unpacker.onPiece(smallPiece)
  expect(textsOf(foundIn(target))).toEqual(
    textsOf({ 'a/one': bytes(700, 'one'), 'a/two.sh': bytes(40, 'two') }),
  )
  for (const piece of [5, 3, firstLarge]) unpacker.onPiece(piece)
  expect(existsSync(join(target, 'b/large'))).toBe(false)
  unpacker.onPiece(4)
  expect(existsSync(join(target, 'b/large'))).toBe(true)
  expect(readFileSync(join(target, 'b/large')).equals(bytes(3 * pieceBytes + 77, 'large'))).toBe(true)
  expect(existsSync(join(target, 'b/whole'))).toBe(false)
})

test('what was written while pieces came is not written again at the end', () => {
  const { unpacker, target } = begun()
  for (const piece of [smallPiece, smallPiece, firstLarge + 2, firstLarge + 2, wholePiece])
    unpacker.onPiece(piece)
  expect(existsSync(join(target, 'b/large'))).toBe(false)
  const [one, whole] = ['a/one', 'b/whole'].map((path) => statSync(join(target, path)).ino)
  unpacker.finish()
  expect(textsOf(foundIn(target))).toEqual(textsOf(contents))
  expect(['a/one', 'b/whole'].map((path) => statSync(join(target, path)).ino)).toEqual([one, whole])
})

test('of a part only what was chosen is written, also while pieces come', () => {
  const { unpacker, target } = begun({ chosen: Uint8Array.of(0, 1, 1, 0, 0, 0), above: 0 })
  for (const piece of [smallPiece, firstLarge, wholePiece]) unpacker.onPiece(piece)
  unpacker.finish()
  expect(Object.keys(foundIn(target)).toSorted()).toEqual(['a/two.sh', 'b/large'])
})

// What is not on the disk before the old folder goes would be lost by a power failure; flushing the rest takes long.
test('what was made is named, and another name for a file that was there is not', () => {
  const former = temporaryFolder()
  mkdirSync(join(former, 'b'))
  writeFileSync(join(former, 'b/whole'), bytes(pieceBytes, 'whole'))
  utimesSync(join(former, 'b/whole'), mtimeSeconds, mtimeSeconds)
  const { unpacker, target } = begun(undefined, former)
  unpacker.onPiece(smallPiece)
  const made = ['', 'a', 'a/one', 'a/two.sh', 'b', 'b/large', 'c', 'c/empty', 'd', 'd/folder']
  expect(unpacker.finish().made?.toSorted()).toEqual(made.map((path) => join(target, path)))
  expect(statSync(join(target, 'b/whole')).nlink).toBe(2)
})
