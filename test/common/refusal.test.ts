import { expect, test } from 'vitest'
import {
  accept,
  isRefusalCode,
  refusalCode,
  refusalNumber,
  refuse,
  type RefusalCode,
} from '../../src/common/refusal.ts'

/** Every number that could be in the table: JSON-RPC's own, and ours, counted from 1. */
const codes = [...Array.from({ length: 1000 }, (_, index) => index), -32_700, -32_600, -32_601, -32_602]
  .map(refusalCode)
  .filter((code, index, all) => code !== 'unavailable' || all.indexOf(code) === index)

test('every code has a number of its own that leads back to it', () => {
  const own = new Set<RefusalCode>(codes)
  expect(own.size).toBeGreaterThan(30)
  expect(new Set([...own].map(refusalNumber)).size).toBe(own.size)
  for (const code of own) expect(refusalCode(refusalNumber(code))).toBe(code)
})

test('an unknown number counts as unavailable', () => {
  for (const number of [0, 999, -1, Number.NaN, 1.5]) expect(refusalCode(number)).toBe('unavailable')
})

test('only words of the table are codes', () => {
  expect(isRefusalCode('no-such-group')).toBe(true)
  for (const text of ['', 'nope', '__proto__', 'constructor', 'toString'])
    expect(isRefusalCode(text)).toBe(false)
})

test('an answer is a value or a refusal', () => {
  expect(accept(5)).toEqual({ ok: true, value: 5 })
  expect(refuse('busy', 'later')).toEqual({ ok: false, refusal: { code: 'busy', sentence: 'later' } })
})
