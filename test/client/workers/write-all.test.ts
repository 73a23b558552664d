import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loadCompiled } from '../../../src/common/compiled-file.ts'
import { loadWriteParts, writeAll, writePartsHere } from '../../../src/client/workers/write-all.ts'
import { sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const KiB = 1024

// The gate builds before it tests.
const compiledPath = fileURLToPath(new URL('../../../dist/client/write-parts.node', import.meta.url))
const compiled = loadWriteParts(compiledPath)

describe.each([
  ['by the compiled function', compiled],
  ['by Node', writePartsHere],
])('%s', (_by, write) => {
  test.skipIf(write === undefined).each([0, 1, 32 * KiB, 32 * KiB + 1, 512 * KiB, 100_001])(
    '%i bytes stand where they belong',
    (length) => {
      const path = join(temporaryFolder(), 'file')
      const before = sampleBytes(700 * KiB)
      writeFileSync(path, before)
      const bytes = sampleBytes(length + 1).subarray(1)
      const file = openSync(path, 'r+')
      write?.(file, bytes, 70_000)
      closeSync(file)
      bytes.copy(before, 70_000)
      expect(readFileSync(path).equals(before)).toBe(true)
    },
  )

  test.skipIf(write === undefined)('a file that cannot be written to is an error of the system', () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, 'as it was')
    const file = openSync(path, 'r')
    const bytes = sampleBytes(40 * KiB)
    const refused = { code: 'EBADF', errno: -9, syscall: 'write' }
    expect(() => write?.(file, bytes, 0)).toThrow(expect.objectContaining(refused))
    closeSync(file)
    expect(readFileSync(path, 'utf8')).toBe('as it was')
  })

  test.skipIf(write === undefined)('a file may be larger than four gigabytes', () => {
    const path = join(temporaryFolder(), 'file')
    const file = openSync(path, 'w+')
    const bytes = sampleBytes(40 * KiB)
    write?.(file, bytes, 5 * 2 ** 30)
    const back = Buffer.alloc(bytes.length)
    expect(readSync(file, back, 0, back.length, 5 * 2 ** 30)).toBe(back.length)
    closeSync(file)
    expect(back.equals(bytes)).toBe(true)
  })
})

test.skipIf(compiled === undefined)(
  'the compiled function refuses what is no descriptor, no bytes or no place',
  () => {
    const raw = loadCompiled<{ writeParts: (...words: unknown[]) => unknown }>(compiledPath).writeParts
    const bytes = new Uint8Array(8)
    for (const words of [
      [],
      ['1', bytes, 0, 8],
      [1, 'bytes', 0, 8],
      [1, bytes, -1, 8],
      [1, bytes, 0, 0],
      [1, new Int32Array(2), 0, 8],
    ])
      expect(() => raw?.(...words)).toThrow(TypeError)
  },
)

test('without an offset, bytes are appended to what was written before', () => {
  const path = join(temporaryFolder(), 'file')
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT)
  const bytes = sampleBytes(80 * KiB)
  writeAll(file, bytes.subarray(0, 10))
  writeAll(file, bytes.subarray(10))
  closeSync(file)
  expect(readFileSync(path).equals(bytes)).toBe(true)
})
