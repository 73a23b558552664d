// What a backup is: the data file of the log as of one moment, which also holds the other files of the data folder that
// cannot be made anew. A tracker would take it for a data file, and a data file is a backup without those files.

import { chmodSync, constants, copyFileSync, existsSync, rmSync } from 'node:fs'
import { Failure, sentenceOf } from '../common/failure.ts'
import { DatabaseSync } from './log/sqlite-engine.ts'
import { SqliteLog } from './log/sqlite-log.ts'
import { Sequencer } from './sequencer.ts'
import { totalsOf } from './state/queries.ts'

/** A file beside the log, by its path in the data folder. */
export interface KeptFile {
  readonly path: string
  readonly content: Uint8Array
}

/** What a data file comes to. */
export interface Contents {
  readonly position: number
  readonly users: number
  readonly groups: number
  readonly files: readonly KeptFile[]
}

/** The keys by which clients know the trackers, and the list by which a data folder is found. */
const keptPath = /^(tracker-\d{1,6}\/identity\.pem|tracker_info\.txt)$/
const table = 'kept_files'
/** The file itself, and what SQLite may have beside it. */
const tails = ['', '-wal', '-shm', '-journal']

export function isKept(path: string): boolean {
  return keptPath.test(path)
}

export function isKey({ path }: KeptFile): boolean {
  return path.endsWith('.pem')
}

/**
 * Reads all of a data file into a state, as a tracker does at its start. Leaves it as it is, since it reads a copy beside
 * it: after reading, an engine may keep a file open until its garbage is collected. Rejects with a `data` failure that says
 * what is wrong with it, by the name that people know it by.
 */
export async function readThrough(path: string, knownAs: string): Promise<Contents> {
  const copy = `${path}.read`
  try {
    copyDatabase(path, copy)
    return { ...(await totalsIn(copy)), files: filesIn(copy) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, error.message.replaceAll(copy, knownAs), error)
  } finally {
    removeDatabase(copy)
  }
}

async function totalsIn(path: string): Promise<Omit<Contents, 'files'>> {
  const log = new SqliteLog(path)
  try {
    const ignore = (): void => undefined
    const events = { onApplied: ignore, onStateReplaced: ignore, onTrouble: ignore, onLost: ignore }
    const sequencer = new Sequencer(log, events)
    await sequencer.start()
    const { users, groups } = totalsOf(sequencer.state)
    return { position: sequencer.position, users, groups }
  } finally {
    await log.close()
  }
}

function filesIn(path: string): KeptFile[] {
  const database = new DatabaseSync(path)
  try {
    const hasTable = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined
    const rows = hasTable ? database.prepare(`SELECT path, content FROM ${table}`).all() : []
    return (rows as unknown as KeptFile[]).filter((file) => isKept(file.path))
  } finally {
    database.close()
  }
}

/** Adds the files to a data file that is in no use. Nothing is left beside it. Throws SQLite's error. */
export function addFiles(path: string, files: readonly KeptFile[]): void {
  const rows = files.map((file) => `('${file.path}', x'${Buffer.from(file.content).toString('hex')}')`)
  change(path, [
    `CREATE TABLE ${table} (path TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT`,
    ...rows.map((row) => `INSERT INTO ${table} (path, content) VALUES ${row}`),
  ])
}

/** Takes the files out again, so that nothing of them stays behind. Nothing is left beside it. Throws SQLite's error. */
export function dropFiles(path: string): void {
  change(path, ['PRAGMA secure_delete = ON', `DROP TABLE IF EXISTS ${table}`])
}

/** Whether a tracker has the data file open. One that nobody has open becomes one file, with nothing beside it. */
export function isInUse(path: string): boolean {
  if (!existsSync(path)) return false
  try {
    change(path, [])
    return false
  } catch (error) {
    // Anything else is wrong with the file.
    return /database is locked/.test(sentenceOf(error))
  }
}

/** Prepares nothing, see `readThrough`: the file is free when this returns. */
function change(path: string, statements: readonly string[]): void {
  const database = new DatabaseSync(path)
  try {
    // Fails while somebody else has it open.
    database.exec('PRAGMA journal_mode = DELETE')
    database.exec('PRAGMA synchronous = FULL')
    for (const statement of statements) database.exec(statement)
  } finally {
    database.close()
  }
}

/** With its write-ahead file, if it has one. Only its owner can read the copy. */
export function copyDatabase(from: string, to: string): void {
  for (const tail of ['', '-wal']) {
    if (tail !== '' && !existsSync(from + tail)) continue
    copyFileSync(from + tail, to + tail, constants.COPYFILE_FICLONE)
    chmodSync(to + tail, 0o600)
  }
}

export function removeDatabase(path: string): void {
  for (const tail of tails) rmSync(path + tail, { force: true })
}
