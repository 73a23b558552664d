import { readFileSync, writeFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi, type MockInstance } from 'vitest'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** All handles have it from one prototype. */
async function spyOnDatasync(path: string): Promise<MockInstance<FileHandle['datasync']>> {
  const probe = await open(path)
  const datasync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'datasync')
  await probe.close()
  onTestFinished(() => datasync.mockRestore())
  return datasync
}

/** The part file, of so many bytes, of what replaces another file; closed after the test. */
async function replacing(sizeBytes: number): Promise<{
  part: PartFile
  destination: string
  datasync: MockInstance<FileHandle['datasync']>
}> {
  const destination = join(temporaryFolder(), 'f.bin')
  writeFileSync(destination, 'the old version')
  const part = new PartFile(destination)
  onTestFinished(() => part.close())
  await part.open()
  await part.prepare(sizeBytes)
  return { part, destination, datasync: await spyOnDatasync(destination) }
}

test('a write that failed while it was flushed ahead keeps the old file, and is told', async () => {
  const { part, destination, datasync } = await replacing(10)
  datasync.mockRejectedValueOnce(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
  part.flushAhead()
  await part.settled()
  // The next one succeeds, since the system tells a failed write once.
  part.flushAhead()
  await expect(part.publish(true)).rejects.toMatchObject({ code: 'file' })
  expect(readFileSync(destination, 'utf8')).toBe('the old version')
})

test('what is written since the last flush reaches the disk while others are waited for, also during that flush', async () => {
  const { part, destination, datasync } = await replacing(3)
  const ends: (() => void)[] = []
  datasync.mockImplementation(() => new Promise((resolve) => ends.push(resolve)))
  part.flushAhead()
  await vi.waitFor(() => expect(ends).toHaveLength(1))
  await part.write(0, Buffer.from('new'))
  // One at a time.
  part.flushAhead()
  const published = part.publish(true)
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await vi.waitFor(() => expect(ends).toHaveLength(2))
  part.flushAhead()
  ends[1]?.()
  await published
  expect(ends).toHaveLength(2)
  expect(readFileSync(destination, 'utf8')).toBe('new')
})
