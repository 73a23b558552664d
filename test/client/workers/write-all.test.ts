import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeAll } from '../../../src/client/workers/write-all.ts'
import { sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const KiB = 1024

test.each([0, 1, 32 * KiB, 32 * KiB + 1, 512 * KiB, 100_001])(
  '%i bytes stand where they belong',
  (length) => {
    const path = join(temporaryFolder(), 'file')
    const before = sampleBytes(700 * KiB)
    writeFileSync(path, before)
    const bytes = sampleBytes(length + 1).subarray(1)
    const file = openSync(path, 'r+')
    writeAll(file, bytes, 70_000)
    closeSync(file)
    bytes.copy(before, 70_000)
    expect(readFileSync(path).equals(before)).toBe(true)
  },
)

test('without an offset, bytes are appended to what was written before', () => {
  const path = join(temporaryFolder(), 'file')
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT)
  const bytes = sampleBytes(80 * KiB)
  writeAll(file, bytes.subarray(0, 10), null)
  writeAll(file, bytes.subarray(10), null)
  closeSync(file)
  expect(readFileSync(path).equals(bytes)).toBe(true)
})
