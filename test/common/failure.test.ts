// What the system says, in a person's words.

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { describe, expect, test } from 'vitest'
import { systemError } from '../../src/client/workers/system-error.ts'
import { sentenceOf, systemCode } from '../../src/common/failure.ts'

// A full quota was called "E122", or "Unknown system error -122", and nobody was told what to do about it.
describe.each([
  ['EDQUOT', 'the disk quota is used up'],
  ['ESTALE', 'the network disk no longer has it'],
] as const)('%s, for which libuv has no name,', (name, words) => {
  const errno = -constants.errno[name]

  test('is known by it, from a thread', () => {
    expect(getSystemErrorMap().has(errno)).toBe(false)
    expect(systemCode(systemError(errno, 'write'))).toBe(name)
    expect(sentenceOf(systemError(errno, 'write'))).toBe(words)
  })

  test("is known by it, from a call of Node's", () => {
    const code = `Unknown system error ${errno}`
    const error = Object.assign(new Error(`${code}: ${code}, write`), { errno, code, syscall: 'write' })
    expect(systemCode(error)).toBe(name)
    expect(sentenceOf(error)).toBe(words)
  })
})
