// Keeps snapshots in the data file of the SQLite log: one text, or a row for each section, of which a snapshot writes
// the changed ones. Callers are in a transaction, so a snapshot is kept entirely or not at all.

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { counted } from '../../common/counted.ts'
import type { Kept, LogSnapshot, SnapshotToKeep } from './command-log.ts'
import type { Database } from './sqlite-engine.ts'
import { damaged } from './sqlite-file.ts'

interface Row {
  position: number
  sha256: string
  /** The snapshot itself, or the number of its sections, in the form of `countPattern`. */
  text: string
}

interface SectionRow {
  key: string
  checksum: number
  text: string
}

/**
 * Since format 2 of the file, which trackers of version 0.1 refuse. Has row ids, so that the index of the keys is
 * small: counting the sections reads it.
 */
const sectionsTable = `
  CREATE TABLE sections (key TEXT PRIMARY KEY, checksum INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
  PRAGMA user_version = 2;
`
const countPattern = /^\{"sections":(\d+)\}$/

export class SqliteSnapshots {
  readonly #database: Database
  readonly #path: string

  constructor(database: Database, path: string) {
    this.#database = database
    this.#path = path
  }

  kept(): Kept {
    const row = this.#row()
    const position = row?.position ?? 0
    return { position, ofSections: countPattern.test(row?.text ?? '') ? position : 0 }
  }

  write(snapshot: SnapshotToKeep): void {
    if ('text' in snapshot) this.#writeRow(snapshot.position, snapshot.text)
    else {
      this.#writeSections(snapshot.changed)
      this.#writeRow(snapshot.position, JSON.stringify({ sections: this.#count() }))
    }
  }

  /** Throws a `data` failure when the snapshot is damaged. */
  read(): LogSnapshot | undefined {
    const row = this.#row()
    if (row === undefined) return undefined
    const { position, text } = row
    if (sha256(text) !== row.sha256) throw damaged(this.#path, 'the snapshot does not match its hash')
    const count = countPattern.exec(text)?.[1]
    return count === undefined ? { position, text } : { position, sections: this.#sections(Number(count)) }
  }

  *#sections(count: number): Generator<readonly [string, string]> {
    let seen = 0
    const rows = this.#database.prepare('SELECT key, checksum, text FROM sections ORDER BY key').iterate()
    for (const row of rows) {
      const { key, checksum, text } = row as unknown as SectionRow
      if (crc32(text) !== checksum) throw damaged(this.#path, `section ${key} of the snapshot is altered`)
      seen++
      yield [key, text]
    }
    if (seen !== count) throw damaged(this.#path, `the snapshot has ${seen} of ${counted(count, 'section')}`)
  }

  #row(): Row | undefined {
    return this.#database.prepare('SELECT position, sha256, text FROM snapshot').get() as Row | undefined
  }

  #writeRow(position: number, text: string): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO snapshot (one, position, sha256, text) VALUES (1, ?, ?, ?)')
      .run(position, sha256(text), text)
  }

  #writeSections(changed: Iterable<readonly [string, string | undefined]>): void {
    if (!this.#hasSections()) this.#database.exec(sectionsTable)
    const put = this.#database.prepare(
      'INSERT OR REPLACE INTO sections (key, checksum, text) VALUES (?, ?, ?)',
    )
    const drop = this.#database.prepare('DELETE FROM sections WHERE key = ?')
    for (const [key, text] of changed) {
      if (text === undefined) drop.run(key)
      else put.run(key, crc32(text), text)
    }
  }

  #hasSections(): boolean {
    return this.#database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sections'").get() !== undefined
  }

  #count(): number {
    const row = this.#database.prepare('SELECT count(*) AS count FROM sections').get() as { count: number }
    return row.count
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
