import { expect, test } from 'vitest'
import { isRefusalCode } from '../../src/common/refusal.ts'

test('only words of the table are codes', () => {
  expect(isRefusalCode('no-such-group')).toBe(true)
  for (const text of ['', 'nope', '__proto__', 'constructor', 'toString'])
    expect(isRefusalCode(text)).toBe(false)
})
