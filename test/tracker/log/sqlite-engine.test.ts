// Which SQLite is chosen, and that files go from one to the other.

import { DatabaseSync as PackagedDatabase } from '@photostructure/sqlite'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DatabaseSync, hasBuiltInSqlite } from '../../../src/tracker/log/sqlite-engine.ts'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

test.each([
  ['20.20.2', false],
  ['22.23.5', false],
  ['24.14.1', false],
  ['24.15.0', true],
  ['25.9.0', false],
  ['26.0.0', true],
])('whether Node %s brings an SQLite to rely on: %s', (version, has) => {
  expect(hasBuiltInSqlite(version)).toBe(has)
})

test('the engine is that of Node where there is one to rely on, else that of the package', () => {
  expect(DatabaseSync === (PackagedDatabase as unknown)).toBe(!hasBuiltInSqlite(process.versions.node))
})

/** Everything in the log, which is closed again. */
async function readAndAppend(path: string, text: string): Promise<string[]> {
  const [log, follower] = [new SqliteLog(path, 0), new Follower()]
  await log.follow(follower)
  await log.append([text])
  await log.saveSnapshot(() => ({ position: 1, changed: new Map([['group 1', 'one']]) }))
  await log.close()
  return follower.delivered
}

// On an older Node both are the same engine.
test.skipIf(!hasBuiltInSqlite(process.versions.node))(
  'a data file goes from the engine of Node to that of the package, and back',
  async () => {
    const path = join(temporaryFolder(), 'log.sqlite')
    await readAndAppend(path, 'by Node')
    const database = new PackagedDatabase(path)
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(database.prepare('SELECT text FROM sections').all()).toEqual([{ text: 'one' }])
    // As the log would write it; the sum is that of the text.
    database.exec("INSERT INTO entries VALUES (2, 3105219700, 'by the package')")
    database.close()
    expect(await readAndAppend(path, 'by Node again')).toEqual([
      '1 [group 1=one]',
      '2 by the package',
      '3 by Node again',
    ])
  },
)
