import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileFailure, PartFile } from '../../../src/client/downloading/part-file.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { pieceLength } from '../../../src/common/pieces.ts'
import { pieceOf, sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const sizeBytes = 2 * pieceBytes + 9
const bytes = sampleBytes(sizeBytes)

function partFile(folder = temporaryFolder()): PartFile {
  const part = new PartFile(join(folder, 'file'))
  onTestFinished(() => part.close())
  return part
}

/** A part file with all its pieces written. */
async function filled(): Promise<PartFile> {
  const part = partFile()
  await part.open(sizeBytes)
  for (const index of [2, 0, 1]) await part.write(index, pieceOf(bytes, index))
  return part
}

function failure(words: string): object {
  return { code: 'file', message: expect.stringContaining(words) }
}

test('until it is published there is only the part, at its full size', async () => {
  const part = partFile()
  expect(await part.open(sizeBytes)).toBe(false)
  expect(part.path).toBe(`${part.destination}.part`)
  expect(statSync(part.path).size).toBe(sizeBytes)
  expect(existsSync(part.destination)).toBe(false)
})

test('pieces written in any order and at once are the file', async () => {
  const part = partFile()
  await part.open(sizeBytes)
  await Promise.all([2, 0, 1].map((index) => part.write(index, pieceOf(bytes, index))))
  await part.publish(false)
  expect(readFileSync(part.destination).equals(bytes)).toBe(true)
  expect(existsSync(part.path)).toBe(false)
})

test('a part that was there is opened as it is', async () => {
  const first = await filled()
  await first.close()
  const again = new PartFile(first.destination)
  expect(await again.open(sizeBytes)).toBe(true)
  expect(readFileSync(again.path).equals(bytes)).toBe(true)
  await again.close()
})

test('an empty file is published too', async () => {
  const part = partFile()
  await part.open(0)
  await part.publish(false)
  expect(statSync(part.destination).size).toBe(0)
})

test('pieces can still be read right after publishing', async () => {
  const part = await filled()
  const { flushed } = await part.publish(false)
  const buffer = Buffer.alloc(pieceBytes)
  for (const index of [0, 1, 2]) {
    const length = pieceLength(sizeBytes, index)
    await part.read(index, length, buffer)
    expect(buffer.subarray(0, length).equals(pieceOf(bytes, index))).toBe(true)
  }
  await flushed
})

// Two peers may deliver the last piece: the file was published behind the first copy while the second
// was still to be written, and its stamp, taken then, was wrong a moment later: "changed on disk".
test('nothing is written to a file once it is published', async () => {
  const part = await filled()
  let written = 0
  const late = Array.from({ length: 20 }, () => part.write(0, pieceOf(bytes, 0)).then(() => written++))
  const { flushed } = await part.publish(false)
  expect(written).toBe(20)
  await Promise.all([...late, flushed])
})

test('publishing never overwrites, not even what appeared at the last moment', async () => {
  for (const inTheWay of [
    (path: string) => writeFileSync(path, 'mine'),
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync('/nowhere/at/all', path),
  ]) {
    const part = await filled()
    inTheWay(part.destination)
    const before = lstatSync(part.destination)
    await expect(part.publish(false)).rejects.toMatchObject(failure('exists now'))
    expect(lstatSync(part.destination)).toEqual(before)
    // What was fetched is still there, for another name.
    expect(readFileSync(part.path).equals(bytes)).toBe(true)
  }
})

test('publishing with overwrite takes the place of the file that is there, whole', async () => {
  const part = await filled()
  writeFileSync(part.destination, 'old')
  await part.publish(true)
  expect(readFileSync(part.destination).equals(bytes)).toBe(true)
  expect(existsSync(part.path)).toBe(false)
})

test('publishing with overwrite replaces a link, never what it leads to', async () => {
  const part = await filled()
  const elsewhere = join(temporaryFolder(), 'precious')
  writeFileSync(elsewhere, 'precious')
  symlinkSync(elsewhere, part.destination)
  await part.publish(true)
  expect(lstatSync(part.destination).isFile()).toBe(true)
  expect(readFileSync(elsewhere, 'utf8')).toBe('precious')
})

// A crash between the two steps of publishing left both names; resuming then met its own file as
// "exists now", and the download could never end.
test('a file that was published half, before a crash, is published by the next try', async () => {
  const part = await filled()
  linkSync(part.path, part.destination)
  await part.publish(false)
  expect(existsSync(part.path)).toBe(false)
  expect(readFileSync(part.destination).equals(bytes)).toBe(true)
})

test('a part that was removed or replaced under us is never published', async () => {
  const meddling: [string, (path: string) => void][] = [
    ['was removed', (path) => rmSync(path)],
    [
      'was replaced by another file',
      (path) => {
        writeFileSync(`${path}.new`, 'other')
        renameSync(`${path}.new`, path)
      },
    ],
  ]
  for (const [said, meddle] of meddling) {
    const part = await filled()
    meddle(part.path)
    await expect(part.checkInPlace()).rejects.toMatchObject(failure(said))
    await expect(part.publish(false)).rejects.toMatchObject(failure(said))
    await expect(part.publish(true)).rejects.toMatchObject(failure(said))
    expect(existsSync(part.destination)).toBe(false)
  }
})

test('a link in the place of the part is refused, and nothing is written where it leads', async () => {
  const folder = temporaryFolder()
  const precious = join(folder, 'precious')
  writeFileSync(precious, 'precious')
  const part = partFile(folder)
  for (const target of [precious, join(folder, 'not there yet')]) {
    rmSync(part.path, { force: true })
    symlinkSync(target, part.path)
    await expect(part.open(sizeBytes)).rejects.toMatchObject(failure('symbolic link'))
  }
  expect(readFileSync(precious, 'utf8')).toBe('precious')
  expect(existsSync(join(folder, 'not there yet'))).toBe(false)
})

test('a folder in the place of the part, or a missing folder around it, is a failure in words', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'file.part'))
  await expect(partFile(folder).open(sizeBytes)).rejects.toMatchObject(failure('cannot write'))
  await expect(partFile(join(folder, 'missing')).open(1)).rejects.toMatchObject(
    failure('folder does not exist'),
  )
})

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission denied'],
  ['EIO', 'as the system says it'],
])('a disk that says %s is a failure in words, with its cause', (code, words) => {
  const cause = Object.assign(new Error('as the system says it'), { code })
  const said = fileFailure('cannot write a', cause)
  expect(said).toMatchObject({ code: 'file', message: `cannot write a: ${words}`, cause })
})

test('what is closed can be neither written nor read nor published', async () => {
  const part = await filled()
  await part.close()
  await expect(part.write(0, pieceOf(bytes, 0))).rejects.toMatchObject(failure('is not open'))
  await expect(part.read(0, 1, Buffer.alloc(1))).rejects.toMatchObject(failure('is not open'))
  await expect(part.publish(false)).rejects.toMatchObject(failure('is not open'))
})

test('a removed part is gone, and may be removed again', async () => {
  const part = await filled()
  await part.remove()
  await part.remove()
  expect(existsSync(part.path)).toBe(false)
})
