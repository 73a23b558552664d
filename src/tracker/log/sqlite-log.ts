// The log in a SQLite file. Several trackers on one machine may have the same file open: each appends in
// an IMMEDIATE transaction, which puts their entries in one order, and follows what the others append.

import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { entriesKeptBehindSnapshot, followEveryMs, lockPatienceMs } from '../limits.ts'
import { reach } from '../moments.ts'
import type { CommandLog, LogFollower, LogSnapshot } from './command-log.ts'
import { damaged, openDataFile } from './sqlite-file.ts'

interface EntryRow {
  position: number
  checksum: number
  text: string
}

/** Rows read at once while catching up, so that a long log is never in memory as a whole. */
const rowsPerRead = 10_000
const allRows = -1

export class SqliteLog implements CommandLog {
  readonly #path: string
  readonly #entriesKept: number
  readonly #database: DatabaseSyncInstance
  readonly #insert: StatementSyncInstance
  readonly #entriesAfter: StatementSyncInstance
  readonly #version: StatementSyncInstance
  #follower: LogFollower | undefined
  #watch: NodeJS.Timeout | undefined
  /** Position of the last entry that was delivered. */
  #delivered = 0
  /** `PRAGMA data_version` at the last look: it changes when another connection has committed. */
  #seenVersion: unknown

  /** Throws a `data` failure for a file that is damaged or not ours. */
  constructor(path: string, entriesKept = entriesKeptBehindSnapshot) {
    this.#path = path
    this.#entriesKept = entriesKept
    this.#database = openDataFile(path)
    this.#insert = this.#database.prepare('INSERT INTO entries (position, checksum, text) VALUES (?, ?, ?)')
    this.#entriesAfter = this.#database.prepare(
      'SELECT position, checksum, text FROM entries WHERE position > ? ORDER BY position LIMIT ?',
    )
    this.#version = this.#database.prepare('PRAGMA data_version')
  }

  // eslint-disable-next-line typescript/require-await
  async follow(follower: LogFollower): Promise<void> {
    this.#follower = follower
    this.#seenVersion = this.#dataVersion()
    // One read transaction, so that no truncation comes between the snapshot and the entries behind it.
    this.#database.exec('BEGIN')
    try {
      const snapshot = this.#readSnapshot()
      if (snapshot !== undefined) this.#deliverSnapshot(snapshot)
      this.#deliverNew()
    } finally {
      this.#database.exec('COMMIT')
    }
    this.#watch = setInterval(() => this.catchUp(), followEveryMs)
    this.#watch.unref()
  }

  async append(entries: readonly string[]): Promise<void> {
    const giveUpAtMs = performance.now() + lockPatienceMs
    while (!this.#tryAppend(entries, giveUpAtMs)) await nextTurn()
  }

  catchUp(): void {
    if (this.#watch === undefined) return
    try {
      const version = this.#dataVersion()
      if (version === this.#seenVersion) return
      this.#deliverNew()
      // Only now: had reading failed, the next look must read again.
      this.#seenVersion = version
    } catch (error) {
      if (!(error instanceof Failure)) return // Locked or short of memory just now: the next look will do.
      this.#stopWatching()
      this.#follower?.onLost(error)
    }
  }

  // eslint-disable-next-line typescript/require-await
  async saveSnapshot(take: () => LogSnapshot): Promise<void> {
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const before = this.#snapshotPosition()
      // Another tracker may have been first; a few entries more are not worth another snapshot.
      if (before + this.#entriesKept / 2 < this.#delivered) {
        this.#writeSnapshot(take())
        reach('during snapshot')
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#rollBack()
      throw new Failure('data', `cannot write a snapshot to ${this.#path}: ${sentenceOf(error)}`, error)
    }
  }

  // eslint-disable-next-line typescript/require-await
  async close(): Promise<void> {
    this.#stopWatching()
    if (!this.#database.isOpen) return
    try {
      // SQLite does this by itself only when no statement is left, and this binding never ends them.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // Another tracker is writing: then it will do it.
    }
    this.#database.close()
  }

  /** False when another tracker holds the lock and it is worth trying again. */
  #tryAppend(entries: readonly string[], giveUpAtMs: number): boolean {
    let others: EntryRow[]
    let position: number
    this.catchUp()
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      others = this.#readNew(allRows)
      position = others.at(-1)?.position ?? this.#delivered
      for (const [index, text] of entries.entries()) {
        this.#insert.run(position + 1 + index, crc32(text), text)
      }
      reach('before commit')
      // Returns when the write-ahead log is on the disk (synchronous = FULL), and not before.
      this.#database.exec('COMMIT')
      reach('after commit')
    } catch (error) {
      this.#rollBack()
      if (isLocked(error) && performance.now() < giveUpAtMs) return false
      throw new Failure('data', `cannot write ${this.#path}: ${sentenceOf(error)}`, error)
    }
    // Others' entries came first in the file, so they come first here.
    for (const row of others) this.#deliver(row.position, row.text)
    for (const [index, text] of entries.entries()) this.#deliver(position + 1 + index, text)
    return true
  }

  #writeSnapshot({ position, text }: LogSnapshot): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO snapshot (one, position, sha256, text) VALUES (1, ?, ?, ?)')
      .run(position, sha256(text), text)
    this.#database.prepare('DELETE FROM entries WHERE position <= ?').run(position - this.#entriesKept)
  }

  #snapshotPosition(): number {
    const row = this.#database.prepare('SELECT position FROM snapshot').get() as
      { position: number } | undefined
    return row?.position ?? 0
  }

  #readSnapshot(): LogSnapshot | undefined {
    const row = this.#database.prepare('SELECT position, sha256, text FROM snapshot').get() as
      (LogSnapshot & { sha256: string }) | undefined
    if (row === undefined) return undefined
    if (sha256(row.text) !== row.sha256) throw damaged(this.#path, 'the snapshot does not match its hash')
    return row
  }

  /** Delivers what is new; from the snapshot on, if entries that are lacking here were truncated. */
  #deliverNew(): void {
    const snapshot = this.#isBehindTruncation() ? this.#readSnapshot() : undefined
    if (snapshot !== undefined) this.#deliverSnapshot(snapshot)
    for (;;) {
      const rows = this.#readNew(rowsPerRead)
      for (const row of rows) this.#deliver(row.position, row.text)
      if (rows.length < rowsPerRead) return
    }
  }

  #isBehindTruncation(): boolean {
    const first = this.#database.prepare('SELECT min(position) AS position FROM entries').get() as
      { position: number | null } | undefined
    return (first?.position ?? Infinity) > this.#delivered + 1 && this.#snapshotPosition() > this.#delivered
  }

  /** Entries that were not delivered yet. Throws a `data` failure if one is missing or altered. */
  #readNew(rowsMax: number): EntryRow[] {
    const rows = this.#entriesAfter.all(this.#delivered, rowsMax) as unknown as EntryRow[]
    let expected = this.#delivered
    for (const row of rows) {
      expected++
      if (row.position !== expected) throw damaged(this.#path, `entry ${expected} is missing`)
      if (crc32(row.text) !== row.checksum) throw damaged(this.#path, `entry ${expected} is altered`)
    }
    return rows
  }

  #deliver(position: number, text: string): void {
    // First, so that an entry is never delivered twice, whatever the follower does.
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

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
