// The views of transfers, from data and a width: what fits, what is said, and what a terminal shows.

import { describe, expect, test } from 'vitest'
import type { HashingView, UploadView } from '../../../../src/client/operations.ts'
import { bytesOfPieces, formatTime, percentOf } from '../../../../src/client/prompt/text/amounts.ts'
import { entryLines, entryProgress, isSettled } from '../../../../src/client/prompt/views/entry.ts'
import { downloadLines, hashingLines, uploadLines } from '../../../../src/client/prompt/views/tables.ts'
import { cutTo, displayWidth, fitTo } from '../../../../src/common/terminal/width.ts'
import { watched } from '../../../../bench/watched-entry.ts'
import { download, entry } from '../fake-operations.ts'

const MiB = 1024 * 1024
const texts = (lines: readonly { text: string }[]): string[] => lines.map(({ text }) => text)

describe('amounts', () => {
  test('times have two units, and none beyond a year', () => {
    expect([0.2, 59, 60, 130, 11_100, 100_000, 1e9, Number.POSITIVE_INFINITY].map(formatTime)).toEqual([
      '1 s',
      '59 s',
      '1 min',
      '2 min 10 s',
      '3 h 5 min',
      '1 d 3 h',
      undefined,
      undefined,
    ])
  })

  test('only the whole is 100 percent, and of nothing all is there', () => {
    expect([percentOf(999, 1000), percentOf(1000, 1000), percentOf(0, 0)]).toEqual([99, 100, 100])
  })

  // The time left of a part was over before it was there: what was chosen was less than its pieces hold.
  test.each([
    ['a file whose last piece is short', 1.25, 3, 1, [1.25, 0.5, 0.75]],
    ['a file of less than a piece', 0.25, 1, 0, [0.25, 0, 0.25]],
    ['a whole one', 1.25, 3, 3, [1.25, 1.25, 0]],
    ['a part of which each piece holds other files too', 0.25, 5, 1, [2, 0.5, 1.5]],
    ['such a part when it is there', 0.25, 5, 5, [2, 2, 0]],
  ])('%s has so many bytes here', (_what, sizeMiB, pieceCount, piecesDone, expected) => {
    const { all, done, missing } = bytesOfPieces({ sizeBytes: sizeMiB * MiB, pieceCount, piecesDone })
    expect([all, done, missing]).toEqual(expected.map((mebibytes) => mebibytes * MiB))
  })
})

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['写真', 4],
    ['👩‍👩‍👧', 2],
    ['e\u0301', 1],
    ['ｱ', 1],
    ['한글', 4],
  ])('%s takes %i columns', (text, width) => expect(displayWidth(text)).toBe(width))

  test('a wide character is not cut in half', () => {
    expect([cutTo('写真だ', 6), cutTo('写真だ', 5), cutTo('写真だ', 4), fitTo('写真だ', 4)]).toEqual([
      '写真だ',
      '写真…',
      '写…',
      '写… ',
    ])
  })
})

const hashing: HashingView = {
  group: 'g1',
  name: 'film.mkv',
  path: '/film.mkv',
  sizeBytes: 100 * MiB,
  bytesDone: 25 * MiB,
  bytesPerSecond: 5 * MiB,
}
const downloads = [
  download({ name: '写真と動画のとても長い名前のファイルです.tar.zst', state: 'running' }),
  download({ name: 'b', state: 'paused', why: 'no space left on the disk' }),
  download({ name: 'c', state: 'complete' }),
]
const upload: UploadView = {
  group: 'g1',
  name: 'film.mkv',
  user: 'ben',
  peer: 'ben@10.0.0.2',
  way: 'direct',
  bytesPerSecond: 2 * MiB,
  sentBytes: 30 * MiB,
  pieceCount: 200,
  pieces: 100,
}

describe('tables', () => {
  test.each([40, 80, 200])('no line is wider than a terminal of %i columns', (columns) => {
    const all = [
      hashingLines([hashing], columns),
      downloadLines(downloads, columns),
      uploadLines([upload], columns),
    ]
    for (const { text } of all.flat()) expect(displayWidth(text)).toBeLessThan(columns)
  })

  test('a row has a bar, percent, rate, time left and peers', () => {
    const [line] = texts(
      downloadLines([download({ name: 'a', state: 'running', sizeBytes: 20 * MiB, pieceCount: 40 })], 80),
    )
    expect(line).toBe('[D] [g1] a  ░░░░░░░░░░░░░░░░░░░░░░░░    2 %  3.0 MiB/s  7 s left  1 peer')
  })

  test('a priority other than the normal one is named, whether the download runs or waits', () => {
    const rows = [
      download({ name: 'a', state: 'running', priority: 'high' }),
      download({ name: 'b', state: 'paused', priority: 'low', why: 'no space' }),
      download({ name: 'c', state: 'complete', priority: 'high' }),
    ]
    expect(texts(downloadLines(rows, 100)).map((line) => line.replace(/^.*? % {2}/, ''))).toEqual([
      'high priority  3.0 MiB/s  1 s left  1 peer',
      'low priority  no space',
      '[C] [g1] c  1.0 MiB',
    ])
    const [head] = texts(entryLines(entry({ state: 'running', priority: 'low' }), { columns: 80, rows: 20 }))
    expect(head).toBe('film.mkv in g1, 20.0 MiB: downloading, low priority')
  })

  test('where there is little room a row is two lines', () => {
    expect(texts(hashingLines([hashing], 40))).toEqual([
      '[H] [g1] film.mkv',
      '    ███░░░░░░░░░░░   25 %  hashing  5.…',
    ])
  })

  test('a file that waits for its turn to be hashed has no rate', () => {
    const [line] = texts(hashingLines([{ ...hashing, bytesDone: 0, bytesPerSecond: 0 }], 80))
    expect(line).toMatch(/ {2}0 % {2}hashing$/)
  })

  test('a download that waits says for what, one that is paused why, and a complete one how large it is', () => {
    const waiting = download({ name: 'a', state: 'running', why: 'waiting for a seeder' })
    const lines = texts(downloadLines([waiting, ...downloads.slice(1)], 80))
    expect(lines[0]).toMatch(/50 % {2}waiting for a seeder$/)
    expect(lines[1]).toMatch(/50 % {2}no space left on the disk$/)
    expect(lines[2]).toMatch(/c +1\.0 MiB$/)
  })

  test('a name cannot disturb the terminal', () => {
    const [line] = texts(uploadLines([{ ...upload, name: '\u001B[2J' }], 120))
    expect(line).toContain('\\u{1b}[2J')
  })
})

describe('the view of a file', () => {
  test.each([
    [40, 12],
    [80, 24],
    [200, 50],
  ])('fits on %i columns and %i rows', (columns, rows) => {
    const lines = texts(
      entryLines({ ...watched, peers: Array(200).fill(watched.peers[0]) }, { columns, rows }),
    )
    expect(lines.length).toBeLessThanOrEqual(rows)
    for (const line of lines) expect(displayWidth(line)).toBeLessThan(columns)
  })

  test('shows pieces that are here, on their way, to be had and nowhere as different characters', () => {
    const map = [[1, 0, 0, 0] as const, [0, 1, 0, 0] as const, [0, 0, 1, 0] as const, [0, 0, 0, 1] as const]
    const lines = texts(entryLines(entry({ map, pieceCount: 4 }), { columns: 80, rows: 24 }))
    expect(lines).toContain('█▒░·')
    expect(lines).toContain('█ here 1  ▒ coming 1  ░ at peers 1  · nowhere 1  of 4 pieces')
  })

  test('says when the last has it only where that is known of all', () => {
    const lacking = [
      { user: 'ben', pieces: 10, secondsLeft: 100 },
      { user: 'cem', pieces: 20, secondsLeft: 30 },
    ]
    const audience = { whole: ['ann'], lacking, absent: ['dora'], absentCount: 9000 }
    const size = { columns: 80, rows: 24 }
    const known = texts(entryLines(entry({ audience }), size))
    expect(known.slice(-4)).toEqual([
      'has all of it: ann',
      'lacks some: ben 25 % (1 min 40 s), cem 50 % (30 s)',
      'the last of them will have it in about 1 min 40 s',
      'has it, but is not online: dora and 8999 more',
    ])
    const unknown = [...lacking, { user: 'eve', pieces: undefined, secondsLeft: undefined }]
    expect(texts(entryLines(entry({ audience: { ...audience, lacking: unknown } }), size))).toContain(
      'when the last of them will have it is not known yet',
    )
  })

  test('is settled when the file is here and nobody online lacks it, or the download has stopped', () => {
    const lacking = [{ user: 'ben', pieces: undefined, secondsLeft: undefined }]
    const audience = { whole: [], lacking, absent: [], absentCount: 0 }
    expect(isSettled(entry({}))).toBe(true)
    expect(isSettled(entry({ audience }))).toBe(false)
    expect(isSettled(entry({ state: 'paused', audience }))).toBe(true)
    expect(isSettled(entry({ state: 'running' }))).toBe(false)
    // Without a tracker nobody knows who lacks it.
    const { audience: _, ...unasked } = entry({})
    expect(isSettled(unasked)).toBe(false)
  })

  test('is one line of bytes and seconds in a pipe', () => {
    expect(entryProgress(watched)).toBe(
      '[family] holiday 休暇.mov: 45 %, 94371840 of 209715200 bytes, in 4404019 bytes/s, out 1258291 bytes/s, 27 seconds left, 3 peers, 3 members online lack pieces',
    )
  })
})
