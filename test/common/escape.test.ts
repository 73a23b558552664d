import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText } from '../../src/common/escape.ts'

test('what a terminal would obey is shown instead', () => {
  expect(escapeText('\u001b[2Jgone')).toBe('\\u{1b}[2Jgone')
  expect(escapeText('one\r\ntwo\u0000')).toBe('one\\u{d}\\u{a}two\\u{0}')
  expect(escapeText('photo\u202egpj.exe')).toBe('photo\\u{202e}gpj.exe')
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
