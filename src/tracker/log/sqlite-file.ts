// Creates the data file of the SQLite log, and refuses a file that is not one. Never begins anew in place of a bad
// file: that would lose data silently.

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, statSync, unlinkSync } from 'node:fs'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { lockPatienceMs } from '../limits.ts'
import { DatabaseSync, type Database } from './sqlite-engine.ts'

/** "Cote" in ASCII: tells the file from the databases of other programs. */
const applicationId = 0x436f7465
/** The format of a new file, and the newest that this program reads: see sqlite-snapshots.ts. */
const formatVersion = 1
const newestFormatVersion = 2

const schema = `
  CREATE TABLE entries (position INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
  CREATE TABLE snapshot (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`

/**
 * Opens the data file, making it if there is none. Throws a `data` failure that says what to do. Until the log is
 * read it waits long for a locked file, such as one that another tracker repairs after a crash.
 */
export function openDataFile(path: string): Database {
  if (!existsSync(path)) createDataFile(path)
  let database: Database | undefined
  try {
    checkNotEmpty(path)
    database = new DatabaseSync(path, { timeout: lockPatienceMs })
    // FULL: a commit is on the disk, not just with the system, when COMMIT returns.
    database.exec('PRAGMA synchronous = FULL')
    checkOwner(database, path)
    checkIntegrity(database, path)
    database.exec('PRAGMA journal_mode = WAL')
    // A file that was in another mode gets its companion at the first look.
    checkOwner(database, path)
    return database
  } catch (error) {
    database?.close()
    throw error instanceof Failure ? error : unreadable(path, error)
  }
}

/**
 * The file gets its name only when it is complete, so a crash on the way, or another tracker that does
 * the same at this moment, never leaves half a data file.
 */
function createDataFile(path: string): void {
  // Checked again after its companion: another tracker may just have made both.
  if (hasContent(`${path}-wal`) && !existsSync(path)) {
    throw new Failure(
      'data',
      `the data file ${path} is missing but its companion ${path}-wal is there; put the file back, or move the companion away to begin anew`,
    )
  }
  const beside = `${path}.${randomBytes(4).toString('hex')}.new`
  try {
    const database = new DatabaseSync(beside)
    // The file holds password verifiers. SQLite gives its companions the same mode.
    chmodSync(beside, 0o600)
    database.exec('PRAGMA synchronous = FULL')
    database.exec(schema)
    // Only now: WAL is remembered in the file, and with it everything above is in the file itself.
    database.exec('PRAGMA journal_mode = WAL')
    database.close()
    linkSync(beside, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST')
      throw new Failure('data', `cannot make the data file ${path}: ${sentenceOf(error)}`, error)
  } finally {
    removeIfThere(beside)
  }
}

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function checkNotEmpty(path: string): void {
  if (!hasContent(path)) throw damaged(path, 'it is empty')
}

function checkOwner(database: Database, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) {
    throw new Failure(
      'data',
      `${path} is not a data file of this tracker; move it away, or name another folder with --data-dir`,
    )
  }
  const version = pragma(database, 'user_version')
  if (typeof version !== 'number' || version < formatVersion || version > newestFormatVersion) {
    throw new Failure(
      'data',
      `${path} has format ${String(version)}, this tracker reads up to ${newestFormatVersion}; use the version that wrote it`,
    )
  }
}

function checkIntegrity(database: Database, path: string): void {
  const found = pragma(database, 'quick_check(1)')
  if (found !== 'ok') throw damaged(path, String(found))
}

function pragma(database: Database, name: string): unknown {
  const row: unknown = database.prepare(`PRAGMA ${name}`).get()
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined
}

export function damaged(path: string, why: string, cause?: unknown): Failure {
  const what = why.replace(/\s+/g, ' ').trim()
  return new Failure(
    'data',
    `the data file ${path} is damaged (${what}); restore a copy of it, or move it away to begin anew`,
    cause,
  )
}

/** Converts SQLite's error for an unusable file. */
function unreadable(path: string, error: unknown): Failure {
  const sentence = sentenceOf(error)
  if (/not a database/.test(sentence)) {
    return new Failure(
      'data',
      `${path} is not a data file of this tracker, or its beginning is damaged; move it away, or name another folder with --data-dir`,
      error,
    )
  }
  if (/malformed|corrupt|disk image/.test(sentence)) return damaged(path, sentence, error)
  return new Failure('data', `cannot open the data file ${path}: ${sentence}`, error)
}

function removeIfThere(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) unlinkSync(file)
  }
}
