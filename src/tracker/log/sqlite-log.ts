// The log in a SQLite file. Several trackers on one machine may have the same file open: each appends in
// an IMMEDIATE transaction, which puts their entries in one order, and follows what the others append.

import { crc32 } from 'node:zlib'
import { Failure, sentenceOf } from '../../common/failure.ts'
import {
  entriesKeptBehindSnapshot,
  followEveryMs,
  lockPatienceMs,
  lockTimeoutMs,
  lookForFileEveryMs,
} from '../limits.ts'
import { reach } from '../moments.ts'
import type { CommandLog, Kept, LogFollower, LogLag, LogSnapshot, SnapshotToKeep } from './command-log.ts'
import type { Database, Statement } from './sqlite-engine.ts'
import { damaged, openDataFile } from './sqlite-file.ts'
import { PlaceOfFile } from './place-of-file.ts'
import { SqliteSnapshots } from './sqlite-snapshots.ts'

interface EntryRow {
  position: number
  checksum: number
  text: string
}

/** Rows read at once while catching up, so that a long log is never in memory as a whole. */
const rowsPerRead = 10_000

export class SqliteLog implements CommandLog {
  readonly #path: string
  readonly #entriesKept: number
  readonly #place: PlaceOfFile
  readonly #database: Database
  readonly #insert: Statement
  readonly #entriesAfter: Statement
  readonly #firstEntry: Statement
  readonly #version: Statement
  readonly #lastPosition: Statement
  readonly #snapshots: SqliteSnapshots
  #follower: LogFollower | undefined
  #watch: NodeJS.Timeout | undefined
  #lookout: NodeJS.Timeout | undefined
  /** Position of the last entry that was delivered. */
  #delivered = 0
  /** `PRAGMA data_version` at the last look: it changes when another connection has committed. */
  #seenVersion: unknown
  /** When everything in the file was last known to be delivered, in milliseconds of `performance.now()`. */
  #seenEndAtMs = performance.now()
  #isCurrent = false

  /** Throws a `data` failure for a file that is damaged or not ours. */
  constructor(path: string, entriesKept = entriesKeptBehindSnapshot) {
    this.#path = path
    this.#entriesKept = entriesKept
    this.#database = openDataFile(path)
    this.#place = new PlaceOfFile(path)
    this.#snapshots = new SqliteSnapshots(this.#database, path)
    this.#insert = this.#database.prepare('INSERT INTO entries (position, checksum, text) VALUES (?, ?, ?)')
    this.#entriesAfter = this.#database.prepare(
      'SELECT position, checksum, text FROM entries WHERE position > ? ORDER BY position LIMIT ?',
    )
    this.#firstEntry = this.#database.prepare('SELECT min(position) AS position FROM entries')
    this.#version = this.#database.prepare('PRAGMA data_version')
    this.#lastPosition = this.#database.prepare('SELECT max(position) AS position FROM entries')
  }

  // eslint-disable-next-line typescript/require-await
  async follow(follower: LogFollower): Promise<void> {
    this.#follower = follower
    this.#seenVersion = this.#dataVersion()
    try {
      this.#inOneView(() => {
        const snapshot = this.#snapshots.read()
        if (snapshot !== undefined) this.#deliverSnapshot(snapshot)
        this.#deliverNew()
      })
      // Until here nobody was served, so blocking did no harm.
      this.#database.exec(`PRAGMA busy_timeout = ${lockTimeoutMs}`)
    } catch (error) {
      throw error instanceof Failure ? error : this.#cannot('read', error)
    }
    this.#watch = setInterval(() => this.sync(), followEveryMs)
    this.#watch.unref()
    this.#lookout = setInterval(() => this.#orLose(() => this.#place.check()), lookForFileEveryMs)
    this.#lookout.unref()
  }

  async append(entries: readonly string[]): Promise<void> {
    await this.#whenUnlocked(() => this.#tryAppend(entries))
  }

  sync(): undefined {
    // Already in a transaction: a follower that is being told of an entry asks for the next ones.
    if (this.#watch === undefined || this.#database.isTransaction) return
    this.#isCurrent = false
    this.#orLose(() => {
      if (this.#dataVersion() !== this.#seenVersion) this.#inOneView(() => this.#deliverWhenNew())
      this.#seenEndAtMs = performance.now()
      this.#isCurrent = true
    })
  }

  get isCurrent(): boolean {
    return this.#isCurrent
  }

  lag(): LogLag {
    const ms = performance.now() - this.#seenEndAtMs
    let last = this.#delivered
    if (this.#watch !== undefined) this.#orLose(() => (last = this.#positionOfLast()))
    return { entries: Math.max(0, last - this.#delivered), ms }
  }

  async saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void> {
    await this.#whenUnlocked(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      const snapshot = take(this.#snapshots.kept())
      if (snapshot !== undefined) {
        this.#snapshots.write(snapshot)
        this.#database
          .prepare('DELETE FROM entries WHERE position <= ?')
          .run(snapshot.position - this.#entriesKept)
        reach('during snapshot')
      }
      this.#database.exec('COMMIT')
    })
  }

  // eslint-disable-next-line typescript/require-await
  async close(): Promise<void> {
    this.#stopWatching()
    if (!this.#database.isOpen) return
    try {
      // SQLite does this by itself only when no statement is left, and this binding never finalizes them.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // Another tracker is writing, and will do it.
    }
    this.#database.close()
  }

  /** Retries while another tracker holds the lock; the event loop runs between the tries. */
  async #whenUnlocked(write: () => void): Promise<void> {
    const giveUpAtMs = performance.now() + lockPatienceMs
    for (;;) {
      try {
        write()
        return
      } catch (error) {
        this.#rollBack()
        if (error instanceof Failure) throw error
        if (!isLocked(error) || performance.now() > giveUpAtMs) throw this.#cannot('write', error)
      }
      await nextTurn()
    }
  }

  #tryAppend(entries: readonly string[]): void {
    this.#orLose(() => this.#place.check())
    this.sync()
    if (this.#watch === undefined) throw new Failure('data', 'the log is not followed any more')
    this.#database.exec('BEGIN IMMEDIATE')
    // Entries that others have appended come first in the file, so they come first here.
    this.#deliverWhenNew()
    const position = this.#delivered
    for (const [index, text] of entries.entries()) {
      this.#insert.run(position + 1 + index, crc32(text), text)
    }
    reach('before commit')
    // Returns when the write-ahead log is on the disk (synchronous = FULL).
    this.#database.exec('COMMIT')
    reach('after commit')
    for (const [index, text] of entries.entries()) this.#deliver(position + 1 + index, text)
  }

  /** Reads everything as of one moment: no truncation by another tracker comes in between. */
  #inOneView(read: () => void): void {
    this.#database.exec('BEGIN')
    try {
      read()
    } finally {
      this.#database.exec('COMMIT')
    }
  }

  /** An error ends following, unless the file is only locked: then the next look will do. */
  #orLose(look: () => void): void {
    try {
      look()
    } catch (error) {
      if (isLocked(error)) return
      this.#stopWatching()
      this.#follower?.onLost(error instanceof Failure ? error : this.#cannot('read', error))
    }
  }

  #cannot(what: 'read' | 'write', error: unknown): Failure {
    return new Failure('data', `cannot ${what} the data file ${this.#path}: ${sentenceOf(error)}`, error)
  }

  #positionOfLast(): number {
    const row = this.#lastPosition.get() as { position: number | null } | undefined
    return row?.position ?? 0
  }

  /** Call in a transaction. Delivers nothing when no other tracker has written since the last time. */
  #deliverWhenNew(): void {
    const version = this.#dataVersion()
    if (version === this.#seenVersion) return
    this.#deliverNew()
    // Only now: if reading fails, the next look must read again.
    this.#seenVersion = version
  }

  /** Delivers new entries; begins with the snapshot if entries that are lacking here were truncated. */
  #deliverNew(): void {
    const snapshot = this.#isBehindTruncation() ? this.#snapshots.read() : undefined
    if (snapshot !== undefined) this.#deliverSnapshot(snapshot)
    for (;;) {
      const rows = this.#readNew()
      for (const row of rows) this.#deliver(row.position, row.text)
      if (rows.length < rowsPerRead) return
    }
  }

  #isBehindTruncation(): boolean {
    const first = this.#firstEntry.get() as { position: number | null } | undefined
    return (
      (first?.position ?? Infinity) > this.#delivered + 1 && this.#snapshots.kept().position > this.#delivered
    )
  }

  /** Entries that were not delivered yet. Throws a `data` failure if one is missing or altered. */
  #readNew(): EntryRow[] {
    const rows = this.#entriesAfter.all(this.#delivered, rowsPerRead) as unknown as EntryRow[]
    let expected = this.#delivered
    for (const row of rows) {
      expected++
      if (row.position !== expected) throw damaged(this.#path, `entry ${expected} is missing`)
      if (crc32(row.text) !== row.checksum) throw damaged(this.#path, `entry ${expected} is altered`)
    }
    return rows
  }

  #deliver(position: number, text: string): void {
    // Set first, so that an entry is never delivered twice, whatever the follower does.
    this.#delivered = position
    this.#follower?.onEntry(position, text)
  }

  #deliverSnapshot(snapshot: LogSnapshot): void {
    this.#delivered = snapshot.position
    this.#follower?.onSnapshot(snapshot)
  }

  #dataVersion(): unknown {
    return (this.#version.get() as { data_version: number } | undefined)?.data_version
  }

  #rollBack(): void {
    if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  #stopWatching(): void {
    clearInterval(this.#watch)
    clearInterval(this.#lookout)
    this.#watch = undefined
  }
}

function isLocked(error: unknown): boolean {
  return /database is locked/.test(sentenceOf(error))
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
