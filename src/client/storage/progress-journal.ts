// Which pieces of a `.part` are said to be there: one record a piece, appended after the piece was
// written. Records are claims, not proof: at resume every claimed piece is hashed again. So nothing
// needs to be flushed, and a torn or lost journal costs time, never correctness.
//
//   bytes 0–3 "CTJ1", bytes 4–35 the file id, then 4 bytes a record: the index of a piece, big-endian

import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder } from '../../common/data-folder.ts'
import { systemCode } from '../../common/failure.ts'

const magic = Buffer.from('CTJ1')
const headerBytes = 36

export class ProgressJournal {
  readonly #path: string
  readonly #fileId: string
  #file: number | undefined

  constructor(path: string, fileId: string) {
    this.#path = path
    this.#fileId = fileId
  }

  /** The claimed pieces; undefined when the journal is missing, of another file, or cannot be right. */
  read(pieceCount: number): Set<number> | undefined {
    let bytes: Buffer
    try {
      bytes = readFileSync(this.#path)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
    if (bytes.length < headerBytes || !bytes.subarray(0, headerBytes).equals(this.#header())) return undefined
    const claimed = new Set<number>()
    // A record that was cut off by a crash is the last one: it is not claimed.
    for (let at = headerBytes; at + 4 <= bytes.length; at += 4) {
      const index = bytes.readUInt32BE(at)
      if (index >= pieceCount) return undefined
      claimed.add(index)
    }
    return claimed
  }

  /** Begins a new journal with what is known to be there. */
  begin(have: Iterable<number>): void {
    this.close()
    this.#file = openSync(this.#path, 'w', 0o600)
    const records = [...have].map(record)
    writeSync(this.#file, Buffer.concat([this.#header(), ...records]))
  }

  /** One more piece is written. */
  add(index: number): void {
    if (this.#file !== undefined) writeSync(this.#file, record(index))
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  remove(): void {
    this.close()
    rmSync(this.#path, { force: true })
  }

  #header(): Buffer {
    return Buffer.concat([magic, Buffer.from(this.#fileId, 'hex')])
  }
}

function record(index: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(index)
  return bytes
}

/** The journal of a download, by where it goes and which file it is. */
export function journalOf(folder: string, destination: string, fileId: string): ProgressJournal {
  const place = join(folder, 'journals')
  makePrivateFolder(place)
  const name = createHash('sha256').update(`${fileId} ${destination}`).digest('hex').slice(0, 32)
  return new ProgressJournal(join(place, name), fileId)
}
