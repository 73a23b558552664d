import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { fileNameBytesMax } from '../../src/common/limits.ts'
import { FileName, fileNameProblem, GroupName, plainNameProblem, UserName } from '../../src/common/names.ts'

test.each([
  '1.png',
  '-rf',
  '--help',
  'two words.txt',
  'it\'s "quoted".txt',
  'Übergrößenträger.txt',
  '写真.jpg',
  '...',
  '.hidden',
  '~',
  '$HOME',
  '*',
  'a'.repeat(fileNameBytesMax),
  '__proto__',
  // A family, a heart with its variation selector, a flag, a skin tone.
  '👨‍👩‍👧‍👦.png',
  '❤️.png',
  '🇩🇪.png',
  '👋🏽.png',
  // Persian with a zero-width non-joiner, Hindi with a joiner behind a virama.
  'می‌خواهم.txt',
  'क्‍ष.txt',
  // 69 Chinese characters.
  '字'.repeat(69),
])('%j can be the name of a file', (name) => {
  expect(fileNameProblem(name)).toBeUndefined()
  expect(v.is(FileName, name)).toBe(true)
})

test.each([
  ['', 'a file needs a name'],
  ['.', '. names a folder'],
  ['..', '.. names a folder'],
  ['../etc', 'character 3 of "../etc" is a path separator'],
  ['a/b', 'a path separator'],
  ['a\\b', 'a path separator'],
  ['a\u0000b', 'a control character (U+0000)'],
  ['a\nb', 'a control character (U+000A)'],
  ['\u001b[31m', 'a control character'],
  ['a\u202egpj.exe', 'changes the direction of text (U+202E)'],
  ['a\u200bb', 'invisible (U+200B, zero-width space)'],
  ['\ufeffa', 'invisible (U+FEFF, byte order mark)'],
  ['a\u0085b', 'a control character'],
  ['u\u0308ber', 'normal form C'],
  ['\ud800', 'half of a character'],
  ['a'.repeat(fileNameBytesMax + 1), 'at most 255 bytes in UTF-8, and this one has 256'],
  ['ü'.repeat(128), 'at most 255 bytes'],
])('%j cannot be the name of a file', (name, why) => {
  expect(fileNameProblem(name)).toContain(why)
  expect(v.is(FileName, name)).toBe(false)
})

// They were accepted, and two names looked alike.
test.each([
  ['a soft hyphen', 'so\u00adft.txt'],
  ['a tag', 'a\u{e0061}.txt'],
  ['a Hangul filler', 'a\u3164.txt'],
  ['a variation selector behind a letter', 'a\ufe0f.txt'],
  ['a joiner between Latin letters', 'a\u200db.txt'],
  ['a non-joiner at the end of a word', 'می\u200c.txt'],
  ['a blank in front', ' a.txt'],
  ['a blank behind', 'a.txt\u3000'],
])('a name with %s is refused, and says what to do', (_what, name) => {
  expect(fileNameProblem(name)).toMatch(/; rename the file without it$/)
})

test('names of earlier versions can still be read, and not be shared anew', () => {
  for (const name of [' leading and trailing ', 'so\u00adft.txt']) {
    expect(fileNameProblem(name)).toBeDefined()
    expect(v.is(FileName, name)).toBe(true)
  }
})

test('whatever name is accepted is one harmless component of a path', () => {
  const tricky = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '\u0000',
    '\n',
    '\u202e',
    '\u2066',
    '\u200b',
    '\u009b',
    'é',
    'e\u0301',
  )
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(tricky, fc.string()), { maxLength: 4 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(name, (text) => {
      if (fileNameProblem(text) !== undefined) return
      expect(text.trim()).toBe(text)
      expect(text).not.toMatch(/[/\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u)
      expect(['', '.', '..']).not.toContain(text)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(fileNameBytesMax)
      // What is written to disk and read back is the same name.
      expect(Buffer.from(text).toString()).toBe(text)
      expect(text.normalize('NFC')).toBe(text)
    }),
    { numRuns: 1000 },
  )
})

test.each(['abc', 'A', '0', 'a.b-c_d', 'x'.repeat(32)])('%j can be a user and a group', (name) => {
  expect(plainNameProblem('user', name)).toBeUndefined()
  expect(v.is(UserName, name) && v.is(GroupName, name)).toBe(true)
})

test.each(['', '-a', '.a', '_a', 'a b', 'ä', 'a/b', 'x'.repeat(33), 'a\n', '__proto__'])(
  '%j can be neither user nor group',
  (name) => {
    expect(plainNameProblem('user', name)).toMatch(/^a user name has 1 to 32 letters/)
    expect(plainNameProblem('group', name)).toMatch(/^a group name has/)
    expect(v.is(UserName, name) || v.is(GroupName, name)).toBe(false)
  },
)
