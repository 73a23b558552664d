import { expect, test } from 'vitest'
import { readTrackerInfo } from '../../src/common/tracker-info.ts'

const pin = `sha256:${'abc-_XYZ0'.repeat(5).slice(0, 43)}`

test('a tracker_info file has an address a line, maybe a fingerprint, comments, blank lines and further fields', () => {
  const text = `# trackers\n\n127.0.0.1:9002 ${pin} more # the first\r\n\t[::1]:9003 later\n#127.0.0.1:1\n`
  expect(readTrackerInfo('tracker_info.txt', () => text)).toEqual([
    { host: '127.0.0.1', port: 9002, pin },
    { host: '::1', port: 9003 },
  ])
})

test('what begins like a fingerprint and is none is said: without it anybody could pass for that tracker', () => {
  expect(() => readTrackerInfo('a.txt', () => '127.0.0.1:9002 sha256:abc')).toThrow(
    'a.txt, line 1: "sha256:abc" is not a fingerprint as a tracker prints it',
  )
})

test('a wrong line of a tracker_info file is named by its number', () => {
  expect(() => readTrackerInfo('a.txt', () => '127.0.0.1:9002\n# ok\nnonsense here\n')).toThrow(
    'a.txt, line 3: "nonsense" is not an address like 127.0.0.1:9002',
  )
})

test('a tracker_info file without any address says what to write', () => {
  expect(() => readTrackerInfo('a.txt', () => '\n# nothing\n')).toThrow(
    'a.txt names no tracker; write one ip:port a line',
  )
})

test('a tracker may be named: what counts is its key', () => {
  const text = `Tracker.Example.org:9002 ${pin}\nlocalhost:9003\n`
  expect(readTrackerInfo('a.txt', () => text)).toEqual([
    { host: 'tracker.example.org', port: 9002, pin },
    { host: '127.0.0.1', port: 9003 },
  ])
  for (const wrong of ['example.org', 'example.org:70000', '-x.org:1', 'a b:1'])
    expect(() => readTrackerInfo('a.txt', () => wrong)).toThrow(/^a.txt, line 1: /)
})

// What an editor of Windows saves: the first address was "not an address", and nobody saw why.
test('a byte order mark is no part of the first line, and UTF-16 is named', () => {
  const text = '127.0.0.1:9002\r\n'
  const saved = (encoding: 'utf8' | 'utf16le') => Buffer.from(`\uFEFF${text}`, encoding).toString('utf8')
  expect(readTrackerInfo('a.txt', () => saved('utf8'))).toEqual([{ host: '127.0.0.1', port: 9002 }])
  expect(() => readTrackerInfo('a.txt', () => saved('utf16le'))).toThrow(
    'a.txt is not UTF-8 text; save it as UTF-8',
  )
})

test.each([
  ['ENOENT', 'there is no such file or folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'permission denied'],
])('a file that cannot be read for %s is said in words', (code, words) => {
  const cause = Object.assign(new Error(`${code}: as the system says it`), { code })
  const read = (): never => {
    throw cause
  }
  expect(() => readTrackerInfo('a.txt', read)).toThrow(`cannot read the trackers from a.txt: ${words}`)
})
