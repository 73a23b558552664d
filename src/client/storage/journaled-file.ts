// A JSON file that is replaced as a whole, so that a crash leaves the old or the new one. When it has become large, changes
// are appended to a journal beside it instead, until that is as long as the file: otherwise each of thousands of changes
// would write all that there is.
//
//   <name>.json     the whole; with a journal it also has "journal": "<id>"
//   <name>.journal  lines: the CRC-32 of the rest, a space, JSON. The first is the id in quotes, each other one is an array
//                   of changes that were saved together
//
// A journal with another id than the file is of an earlier time, and counts for nothing: so does one beside a file that a
// version of this program without journals has replaced. Such a version finds all in the file after an orderly end.

import { randomBytes } from 'node:crypto'
import { open, readFile, rm, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { flushFolderOf, replaceFile } from '../../common/data-folder.ts'
import { systemCode } from '../../common/failure.ts'

/** In characters. A smaller file is replaced: that is nearly as fast, and people can read it. */
const smallMax = 64 * 1024

export interface Journaled {
  /** What was last saved as a whole. */
  readonly whole: object
  /** What was changed since, in its order. */
  readonly changes: readonly unknown[]
}

export class JournaledFile {
  readonly path: string
  readonly #journalPath: string
  /** Of the whole, in characters. */
  #wholeLength = 0
  /** The id of the journal that may be appended to; undefined where the whole has to be replaced first. */
  #id: string | undefined
  #journal: FileHandle | undefined
  #journalLength = 0

  /** `path` ends in `.json`. */
  constructor(path: string) {
    this.path = path
    this.#journalPath = path.replace(/\.json$/, '.journal')
  }

  /**
   * Undefined where there is none. Rejects with what the system says, and with a `SyntaxError` or `TypeError` for what is
   * damaged. A last line that is not whole was never said to be saved.
   */
  async load(): Promise<Journaled | undefined> {
    const text = await readIfThere(this.path)
    if (text === undefined) return undefined
    const whole: unknown = JSON.parse(text)
    if (typeof whole !== 'object' || whole === null) throw new TypeError('it is no object')
    const id = 'journal' in whole ? whole.journal : undefined
    return { whole, changes: typeof id === 'string' ? await this.#changesSince(id) : [] }
  }

  /**
   * Saves these changes, which `whole` has already; call it again only when it has settled. Rejects with what the system says;
   * the next call then saves the whole.
   */
  async save(changes: readonly object[], whole: () => object): Promise<void> {
    const line = lineOf(changes)
    const isLong = this.#journalLength + line.length > this.#wholeLength
    if (this.#id === undefined || this.#wholeLength <= smallMax || isLong) await this.#replace(whole())
    else await this.#append(this.#id, line)
  }

  /** Leaves one file without a journal. Rejects with what the system says. */
  async close(whole: () => object): Promise<void> {
    if (this.#id === undefined) return
    const isJournaled = this.#journal !== undefined
    await this.#endJournal()
    if (isJournaled) await replaceFile(this.path, textOf(whole()))
    await rm(this.#journalPath, { force: true })
  }

  async #replace(whole: object): Promise<void> {
    await this.#endJournal()
    const id = randomBytes(9).toString('base64url')
    const text = textOf({ ...whole, journal: id })
    const isLarge = text.length > smallMax
    await replaceFile(this.path, isLarge ? text : textOf(whole))
    this.#wholeLength = text.length
    this.#id = id
  }

  async #append(id: string, line: string): Promise<void> {
    try {
      if (this.#journal === undefined) {
        this.#journal = await open(this.#journalPath, 'w', 0o600)
        await this.#journal.writeFile(lineOf(id) + line)
        await this.#journal.sync()
        await flushFolderOf(this.#journalPath)
      } else {
        await this.#journal.writeFile(line)
        await this.#journal.datasync()
      }
      this.#journalLength += line.length
    } catch (error) {
      await this.#endJournal()
      throw error
    }
  }

  /** What is in it still counts, until the whole is replaced. */
  async #endJournal(): Promise<void> {
    const journal = this.#journal
    this.#journal = undefined
    this.#journalLength = 0
    this.#id = undefined
    // All that counts has been flushed.
    await journal?.close().catch(() => undefined)
  }

  async #changesSince(id: string): Promise<unknown[]> {
    const lines = ((await readIfThere(this.#journalPath)) ?? '').split('\n')
    // Behind the last line break is nothing, or what a crash cut off.
    const values = lines.slice(0, -1).map(valueOf)
    if (values[0] !== id) return []
    const torn = values.indexOf(undefined)
    if (torn !== -1 && torn < values.length - 1) throw new TypeError('a line of its journal is damaged')
    return values.slice(1).flatMap((changes) => (Array.isArray(changes) ? (changes as unknown[]) : []))
  }
}

function textOf(whole: object): string {
  return `${JSON.stringify(whole, null, 1)}\n`
}

function lineOf(value: unknown): string {
  const json = JSON.stringify(value)
  return `${crc32(json).toString(16)} ${json}\n`
}

/** Undefined for a line that is not as it was written. */
function valueOf(line: string): unknown {
  const [sum = ''] = line.split(' ', 1)
  const json = line.slice(sum.length + 1)
  return crc32(json).toString(16) === sum ? JSON.parse(json) : undefined
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
}
