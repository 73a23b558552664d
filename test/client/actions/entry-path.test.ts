import { expect, test } from 'vitest'
import { entryPathOf, spellingOf } from '../../../src/client/actions/entry-path.ts'

test.each([
  ['photos', 'photos', undefined],
  ['photos/', 'photos', undefined],
  ['photos/old/one.jpg', 'photos', 'old/one.jpg'],
  ['photos/old//', 'photos', 'old'],
  ['photos/**/*.jpg', 'photos', '**/*.jpg'],
  ['ka\u0308se/ka\u0308se', 'k\u00E4se', 'k\u00E4se'],
])('%s is an entry, and a part of it', (typed, name, within) => {
  expect(entryPathOf(typed)).toEqual({ ok: true, value: { name, within } })
})

test.each([
  '',
  '/',
  '/etc/passwd',
  '../x',
  'photos/../x',
  'photos//x',
  'photos/./x',
  `photos/${'x'.repeat(5000)}`,
])('%s names nothing that can be shared', (typed) => {
  expect(entryPathOf(typed)).toMatchObject({ ok: false, refusal: { code: 'bad-name' } })
})

test('a download is named without the slash at its end', () => {
  expect(['photos/', 'photos/old/', 'one.jpg', '/'].map(spellingOf)).toEqual([
    'photos',
    'photos/old',
    'one.jpg',
    '/',
  ])
})
