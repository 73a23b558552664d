import { closeSync, openSync, writeSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PieceReader } from '../../../src/client/transfer/piece-reader.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const text = 'some bytes of a file'

async function sample(): Promise<FileHandle> {
  const path = join(temporaryFolder(), 'file')
  const file = openSync(path, 'w')
  writeSync(file, text)
  closeSync(file)
  const handle = await open(path)
  onTestFinished(() => handle.close())
  return handle
}

/** A reader whose reads take, by its clock, as long as this says, and come from a disk or from memory. */
function readerTaking(tookMs: () => number, isFromDisk = true): PieceReader {
  let nowMs = 0
  let isEnd = false
  let diskReads = 0
  return new PieceReader(
    () => {
      if (isEnd) nowMs += tookMs()
      isEnd = !isEnd
      return nowMs
    },
    () => (isFromDisk ? diskReads++ : diskReads),
  )
}

/** Reads until the next read is one at once; how many that were. */
async function readsInThreads(reader: PieceReader, file: FileHandle): Promise<number> {
  let count = 0
  while (!reader.readsAtOnce) {
    await reader.read(file, Buffer.alloc(4), 4, 0)
    count++
  }
  return count
}

test('both ways of reading give the bytes that were asked for, and how many there were', async () => {
  const file = await sample()
  const reader = readerTaking(() => 0.1)
  const inThread = vi.spyOn(file, 'read')
  for (let round = 0; round < 20; round++) {
    const buffer = Buffer.alloc(8)
    expect(await reader.read(file, buffer, 5, 5)).toBe(5)
    expect(buffer.toString()).toBe('bytes\0\0\0')
    expect(await reader.read(file, buffer, 8, text.length - 4)).toBe(4)
    expect(await reader.read(file, buffer, 8, 1000)).toBe(0)
  }
  expect(inThread).toHaveBeenCalledTimes(16)
})

test('as long as reads are fast, all but the first are done at once', async () => {
  const file = await sample()
  const reader = readerTaking(() => 0.1)
  expect(await readsInThreads(reader, file)).toBe(16)
  for (let n = 0; n < 100; n++) {
    expect(reader.readsAtOnce).toBe(true)
    await reader.read(file, Buffer.alloc(4), 4, 0)
  }
})

test('a disk that is slow every time is tried ever more seldom', async () => {
  const file = await sample()
  const reader = readerTaking(() => 10)
  const threaded: number[] = []
  for (let n = 0; n < 12; n++) {
    threaded.push(await readsInThreads(reader, file))
    await reader.read(file, Buffer.alloc(4), 4, 0)
  }
  expect(threaded).toEqual([16, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096])
})

test('one slow read among many fast ones is soon forgotten', async () => {
  const file = await sample()
  let nextMs = 0.1
  const reader = readerTaking(() => nextMs)
  const threaded: number[] = []
  for (let n = 0; n < 5; n++) {
    threaded.push(await readsInThreads(reader, file))
    for (let fast = 0; fast < 20; fast++) await reader.read(file, Buffer.alloc(4), 4, 0)
    nextMs = 10
    await reader.read(file, Buffer.alloc(4), 4, 0)
    nextMs = 0.1
  }
  expect(threaded).toEqual([16, 16, 16, 16, 16])
})

// On busy cores the threads of others often ran in the middle of a copy. It then took for a slow disk what
// was none, and handed nearly every piece to a thread, which costs two changes of threads a piece more.
test('a read that took long because others had the processor does not count as slow', async () => {
  const file = await sample()
  const reader = readerTaking(() => 10, false)
  expect(await readsInThreads(reader, file)).toBe(16)
  for (let n = 0; n < 100; n++) {
    expect(reader.readsAtOnce).toBe(true)
    await reader.read(file, Buffer.alloc(4), 4, 0)
  }
})

test('a read that took very long is slow, whatever the system counts', async () => {
  const file = await sample()
  const reader = readerTaking(() => 25, false)
  await readsInThreads(reader, file)
  await reader.read(file, Buffer.alloc(4), 4, 0)
  expect(reader.readsAtOnce).toBe(false)
})

test('what the system refuses is its error, in both ways', async () => {
  const reader = readerTaking(() => 0.1)
  const file = await open(join(temporaryFolder(), 'file'), 'w')
  onTestFinished(() => file.close())
  for (let n = 0; n < 17; n++)
    await expect(reader.read(file, Buffer.alloc(4), 4, 0)).rejects.toMatchObject({ code: 'EBADF' })
  expect(reader.readsAtOnce).toBe(true)
})
