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

const share = { ...command, kind: 'share_file', name: 'f', fileId: '0f'.repeat(32), sizeBytes: 1 } as const

// An earlier version shared the first two. What is in normal form C, as the last one is not, depends on Node.
test.each(['so\u00adft.png', 'end\u3000', '\u4e00'.repeat(85), 'a\u030a'])(
  'a share under the name %j, which some version could take, is read',
  (name) => {
    const entry = { ...envelope, command: { ...share, name } }
    expect(parseEntry(1, JSON.stringify(entry)).command).toEqual(entry.command)
  },
)

test.each([
  ['with the right kind and no fields', { ...envelope, command: { kind: 'share_file' } }],
  ['with a field of another type', { ...envelope, command: { ...command, group: 5 } }],
  ['with a size that is none', { ...envelope, command: { ...share, sizeBytes: -1 } }],
  ['with a size beyond all', { ...envelope, command: { ...share, sizeBytes: 128 * 2 ** 30 + 1 } }],
  ['with a file id that is none', { ...envelope, command: { ...share, fileId: 'f' } }],
  ['with a path for a file name', { ...envelope, command: { ...share, name: 'a/b' } }],
  ['with a file name that is too long', { ...envelope, command: { ...share, name: '\u4e00'.repeat(86) } }],
  ['with a line break in a file name', { ...envelope, command: { ...share, name: 'a\nb' } }],
  ['with half a character in a file name', { ...envelope, command: { ...share, name: '\ud83d' } }],
  ['without a file name', { ...envelope, command: { ...share, name: '' } }],
  ['with a group that is none', { ...envelope, command: { ...command, group: 'a b' } }],
  ['by a user that is none', { ...envelope, command: { ...command, by: '' } }],
  ['about a user that is none', { ...envelope, command: { ...command, kind: 'remove_member', user: '-' } }],
  [
    'with the registration of a user that is none',
    {
      ...envelope,
      command: {
        kind: 'register',
        id: 'i',
        user: 'u'.repeat(33),
        credentials: { salt: '', iterations: 1, storedKey: '', serverKey: '' },
      },
    },
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
