// Pairs of an old and a new version, the same at every run.

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseSync } from '@photostructure/sqlite'
import { seededRandom } from '../../test/simulation/seeded-random.ts'

export interface Pair {
  readonly what: string
  /** The most that may come over the line, as a share of the new version; for those where hardly anything changed. */
  readonly shareMax?: number
  /** Makes both at these paths: files, or folders. */
  make(before: string, after: string): void
}

const MiB = 1024 * 1024

export const pairs: readonly Pair[] = [
  {
    what: 'text, a line in front',
    shareMax: 0.01,
    make: (before, after) => {
      const text = textOf(64 * MiB)
      writeFileSync(before, text)
      writeFileSync(after, Buffer.concat([Buffer.from('-- dumped today\n'), text]))
    },
  },
  {
    what: 'text, 200 edits',
    make: (before, after) => {
      const text = textOf(64 * MiB)
      writeFileSync(before, text)
      writeFileSync(after, edited(text, 200))
    },
  },
  { what: 'tar of packages, updated', make: (before, after) => tars(before, after, 4) },
  { what: 'tar, 6 % of files changed', make: (before, after) => tars(before, after, 16) },
  { what: 'SQLite, 1 % of rows changed', make: databases },
  {
    what: '5 % appended',
    make: (before, after) => {
      const bytes = randomOf(64 * MiB)
      writeFileSync(before, bytes)
      copyFileSync(before, after)
      appendFileSync(after, randomOf((64 * MiB) / 20, 2))
    },
  },
  {
    what: 'the same, renamed',
    shareMax: 0.01,
    make: (before, after) => {
      writeFileSync(before, randomOf(64 * MiB))
      copyFileSync(before, after)
    },
  },
  {
    what: 'folder, 5 % of files changed',
    make: (before, after) => folders(before, after, 1000, (random) => 4 * Math.floor(random() ** 2 * 50_000)),
  },
  {
    what: 'folder of 512 MiB, likewise',
    make: (before, after) => folders(before, after, 256, () => 2 * MiB),
  },
  {
    // Large enough for what begins once to count for little beside what is done for each byte.
    what: '512 MiB, a line in front',
    shareMax: 0.01,
    make: (before, after) => {
      const bytes = randomOf(512 * MiB)
      writeFileSync(before, bytes)
      writeFileSync(after, Buffer.concat([Buffer.from('-- dumped today\n'), bytes]))
    },
  },
]

function randomOf(bytes: number, seed = 1): Buffer {
  const random = seededRandom(seed)
  const words = new Uint32Array(bytes / 4)
  for (let at = 0; at < words.length; at++) words[at] = random() * 2 ** 32
  return Buffer.from(words.buffer)
}

/** Lines of a dump of a table. */
function textOf(bytes: number): Buffer {
  const random = seededRandom(3)
  const lines: string[] = []
  for (let length = 0, row = 0; length < bytes; row++) {
    const words = Array.from({ length: 8 }, () => Math.floor(random() * 1e6).toString(36))
    const line = `INSERT INTO items VALUES (${row}, '${words.join(' ')}');\n`
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join(''))
}

function edited(text: Buffer, count: number): Buffer {
  const random = seededRandom(4)
  const places = Array.from({ length: count }, () => Math.floor(random() * text.length)).toSorted(
    (a, b) => a - b,
  )
  const parts: Buffer[] = []
  let from = 0
  for (const [edit, place] of places.entries()) {
    parts.push(text.subarray(from, place), Buffer.from(`edit ${edit}`))
    from = Math.min(text.length, place + (edit % 20))
  }
  return Buffer.concat([...parts, text.subarray(from)])
}

/** Of packages that are here; of every so many files one is another version. */
function tars(before: string, after: string, every: number): void {
  const from = fileURLToPath(new URL('../../node_modules', import.meta.url))
  const folder = `${before}.tree`
  mkdirSync(folder)
  for (const name of ['prettier', 'valibot', 'fast-check', 'pino', 'commander', '@types'])
    execFileSync('cp', ['-rL', join(from, name), folder])
  const tar = (to: string): Buffer =>
    execFileSync('tar', ['cf', to, '--sort=name', '--mtime=@0', '-C', folder, '.'])
  tar(before)
  change(folder, every)
  tar(after)
}

/** Of every so many files changes some lines, or some bytes. */
function change(folder: string, every: number): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  for (const [number, name] of names.entries()) {
    const path = join(folder, name)
    if (number % every !== 0 || !statSync(path).isFile()) continue
    const bytes = readFileSync(path)
    writeFileSync(path, edited(bytes, 1 + Math.floor(bytes.length / 20_000)))
  }
}

function databases(before: string, after: string): void {
  const rows = 400_000
  const random = seededRandom(5)
  const text = (): string =>
    Array.from({ length: 12 }, () => Math.floor(random() * 1e6).toString(36)).join(' ')
  const database = new DatabaseSync(before)
  database.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT); BEGIN')
  const insert = database.prepare('INSERT INTO items VALUES (?, ?)')
  for (let row = 0; row < rows; row++) insert.run(row, text())
  database.exec('COMMIT')
  database.close()
  copyFileSync(before, after)
  const next = new DatabaseSync(after)
  next.exec('BEGIN')
  const update = next.prepare('UPDATE items SET text = ? WHERE id = ?')
  // Those that are used are near each other, as in most tables.
  const first = rows / 2
  for (let row = 0; row < rows / 100; row++)
    update.run(text(), first + Math.floor(random() ** 3 * (rows / 2)))
  next.exec('COMMIT')
  next.close()
}

/** `sizeOf`: of the next file, in bytes. */
function folders(
  before: string,
  after: string,
  files: number,
  sizeOf: (random: () => number) => number,
): void {
  mkdirSync(before)
  const random = seededRandom(6)
  for (let file = 0; file < files; file++)
    writeFileSync(join(before, `file ${String(file).padStart(4, '0')}`), randomOf(sizeOf(random), 7 + file))
  execFileSync('cp', ['-a', before, after])
  change(after, 20)
}
