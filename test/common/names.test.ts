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
  ' leading and trailing ',
  'it\'s "quoted".txt',
  'Übergrößenträger.txt',
  '写真.jpg',
  '👩‍👩.png'.replaceAll('\u200d', ''),
  '...',
  '.hidden',
  '~',
  '$HOME',
  '*',
  'a'.repeat(fileNameBytesMax),
  '__proto__',
])('%j can be the name of a file', (name) => {
  expect(fileNameProblem(name)).toBeUndefined()
  expect(v.is(FileName, name)).toBe(true)
})

test.each([
  ['', 'a file needs a name'],
  ['.', 'a file needs a name'],
  ['..', 'a file needs a name'],
  ['../etc', 'separators'],
  ['a/b', 'separators'],
  ['a\\b', 'separators'],
  ['a\u0000b', 'control or invisible'],
  ['a\nb', 'control or invisible'],
  ['\u001b[31m', 'control or invisible'],
  ['a\u202egpj.exe', 'control or invisible'],
  ['a\u200bb', 'control or invisible'],
  ['\ufeffa', 'control or invisible'],
  ['a\u0085b', 'control or invisible'],
  ['u\u0308ber', 'normal form C'],
  ['\ud800', 'valid Unicode'],
  ['a'.repeat(fileNameBytesMax + 1), 'at most 200 bytes'],
  ['ü'.repeat(101), 'at most 200 bytes'],
])('%j cannot be the name of a file', (name, why) => {
  expect(fileNameProblem(name)).toContain(why)
  expect(v.is(FileName, name)).toBe(false)
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
