// The file that a download is written to until it is complete: `<destination>.part`. Owns opening it
// without following links, reading and writing pieces, and publishing it under its final name.

import { constants } from 'node:fs'
import { link, lstat, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { pieceOffset } from '../../common/pieces.ts'
import { PieceReader } from '../transfer/piece-reader.ts'

export class PartFile {
  readonly destination: string
  readonly path: string
  readonly #reader = new PieceReader()
  #file: FileHandle | undefined
  readonly #writes = new Set<Promise<unknown>>()

  constructor(destination: string) {
    this.destination = destination
    this.path = `${destination}.part`
  }

  /**
   * Opens the file, makes it where it is not there, and gives it its size (sparse: no space is taken yet).
   * Resolves to whether it was there. Rejects with a `file` failure.
   */
  async open(sizeBytes: number): Promise<boolean> {
    const existed = await this.exists()
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
    try {
      this.#file = await open(this.path, flags, 0o644)
      const stats = await this.#file.stat()
      if (!stats.isFile()) throw new Failure('file', `${this.path} is not a file`)
      if (stats.size !== sizeBytes) await this.#file.truncate(sizeBytes)
    } catch (error) {
      await this.close()
      throw fileFailure(`cannot write ${this.path}`, error)
    }
    return existed
  }

  async exists(): Promise<boolean> {
    return (await stat(this.path).catch(() => undefined)) !== undefined
  }

  /** Writes all of these bytes as piece `index`. Rejects with a `file` failure. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    const file = this.#opened()
    await this.#hold(async () => {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, pieceOffset(index) + at)
        at += bytesWritten
      }
    })
  }

  /** Lends the file descriptor to whoever writes. Rejects with a `file` failure when that fails. */
  async lend<T>(write: (file: number) => Promise<T>): Promise<T> {
    const { fd } = this.#opened()
    return this.#hold(() => write(fd))
  }

  /** Reads piece `index` of `length` bytes to the start of the buffer. Rejects with a `file` failure. */
  async read(index: number, length: number, buffer: Buffer): Promise<void> {
    try {
      const bytesRead = await this.#reader.read(this.#opened(), buffer, length, pieceOffset(index))
      if (bytesRead !== length) throw new Error('it is shorter than it was')
    } catch (error) {
      throw fileFailure(`cannot read ${this.path}`, error)
    }
  }

  /** Rejects with a `file` failure when the file at `path` is not the one that was opened any more. */
  async checkInPlace(): Promise<void> {
    const opened = await this.#opened().stat()
    const named = await stat(this.path).catch((error: unknown) => {
      throw new Failure('file', `${this.path} was removed`, error)
    })
    if (named.ino !== opened.ino || named.dev !== opened.dev)
      throw new Failure('file', `${this.path} was replaced by another file`)
  }

  /**
   * Gives the file its final name. Without `overwrite` it never takes the place of another file, not
   * even of one that appeared in this moment: a hard link fails where a rename would replace.
   * The data reaches the disk in the background: `flushed` says when. Pieces can still be read.
   */
  async publish(overwrite: boolean): Promise<{ flushed: Promise<void> }> {
    const file = this.#opened()
    // The same piece may come from two peers. After publishing not even the same bytes are written:
    // the time of such a write would read as a change of the shared file.
    await Promise.allSettled(this.#writes)
    await this.checkInPlace()
    try {
      if (overwrite) await rename(this.path, this.destination)
      else await this.#renameToNew()
    } catch (error) {
      if (systemCode(error) === 'EEXIST')
        throw new Failure('file', `${this.destination} exists now; it was not overwritten`, error)
      throw fileFailure(`cannot rename ${this.path}`, error)
    }
    const flushed = flush(file, dirname(this.destination))
    // It may fail before anybody listens, and a failure that nobody listens to ends the program.
    flushed.catch(() => undefined)
    return { flushed }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await Promise.allSettled(this.#writes)
    await file?.close()
  }

  /** Rejects with a `file` failure. */
  async remove(): Promise<void> {
    await this.close()
    await rm(this.path, { force: true }).catch((error: unknown) => {
      throw fileFailure(`cannot remove ${this.path}`, error)
    })
  }

  /** The file is neither closed nor published while it is written to. */
  async #hold<T>(write: () => Promise<T>): Promise<T> {
    const written = write()
    this.#writes.add(written)
    try {
      return await written
    } catch (error) {
      throw fileFailure(`cannot write ${this.path}`, error)
    } finally {
      this.#writes.delete(written)
    }
  }

  async #renameToNew(): Promise<void> {
    try {
      await link(this.path, this.destination).catch((error: unknown) => this.#acceptOwnName(error))
      await rm(this.path)
    } catch (error) {
      // A file system without hard links: as good as it can be had there.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error
      const taken = await stat(this.destination).catch(() => undefined)
      if (taken !== undefined)
        throw new Failure('file', `${this.destination} exists now; it was not overwritten`)
      await rename(this.path, this.destination)
    }
  }

  /** The program may have ended between the two steps: then the file has both names already. */
  async #acceptOwnName(error: unknown): Promise<void> {
    if (systemCode(error) !== 'EEXIST') throw error
    const [opened, named] = await Promise.all([this.#opened().stat(), lstat(this.destination)])
    if (named.ino !== opened.ino || named.dev !== opened.dev) throw error
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Failure('file', `${this.path} is not open`)
    return this.#file
  }
}

async function flush(file: FileHandle, folder: string): Promise<void> {
  await file.sync()
  const opened = await open(folder, constants.O_RDONLY)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** A failure that says in plain words what the system's code means. */
export function fileFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  const words: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ELOOP: 'it is a symbolic link',
    ENOENT: 'the folder does not exist',
    ENAMETOOLONG: 'the name is too long',
  }
  return new Failure('file', `${what}: ${words[systemCode(error) ?? ''] ?? sentenceOf(error)}`, error)
}
