import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatRate, formatSpeed, parseRate } from '../../src/common/rates.ts'

describe('rates', () => {
  test.each([
    ['512K', 524_288],
    ['4M', 4_194_304],
    ['4m', 4_194_304],
    ['1G', 1_073_741_824],
    ['1.5K', 1536],
    ['100', 100],
    ['4MB', 4_194_304],
    ['4MiB/s', 4_194_304],
    ['none', undefined],
  ])('%s is read as %s bytes', (text, bytes) => {
    expect(parseRate(text)).toEqual({ ok: true, value: bytes })
  })

  test.each([
    '',
    'K',
    '-1',
    '4T',
    '4 M',
    '1e9',
    '0x10',
    '4MX',
    '4M/',
    'None!',
    '.5M',
    '0',
    '0.1',
    '99999999G',
  ])('%j is refused', (text) =>
    expect(parseRate(text)).toMatchObject({ ok: false, refusal: { code: 'usage' } }),
  )

  test('a formatted rate is read as the same rate', () => {
    const rate = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined })
    fc.assert(
      fc.property(rate, (bytes) => {
        expect(parseRate(formatRate(bytes))).toEqual({ ok: true, value: bytes })
      }),
    )
    expect([524_288, 1_073_741_824, 1000].map(formatRate)).toEqual(['512K', '1G', '1000'])
  })

  test('a speed is rounded to be read', () => {
    expect([0, 700, 1024 * 300, 1024 * 1024 * 3.25, 1024 ** 3 * 2].map(formatSpeed)).toEqual([
      '0 KiB/s',
      '1 KiB/s',
      '300 KiB/s',
      '3.3 MiB/s',
      '2.0 GiB/s',
    ])
  })
})
