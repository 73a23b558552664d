// Backups of a data folder, and what is restored from them.

import {
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { backUp } from '../../src/tracker/backup.ts'
import { isCopyCommand, runCopyCommand } from '../../src/tracker/copy-commands.ts'
import { DatabaseSync } from '../../src/tracker/log/sqlite-engine.ts'
import { restore } from '../../src/tracker/restore.ts'
import { TestClient } from './support/test-client.ts'
import { runTracker, temporaryFolder } from './support/test-tracker.ts'

const fixture = (version: string, which: string): string =>
  fileURLToPath(new URL(`../data/tracker-${version}/${which}.sqlite`, import.meta.url))

interface Place {
  readonly folder: string
  readonly data: string
  readonly file: string
  readonly digest: string
}

/** A data folder with two groups, and its backup; the tracker is gone. */
async function backedUp(): Promise<Place> {
  const folder = temporaryFolder()
  const [data, file] = [join(folder, 'data'), join(folder, 'backup')]
  const tracker = await runTracker(data)
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  await ann.change('create_group', { group: 'books' })
  await ann.change('create_group', { group: 'films' })
  const digest = tracker.digest()
  await tracker.close()
  await backUp(data, file)
  return { folder, data, file, digest }
}

/** The same data, as another process would have left it: an engine may keep what this one had open. */
function leftIn(data: string): string {
  const copy = `${data}-left`
  cpSync(data, copy, { recursive: true })
  return copy
}

/** Everything in a folder that a tracker has left or would meet, with its content. */
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'base64')]),
  )
}

test('a backup that is restored elsewhere is the same community, with the same key', async () => {
  const { folder, data, file, digest } = await backedUp()
  const other = join(folder, 'elsewhere', 'data')
  const { users, groups, files, before } = await restore(file, other, false)
  expect({ users, groups, before }).toEqual({ users: 1, groups: 2, before: undefined })
  expect(files.map(({ path }) => path)).toEqual(['tracker-1/identity.pem'])
  const key = (where: string): string => readFileSync(join(where, 'tracker-1', 'identity.pem'), 'utf8')
  expect(key(other)).toBe(key(data))
  const tracker = await runTracker(other)
  expect(tracker.digest()).toBe(digest)
})

test('a backup can be read by its owner alone, and what is restored from it too', async () => {
  const { folder, file } = await backedUp()
  const other = join(folder, 'other')
  await restore(file, other, false)
  const modes = [file, other, join(other, 'log.sqlite'), join(other, 'tracker-1', 'identity.pem')].map(
    (path) => (statSync(path).mode & 0o777).toString(8),
  )
  expect(modes).toEqual(['600', '700', '600', '600'])
})

// Only root can give files away.
test.skipIf(process.getuid?.() !== 0)(
  'what root restores belongs to whom the folder belongs to',
  async () => {
    const { folder, file } = await backedUp()
    const other = join(folder, 'other')
    mkdirSync(other, { mode: 0o700 })
    chownSync(other, 65_534, 65_534)
    await restore(file, other, false)
    const names = ['log.sqlite', 'tracker-1', join('tracker-1', 'identity.pem')]
    expect(names.map((name) => statSync(join(other, name)).uid)).toEqual([65_534, 65_534, 65_534])
  },
)

test('a backup is one file, with nothing left beside it; so is the log that is restored from it, without the keys', async () => {
  const { folder, data, file } = await backedUp()
  expect(readdirSync(folder).toSorted()).toEqual(['backup', 'data'])
  const other = join(folder, 'other')
  await restore(file, other, false)
  expect(readdirSync(other).toSorted()).toEqual(['log.sqlite', 'tracker-1'])
  const line = readFileSync(join(data, 'tracker-1', 'identity.pem'), 'utf8').split('\n')[1] ?? ''
  expect(readFileSync(file).includes(line)).toBe(true)
  expect(readFileSync(join(other, 'log.sqlite')).includes(line)).toBe(false)
})

test('a backup of a tracker that runs needs no pause, and has what was acknowledged before', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(join(folder, 'data'))
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  let made = 0
  const changes = (async () => {
    for (; made < 40; made++) await ann.change('create_group', { group: `group-${made}` })
  })()
  const before = made
  const { groups, position } = await backUp(join(folder, 'data'), join(folder, 'backup'))
  await changes
  expect(groups).toBeGreaterThanOrEqual(before)
  expect(await restore(join(folder, 'backup'), join(folder, 'other'), false)).toMatchObject({
    groups,
    position,
  })
})

test('what is there is neither overwritten by a backup nor by a restore', async () => {
  const { data, file } = await backedUp()
  const there = filesIn(data)
  await expect(backUp(data, file)).rejects.toThrow(`${file} exists; choose another name for the backup`)
  await expect(restore(file, data, false)).rejects.toThrow(
    `${data} has data already; name an empty folder with --data-dir, or add --overwrite`,
  )
  expect(filesIn(data)).toEqual(there)
})

test('a key of another tracker is not replaced unless that is asked for', async () => {
  const { folder, file } = await backedUp()
  const key = join(folder, 'other', 'tracker-1', 'identity.pem')
  mkdirSync(join(folder, 'other', 'tracker-1'), { recursive: true, mode: 0o700 })
  writeFileSync(key, 'another key', { mode: 0o600 })
  await expect(restore(file, join(folder, 'other'), false)).rejects.toThrow(
    `${key} is another key than that of the backup; add --overwrite to replace it`,
  )
  expect(readFileSync(key, 'utf8')).toBe('another key')
  await restore(file, join(folder, 'other'), true)
  expect(readFileSync(key, 'utf8')).toMatch(/PRIVATE KEY/)
})

test('with --overwrite an older state comes back, and the newer one is kept beside it', async () => {
  const { data: earlier, file, digest } = await backedUp()
  const tracker = await runTracker(earlier)
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  await ann.change('create_group', { group: 'newer' })
  const newer = tracker.digest()
  await expect(restore(file, earlier, true)).rejects.toThrow(`a tracker uses ${earlier}; stop it first`)
  expect(existsSync(join(earlier, 'restoring'))).toBe(false)
  await tracker.close()
  const data = leftIn(earlier)
  const { before = '' } = await restore(file, data, true)
  const restored = await runTracker(data)
  expect(restored.digest()).toBe(digest)
  await restored.close()
  // The newer one, as a plain copy of the log.
  const again = leftIn(data)
  await restore(before, again, true)
  expect((await runTracker(again)).digest()).toBe(newer)
})

test('over a damaged log a backup is restored, and the damaged one is kept', async () => {
  const { data: earlier, file, digest } = await backedUp()
  const data = leftIn(earlier)
  const log = join(data, 'log.sqlite')
  const damaged = readFileSync(log).fill(7, 4096)
  writeFileSync(log, damaged)
  const { before = '' } = await restore(file, data, true)
  // But for its head, where SQLite notes how it is written.
  expect(readFileSync(before).subarray(4096).equals(damaged.subarray(4096))).toBe(true)
  expect((await runTracker(data)).digest()).toBe(digest)
})

test.each(['0.1', 'level-2'])('a log of version %s is restored as it is', async (version) => {
  const folder = temporaryFolder()
  const old = join(folder, 'old.sqlite')
  copyFileSync(fixture(version, 'snapshot'), old)
  const before = readFileSync(old)
  const { position, files } = await restore(old, join(folder, 'data'), false)
  expect(position).toBeGreaterThan(0)
  expect(files).toEqual([])
  expect(readFileSync(old).equals(before)).toBe(true)
  const tracker = await runTracker(join(folder, 'data'))
  expect(tracker.status()).toContain('users ')
  await tracker.close()
  expect((await backUp(join(folder, 'data'), join(folder, 'new backup'))).position).toBeGreaterThan(position)
})

test('a copy of a log with its write-ahead file beside it is restored with all that is in that', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(join(folder, 'data'))
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  await ann.change('create_group', { group: 'books' })
  cpSync(join(folder, 'data'), join(folder, 'copy'), { recursive: true })
  expect(statSync(join(folder, 'copy', 'log.sqlite-wal')).size).toBeGreaterThan(0)
  const { groups } = await restore(join(folder, 'copy', 'log.sqlite'), join(folder, 'other'), false)
  expect(groups).toBe(1)
})

test.each<[why: string, change: (file: string) => void, sentence: RegExp]>([
  ['damaged', (file) => writeFileSync(file, readFileSync(file).fill(7, 4096)), /backup is damaged/],
  ['cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, 9000)), /damaged/],
  [
    'of something else',
    (file) => writeFileSync(file, 'a letter to my aunt, of more than 100 bytes'.repeat(9)),
    /backup is not a data file/,
  ],
  [
    'of a newer format',
    (file) => {
      const database = new DatabaseSync(file)
      database.exec('PRAGMA user_version = 99')
      database.close()
    },
    /backup has format 99/,
  ],
])('a backup that is %s is refused, and leaves the folder without data', async (_, change, sentence) => {
  const { folder, file } = await backedUp()
  change(file)
  const other = join(folder, 'other')
  await expect(restore(file, other, false)).rejects.toThrow(sentence)
  expect(readdirSync(other)).toEqual([])
})

test('a log that is damaged gets no backup', async () => {
  const { folder, data: earlier } = await backedUp()
  const data = leftIn(earlier)
  const log = join(data, 'log.sqlite')
  writeFileSync(log, readFileSync(log).fill(7, 4096))
  await expect(backUp(data, join(folder, 'second'))).rejects.toThrow(/damaged/)
  expect(readdirSync(folder).toSorted()).toEqual(['backup', 'data', 'data-left'])
})

test('where a restore was cut short no tracker starts, and a second one goes through', async () => {
  const { folder, file, digest } = await backedUp()
  const other = join(folder, 'other')
  await restore(file, other, false)
  // As it was just before the end.
  writeFileSync(join(other, 'restoring'), '')
  await expect(runTracker(other)).rejects.toThrow(`a restore into ${other} did not end; run it again`)
  await restore(file, other, false)
  expect(existsSync(join(other, 'restoring'))).toBe(false)
  expect((await runTracker(other)).digest()).toBe(digest)
})

test('with the log in NATS there is no backup here, and the sentence says where', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'community'), 'somebody\n')
  await expect(backUp(folder, join(folder, 'backup'))).rejects.toThrow(
    /have their log in NATS; back it up there/,
  )
})

test('the commands say what they did, and find the folder by the configuration, the list, or as the only one', async () => {
  const { folder, data, file } = await backedUp()
  const env = { XDG_CONFIG_HOME: join(folder, 'config') }
  const [second, third] = [join(folder, 'second'), join(folder, 'third')]
  expect(isCopyCommand(['backup', 'x'])).toBe(true)
  expect(isCopyCommand(['tracker_info.txt', '1'])).toBe(false)
  expect(await runCopyCommand(['backup', second, '--data-dir', data], env)).toMatch(
    /^saved \S+data in \S+second \([\d.]+ KiB\): log position \d+, 1 user, 2 groups, 1 tracker key\nKeep it as safe /,
  )
  const text = await runCopyCommand(['restore', file], { ...env, COTERIE_TRACKER_DATA_DIR: third })
  expect(text).toMatch(
    /^restored \S+backup into \S+third: log position \d+, 1 user, 2 groups, 1 tracker key\n$/,
  )
  expect(await runCopyCommand(['restore', '--help'], env)).toContain('--overwrite')
  await expect(runCopyCommand(['backup'], env)).rejects.toThrow("missing required argument 'file'")
  await expect(runCopyCommand(['restore', join(folder, 'none'), '--data-dir', third], env)).rejects.toThrow(
    `there is no backup ${join(folder, 'none')}`,
  )
})
