// The yardstick for durable commands: bare SQLite commits with the settings of the tracker's log (WAL,
// synchronous=FULL), on the same file system.

import { DatabaseSync } from '../../src/tracker/log/sqlite-engine.ts'

/** Entries per second over `ms` milliseconds, with this many entries per commit. */
export function bareCommits(path: string, entriesPerCommit: number, ms: number): number {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec(
    'CREATE TABLE IF NOT EXISTS entries (position INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT',
  )
  const insert = database.prepare('INSERT INTO entries (text) VALUES (?)')
  const text = 'x'.repeat(150)
  const startedAtMs = performance.now()
  let entries = 0
  while (performance.now() - startedAtMs < ms) {
    database.exec('BEGIN IMMEDIATE')
    for (let count = 0; count < entriesPerCommit; count++) insert.run(text)
    database.exec('COMMIT')
    entries += entriesPerCommit
  }
  const perSecond = (entries / (performance.now() - startedAtMs)) * 1000
  database.close()
  return perSecond
}
