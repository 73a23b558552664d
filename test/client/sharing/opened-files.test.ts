import { expect, test } from 'vitest'
import { OpenedFiles } from '../../../src/client/sharing/opened-files.ts'
import { settled } from './upload-requests.ts'

/** A reader that is behind once so many lines wait for it, and what it was told. */
class Reader {
  readonly told: string[] = []
  isClosed = false
  waitingMax = Infinity
  #waiting = 0
  #whenDrained: (() => void)[] = []
  readonly files = new OpenedFiles(this, (fileId, index) => {
    this.#waiting++
    this.told.push(`${fileId}${index}`)
  })

  get isBehind(): boolean {
    return this.#waiting > this.waitingMax
  }

  whenDrained(): Promise<void> {
    return this.#waiting === 0 || this.isClosed
      ? Promise.resolve()
      : new Promise((resolve) => this.#whenDrained.push(resolve))
  }

  /** Reads all that waits for it. */
  async read(): Promise<void> {
    this.#waiting = 0
    for (const tell of this.#whenDrained.splice(0)) tell()
    await settled()
  }
}

test('of a file that is open each new piece is told, of another none', () => {
  const { files, told } = new Reader()
  files.open('a')
  expect([files.has('a'), files.has('b')]).toEqual([true, false])
  files.onHave('a', 3, 8)
  files.onHave('a', 5, 8)
  expect(told).toEqual(['a3', 'a5'])
})

// 260,000 pieces that a downloader did not read of were 28 MiB in memory, for each such downloader.
test('to one that is behind nothing is told until it has caught up, and then what it missed, bit by bit', async () => {
  const reader = new Reader()
  const { files, told } = reader
  files.open('a')
  files.open('b')
  reader.waitingMax = 2
  for (const index of [9, 1, 8]) files.onHave('a', index, 10)
  for (const index of [4, 2, 6, 0]) files.onHave('a', index, 10)
  files.onHave('b', 7, 10)
  expect(told).toEqual(['a9', 'a1', 'a8'])
  await reader.read()
  expect(told.slice(3)).toEqual(['a0', 'a2', 'a4'])
  // Comes after what waits, and is not told twice.
  files.onHave('a', 3, 10)
  await reader.read()
  expect(told.slice(6)).toEqual(['a3', 'a6', 'b7'])
  await reader.read()
  files.onHave('b', 9, 10)
  expect(told.slice(9)).toEqual(['b9'])
})

test('whoever opens a file anew has heard of all its pieces', async () => {
  const reader = new Reader()
  reader.waitingMax = 0
  reader.files.open('a')
  for (const index of [1, 2, 3]) reader.files.onHave('a', index, 8)
  reader.files.open('a')
  await reader.read()
  expect(reader.told).toEqual(['a1'])
})

test('of a file that is closed nothing more is told, nor to one that is gone', async () => {
  const reader = new Reader()
  reader.waitingMax = 0
  reader.files.open('a')
  reader.files.open('b')
  for (const file of ['a', 'b']) for (const index of [1, 2, 3]) reader.files.onHave(file, index, 8)
  expect([reader.files.close('a'), reader.files.close('a')]).toEqual([true, false])
  reader.isClosed = true
  await reader.read()
  expect(reader.told).toEqual(['a1'])
})
