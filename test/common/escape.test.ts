import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText } from '../../src/common/escape.ts'

test('what a terminal would obey is shown instead', () => {
  expect(escapeText('\u001b[2Jgone')).toBe('\\u{1b}[2Jgone')
  expect(escapeText('one\r\ntwo\u0000')).toBe('one\\u{d}\\u{a}two\\u{0}')
  expect(escapeText('photo\u202egpj.exe')).toBe('photo\\u{202e}gpj.exe')
})

test('every way to turn the direction of text round is shown', () => {
  for (const code of [
    0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ]) {
    expect(escapeText(String.fromCodePoint(code))).toBe(`\\u{${code.toString(16)}}`)
  }
})

test('ordinary text stays as it is', () => {
  const text = 'Grüße, "quoted" – 写真 👋 ~$*\\'
  expect(escapeText(text)).toBe(text)
})

test('no control or direction character is left in anything', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeText(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
    }),
    { numRuns: 1000 },
  )
})
