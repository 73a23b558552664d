// What only the SQLite engine promises: the file, its neighbours, and what is refused.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { DatabaseSync } from '../../../src/tracker/log/sqlite-engine.ts'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

function openLog(path: string): SqliteLog {
  const log = new SqliteLog(path, 0)
  onTestFinished(() => log.close())
  return log
}

async function logWith(path: string, entries: readonly string[]): Promise<SqliteLog> {
  const log = openLog(path)
  await log.follow(new Follower())
  await log.append(entries)
  return log
}

async function read(path: string): Promise<string[]> {
  const follower = new Follower()
  await openLog(path).follow(follower)
  return follower.delivered
}

/** Runs SQL on the file behind the log's back. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

/** The failure of opening and reading; undefined when it went well. */
async function failureOf(path: string): Promise<Failure | undefined> {
  try {
    await read(path)
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

test('what was appended is there when the file is opened again', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a', 'b'])
  await log.close()
  expect(await read(path)).toEqual(['1 a', '2 b'])
})

test('a file in another journal mode, such as one that SQLite has copied, is used as any other', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const copy = `${path}.copy`
  const log = await logWith(path, ['a'])
  await log.close()
  copyFileSync(path, copy)
  tamper(copy, 'PRAGMA journal_mode = DELETE')
  const again = openLog(copy)
  const follower = new Follower()
  await again.follow(follower)
  await again.append(['b'])
  expect(follower.delivered).toEqual(['1 a', '2 b'])
  expect(follower.lost).toBeUndefined()
})

test('an entry is in the file when its append resolves and when it is delivered', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log.sqlite')
  const seen: unknown[] = []
  const log = openLog(path)
  // The files as they are at that moment are what a power failure would leave.
  const look = (): void => {
    const copy = join(folder, `copy-${seen.length}`)
    for (const tail of ['', '-wal']) copyFileSync(path + tail, copy + tail)
    const database = new DatabaseSync(copy)
    seen.push(database.prepare('SELECT text FROM entries ORDER BY position').all())
    database.close()
  }
  await log.follow({ onEntry: look, onSnapshot: () => undefined, onLost: () => undefined })
  await log.append(['a']).then(look)
  expect(seen).toEqual([[{ text: 'a' }], [{ text: 'a' }]])
})

test('an append that fails writes none of its entries, and the log goes on', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a'])
  tamper(
    path,
    `CREATE TRIGGER full BEFORE INSERT ON entries WHEN NEW.text = 'x' BEGIN SELECT RAISE(ABORT, 'full'); END`,
  )
  await expect(log.append(['b', 'x', 'c'])).rejects.toThrow(/cannot write .*full/)
  await log.append(['d'])
  expect(await read(path)).toEqual(['1 a', '2 d'])
})

test('an append waits for the lock of another without standing still, and then succeeds', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a'])
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  let isWritten = false
  const writing = log.append(['b']).then(() => {
    isWritten = true
  })
  // Appending has tried at least once by now, and lets other things happen in between.
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  expect(isWritten).toBe(false)
  other.exec('COMMIT')
  await writing
  expect(await read(path)).toEqual(['1 a', '2 b'])
  other.close()
})

test('a follower whose entries were truncated gets the snapshot instead', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const slow = openLog(path)
  const follower = new Follower()
  await slow.follow(follower)
  const fast = await logWith(path, ['a', 'b', 'c'])
  await fast.saveSnapshot(() => ({ position: 3, text: 'abc' }))
  await fast.append(['d'])
  slow.sync()
  expect(follower.delivered).toEqual(['3 [abc]', '4 d'])
})

test('whoever takes a snapshot is told what is kept, and may find it not worth one', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const one = await logWith(path, ['a', 'b'])
  const two = openLog(path)
  await two.follow(new Follower())
  await one.saveSnapshot(() => ({ position: 2, changed: [['k', 'ab']] }))
  await two.saveSnapshot((kept) => {
    expect(kept).toEqual({ position: 2, ofSections: 2 })
    return undefined
  })
  const third = new Follower()
  await openLog(path).follow(third)
  expect(third.delivered).toEqual(['2 [k=ab]'])
})

test('a snapshot in sections writes those that changed, and forgets those that are no more', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a', 'b'])
  await log.saveSnapshot(() => ({ position: 2, text: 'as version 0.1 has it' }))
  const kept: unknown[] = []
  const changes: [string, string | undefined][][] = [
    [
      ['one', '1'],
      ['two', '2'],
      ['three', '3'],
    ],
    [
      ['two', 'changed'],
      ['three', undefined],
    ],
  ]
  for (const [index, changed] of changes.entries()) {
    await log.append(['c'])
    await log.saveSnapshot((before) => {
      kept.push(before)
      return { position: 3 + index, changed }
    })
  }
  expect(kept).toEqual([
    { position: 2, ofSections: 0 },
    { position: 3, ofSections: 3 },
  ])
  const later = new Follower()
  await openLog(path).follow(later)
  expect(later.delivered).toEqual(['4 [one=1 two=changed]'])
})

test.each([
  [
    'is altered',
    "UPDATE sections SET text = 'x' WHERE key = 'one'",
    /section one of the snapshot is altered/,
  ],
  ['is missing', "DELETE FROM sections WHERE key = 'one'", /the snapshot has 1 of 2 sections/],
])('a section that %s is noticed at the start', async (_what, change, sentence) => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a'])
  await log.saveSnapshot(() => ({
    position: 1,
    changed: [
      ['one', '1'],
      ['two', '2'],
    ],
  }))
  await log.close()
  tamper(path, change)
  expect((await failureOf(path))?.message).toMatch(sentence)
})

test('entries behind a snapshot stay for a while, for trackers that are a little behind', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = new SqliteLog(path, 2)
  onTestFinished(() => log.close())
  await log.follow(new Follower())
  await log.append(['a', 'b', 'c', 'd'])
  await log.saveSnapshot(() => ({ position: 4, text: 'abcd' }))
  const database = new DatabaseSync(path)
  expect(database.prepare('SELECT text FROM entries').all()).toEqual([{ text: 'c' }, { text: 'd' }])
  database.close()
})

test('the file is readable by its owner only, and nothing else is left beside it', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log.sqlite')
  const log = await logWith(path, ['a'])
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o077).toBe(0)
  await log.close()
  expect(readdirSync(folder).filter((file) => !/^log\.sqlite(-wal|-shm)?$/.test(file))).toEqual([])
  expect(existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0).toBe(0)
})

interface OtherProcess {
  readonly ready: Promise<unknown>
  /** Opens the log, appends each entry by itself, and kills itself. Resolves to what it saw delivered. */
  append(path: string, entries: readonly string[]): Promise<string[]>
}

/** Of the build, because it is plain Node; the gate builds before it tests. */
function otherProcess(): OtherProcess {
  const built = new URL('../../../dist/tracker/log/sqlite-log.js', import.meta.url).href
  const script = `
    import { writeSync } from 'node:fs'
    const { SqliteLog } = await import(${JSON.stringify(built)})
    process.stdin.once('data', async (work) => {
      const { path, entries } = JSON.parse(work)
      const log = new SqliteLog(path)
      const delivered = []
      await log.follow({ onEntry: (position, text) => delivered.push(position + ' ' + text) })
      for (const entry of entries) await log.append([entry])
      writeSync(1, JSON.stringify(delivered))
      process.kill(process.pid, 'SIGKILL')
    })
    process.stderr.write('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (complaints += String(chunk)))
  return {
    ready: once(child.stderr, 'data'),
    append: async (path, entries) => {
      child.stdin.write(JSON.stringify({ path, entries }))
      await once(child, 'close')
      expect([child.signalCode, complaints]).toEqual(['SIGKILL', 'ready'])
      return JSON.parse(output) as string[]
    },
  }
}

test('processes that append to a file at the same moment write one order, and all see it', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const others = ['a', 'b', 'c', 'd'].map((name) => ({ name, process: otherProcess() }))
  await Promise.all(others.map((other) => other.process.ready))
  const entries = Array.from({ length: 200 }, (_, index) => String(index))
  const seen = await Promise.all(
    others.map((other) =>
      other.process.append(
        path,
        entries.map((entry) => other.name + entry),
      ),
    ),
  )
  const all = await read(path)
  expect(all).toHaveLength(others.length * entries.length)
  // Each saw the order up to its own last entry, from the first entry on and without a gap.
  for (const order of seen) expect(order).toEqual(all.slice(0, order.length))
})

const foreign: Record<string, (path: string) => void> = {
  'a text file': (path) => writeFileSync(path, 'my shopping list\n'.repeat(100)),
  'the database of another program': (path) => tamper(path, 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'),
}

test.each(Object.entries(foreign))('%s is refused and left as it is', async (_name, make) => {
  const path = join(temporaryFolder(), 'log.sqlite')
  make(path)
  const before = readFileSync(path)
  const failure = await failureOf(path)
  expect(failure?.message).toMatch(/is not a data file of this tracker.*move it away/)
  expect(failure?.code).toBe('data')
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('an empty file is refused, never begun anew', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  writeFileSync(path, '')
  expect((await failureOf(path))?.message).toMatch(/is damaged \(it is empty\); restore a copy/)
  expect(statSync(path).size).toBe(0)
})

test('a file of a newer version is refused', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  await (await logWith(path, ['a'])).close()
  tamper(path, 'PRAGMA user_version = 99')
  const before = readFileSync(path)
  expect((await failureOf(path))?.message).toMatch(
    /has format 99, this tracker reads up to 2; use the version/,
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('a data file that is missing beside its write-ahead log is refused', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log.sqlite')
  const log = await logWith(path, ['a'])
  copyFileSync(`${path}-wal`, join(folder, 'kept'))
  await log.close()
  rmSync(path)
  copyFileSync(join(folder, 'kept'), `${path}-wal`)
  expect((await failureOf(path))?.message).toMatch(/is missing but its companion .* is there/)
  expect(existsSync(path)).toBe(false)
})

const damages: Record<string, (path: string) => void> = {
  'an altered entry': (path) => tamper(path, `UPDATE entries SET text = 'B' WHERE position = 2`),
  'a missing entry': (path) => tamper(path, 'DELETE FROM entries WHERE position = 2'),
  'an altered snapshot': (path) => tamper(path, `UPDATE snapshot SET text = 'A'`),
  'a file cut in half': (path) => {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, bytes.length / 2))
  },
  'a page of other bytes': (path) => {
    const bytes = readFileSync(path)
    bytes.fill(0xa5, bytes.length - 4096)
    writeFileSync(path, bytes)
  },
}

test.each(Object.entries(damages))('%s is noticed, and refused with what to do', async (_name, damage) => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const log = await logWith(path, ['a'])
  await log.saveSnapshot(() => ({ position: 1, text: 'a' }))
  await log.append(Array.from({ length: 200 }, (_, index) => `entry ${index} `.repeat(20)))
  await log.close()
  damage(path)
  const before = readFileSync(path)
  const failure = await failureOf(path)
  expect(failure?.code).toBe('data')
  expect(failure?.message).toMatch(/is damaged \(.+\); restore a copy of it, or move it away to begin anew/)
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('a last commit that was torn by a power failure is dropped, the ones before it are there', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log.sqlite')
  const log = await logWith(path, ['a'])
  const wholeBytes = statSync(`${path}-wal`).size
  await log.append(['b'])
  const copy = join(folder, 'copy.sqlite')
  for (const tail of ['', '-wal']) copyFileSync(path + tail, copy + tail)
  const wal = readFileSync(`${copy}-wal`)
  expect(wal.length).toBeGreaterThan(wholeBytes)
  writeFileSync(`${copy}-wal`, wal.subarray(0, wholeBytes + 100))
  expect(await read(copy)).toEqual(['1 a'])
})

test('what a process has appended is there after kill -9, also for a tracker that runs', async () => {
  const path = join(temporaryFolder(), 'log.sqlite')
  const follower = new Follower()
  const running = openLog(path)
  await running.follow(follower)
  const other = otherProcess()
  await other.ready
  await other.append(path, ['a', 'b'])
  running.sync()
  expect(follower.delivered).toEqual(['1 a', '2 b'])
})
