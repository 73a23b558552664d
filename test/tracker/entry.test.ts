// What is read from a log is looked at before it is applied.

import { expect, test } from 'vitest'
import { encodeEntry, parseEntry } from '../../src/tracker/entry.ts'

const command = { kind: 'join_group', id: 'i', by: 'ann', group: 'g' } as const
const envelope = { v: 1, origin: 'o', number: 3, atMs: 5, from: '10.0.0.1', command }

test('an entry comes back with its envelope, and one of version 0.1 with what it has', () => {
  const { v: _v, ...entry } = envelope
  expect(parseEntry(1, encodeEntry(entry))).toEqual(entry)
  expect(parseEntry(1, JSON.stringify({ origin: 'o', number: 3, command }))).toEqual({
    origin: 'o',
    number: 3,
    atMs: 0,
    from: undefined,
    command,
  })
})

test.each([
  ['of a newer envelope', { ...envelope, v: 2 }],
  ['of a kind that nobody knows here', { ...envelope, command: { kind: 'from the future' } }],
])('an entry %s says that it is of a newer version', (_what, entry) => {
  expect(() => parseEntry(7, JSON.stringify(entry))).toThrow(
    'entry 7 of the log is from a newer version of the tracker; update this one',
  )
})

test.each([
  ['with the right kind and no fields', { ...envelope, command: { kind: 'share_file' } }],
  ['with a field of another type', { ...envelope, command: { ...command, group: 5 } }],
  [
    'with a size that is none',
    { ...envelope, command: { ...command, kind: 'share_file', name: 'f', fileId: 'f', sizeBytes: -1 } },
  ],
  [
    'with credentials that are none',
    { ...envelope, command: { kind: 'register', id: 'i', user: 'u', credentials: {} } },
  ],
  ['with a quota that nobody knows', { ...envelope, command: { kind: 'set_quota', quota: 'x', value: 1 } }],
  ['without a command', { ...envelope, command: null }],
  ['without an origin', { ...envelope, origin: undefined }],
  ['with a time that is none', { ...envelope, atMs: 'noon' }],
])('an entry %s is refused with what to do', (_what, entry) => {
  expect(() => parseEntry(7, JSON.stringify(entry))).toThrow(
    'entry 7 of the log was not written by a tracker; restore a copy of the log, and let only trackers write to it',
  )
})

test.each(['', 'x', '5', 'null', '[]'])('the text %j is damaged', (text) => {
  expect(() => parseEntry(7, text)).toThrow(/entry 7 of the log (is damaged|was not written by a tracker)/)
})
