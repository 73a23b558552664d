// Records which pieces of a `.part` file are there: one record per piece, appended after the piece was
// written. Records are claims, not proof: resuming hashes every claimed piece again. So nothing needs to be
// flushed, and a torn or lost journal costs time, never correctness.
//
//   bytes 0–3 "CTJ1", bytes 4–35 the file id, then 4 bytes per record: the index of a piece, big-endian

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder } from '../../common/data-folder.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'

const magic = Buffer.from('CTJ1')
const headerBytes = 36

export class ProgressJournal {
  readonly #path: string
  readonly #fileId: string
  #file: FileHandle | undefined
  readonly #writes = new Set<Promise<unknown>>()

  constructor(path: string, fileId: string) {
    this.#path = path
    this.#fileId = fileId
  }

  /** The claimed pieces; undefined when the journal is unreadable, invalid, or of another file. */
  read(pieceCount: number): Set<number> | undefined {
    let bytes: Buffer
    try {
      bytes = readFileSync(this.#path)
    } catch {
      // `begin` reports it if the journal cannot be written either.
      return undefined
    }
    if (bytes.length < headerBytes || !bytes.subarray(0, headerBytes).equals(this.#header())) return undefined
    const claimed = new Set<number>()
    // Ignores a last record that a crash cut off.
    for (let at = headerBytes; at + 4 <= bytes.length; at += 4) {
      const index = bytes.readUInt32BE(at)
      if (index >= pieceCount) return undefined
      claimed.add(index)
    }
    return claimed
  }

  /** Begins a journal with the pieces known to be there. Rejects with a `file` failure, as all methods do. */
  async begin(have: Iterable<number>): Promise<void> {
    await this.close()
    try {
      this.#file = await open(this.#path, 'w', 0o600)
      await this.#file.writeFile(Buffer.concat([this.#header(), ...[...have].map(recordOf)]))
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /**
   * Records that a piece was written. Never blocks the event loop on the disk: while a file system commits, a
   * write of four bytes can take a tenth of a second.
   */
  async add(index: number): Promise<void> {
    const file = this.#file
    // Closed meanwhile: an unrecorded piece is fetched again.
    if (file === undefined) return
    try {
      await this.#hold(() => file.writeFile(recordOf(index)))
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Lends the file descriptor to a caller that writes records itself. */
  async lend<T>(write: (file: number) => Promise<T>): Promise<T> {
    const file = this.#file
    if (file === undefined) throw new Failure('file', `the journal ${this.#path} is not open`)
    return this.#hold(() => write(file.fd))
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await Promise.allSettled(this.#writes)
    try {
      await file?.close()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  async remove(): Promise<void> {
    await this.close()
    // A journal left behind is harmless: claims about a part file that is gone are not trusted.
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  /** Keeps `close` from closing the file during the write. */
  async #hold<T>(write: () => Promise<T>): Promise<T> {
    const written = write()
    this.#writes.add(written)
    try {
      return await written
    } finally {
      this.#writes.delete(written)
    }
  }

  #failure(error: unknown): Failure {
    return new Failure(
      'file',
      `cannot save the progress of a download in ${this.#path}: ${sentenceOf(error)}`,
      error,
    )
  }

  #header(): Buffer {
    return Buffer.concat([magic, Buffer.from(this.#fileId, 'hex')])
  }
}

/** The record that piece `index` is written. */
export function recordOf(index: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(index)
  return bytes
}

/** The journal of a download, identified by its destination and file id. */
export function journalOf(folder: string, destination: string, fileId: string): ProgressJournal {
  const place = join(folder, 'journals')
  makePrivateFolder(place)
  const name = createHash('sha256').update(`${fileId} ${destination}`).digest('hex').slice(0, 32)
  return new ProgressJournal(join(place, name), fileId)
}
