import { readFileSync, writeFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

test('a write that failed while it was flushed ahead keeps the old file, and is told', async () => {
  const destination = join(temporaryFolder(), 'f.bin')
  writeFileSync(destination, 'the old version')
  const part = new PartFile(destination)
  onTestFinished(() => part.close())
  await part.open()
  await part.prepare(10)
  const probe = await open(destination)
  const datasync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'datasync')
  await probe.close()
  onTestFinished(() => datasync.mockRestore())
  datasync.mockRejectedValueOnce(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
  part.flushAhead()
  await part.settled()
  // The next one succeeds, since the system tells a failed write once.
  part.flushAhead()
  await expect(part.publish(true)).rejects.toMatchObject({ code: 'file' })
  expect(readFileSync(destination, 'utf8')).toBe('the old version')
})
