// Numbers in front of nouns.

import { expect, test } from 'vitest'
import { counted } from '../../src/common/counted.ts'

test('one thing is named in the singular, none and several in the plural', () => {
  expect(counted(1, 'file')).toBe('1 file')
  expect(counted(0, 'file')).toBe('0 files')
  expect(counted(2, 'file')).toBe('2 files')
  expect(counted(21, 'file')).toBe('21 files')
})

test('what does not take an s brings its plural', () => {
  expect(counted(1, 'entry', 'entries')).toBe('1 entry')
  expect(counted(2, 'entry', 'entries')).toBe('2 entries')
  expect(counted(1, 'user fetches', 'users fetch')).toBe('1 user fetches')
  expect(counted(2, 'user fetches', 'users fetch')).toBe('2 users fetch')
})
