// The file that a download is written to until it is complete: `<destination>.part`. Owns creating it,
// opening it without following links, reading and writing pieces, and seeing whether others wrote to it.

import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { lstat, open, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { pieceOffset } from '../../common/pieces.ts'
import { PieceReader } from '../transfer/piece-reader.ts'
import { isSealed, newSeal, setSeal, type Seal } from '../workers/part-seal.ts'
import { PartWatch } from './part-watch.ts'
import { giveFinalName } from './publishing.ts'

/** Bytes of a name that every file system takes. */
const nameBytesMax = 255
const suffix = '.part'

/** What a worker needs in order to write to the file: see part-seal.ts. */
export interface SealedFile {
  readonly file: number
  readonly seal: Seal
  /** Whether the seal must be whole at present: the event loop itself writes nothing. */
  readonly isAtRest: boolean
}

/**
 * Names one file as long as it exists: device, inode and time of birth. The number of an inode is used again
 * for the next file, the time of birth is not known everywhere; and on some systems both change when a disk
 * is mounted anew.
 */
export type PartId = string

/** Where the part file of this destination is. A name without room for `.part` is shortened. */
export function partPathOf(destination: string): string {
  const name = basename(destination)
  if (Buffer.byteLength(name) + suffix.length <= nameBytesMax) return `${destination}${suffix}`
  const rest = `~${createHash('sha256').update(name).digest('hex').slice(0, 16)}${suffix}`
  // Cut between two characters: a decoder ends at half of one with a replacement character.
  const start = Buffer.from(name)
    .subarray(0, nameBytesMax - rest.length)
    .toString()
    .replace(/\ufffd$/, '')
  return join(dirname(destination), start + rest)
}

/**
 * Makes an empty part file that was not there before, so that nobody else uses its name: not another
 * download that reaches the same folder by another way, nor another program. Rejects with a `file` failure,
 * whose cause is EEXIST when the name is taken.
 */
export async function claimPart(destination: string): Promise<PartId> {
  const path = partPathOf(destination)
  try {
    const file = await open(path, newFileFlags)
    try {
      return idOf(await file.stat())
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileFailure(`cannot write ${path}`, error)
  }
}

/** Removes the part file if it is this one, or if it is not known which one it is. Rejects with a `file` failure. */
export async function removePart(destination: string, id: PartId | undefined): Promise<void> {
  const path = partPathOf(destination)
  try {
    const there = await lstat(path).catch(() => undefined)
    if (there === undefined || !there.isFile() || (id !== undefined && !isThatPart(idOf(there), id))) return
    await rm(path, { force: true })
  } catch (error) {
    throw fileFailure(`cannot remove ${path}`, error)
  }
}

const newFileFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Where the time of birth is not known, systems give the time of the last change in its place. */
function idOf({ dev, ino, birthtimeMs, ctimeMs }: Stats): PartId {
  return birthtimeMs === ctimeMs ? `${dev}:${ino}` : `${dev}:${ino}:${birthtimeMs}`
}

/** Whether a file with this id is the one that was remembered under that one, as far as that one says. */
function isThatPart(id: PartId, remembered: PartId): boolean {
  return id === remembered || id.startsWith(`${remembered}:`)
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}

export class PartFile {
  readonly destination: string
  readonly path: string
  readonly #reader = new PieceReader()
  #file: FileHandle | undefined
  /** Undefined where there is none: then the seal alone shows writes of others. */
  #watch: PartWatch | undefined
  #id: PartId = ''
  readonly #writes = new Set<Promise<unknown>>()
  /** Of these, those of the event loop itself. */
  #writesHere = 0
  /** Undefined where times cannot be set: then nothing is known of the writes of others. */
  #seal: Seal | undefined
  #isTouched = false
  /** Nothing was written since all of it was verified; this counts where there is no seal. */
  #isFresh = false

  constructor(destination: string) {
    this.destination = destination
    this.path = partPathOf(destination)
  }

  /**
   * Opens the file as it is, or makes it where there is none. `isKnown`: it is the one named by `knownId`,
   * or that is not known. Rejects with a `file` failure.
   */
  async open(knownId?: PartId): Promise<{ existed: boolean; isKnown: boolean }> {
    try {
      const { file, existed } = await this.#openOrMake()
      this.#file = file
      const stats = await file.stat()
      if (!stats.isFile()) throw new Failure('file', `${this.path} is not a file`)
      this.#id = idOf(stats)
      await this.#startWatch(file)
      return { existed, isKnown: knownId === undefined || isThatPart(this.#id, knownId) }
    } catch (error) {
      await this.close()
      throw fileFailure(`cannot write ${this.path}`, error)
    }
  }

  async #startWatch(file: FileHandle): Promise<void> {
    const watched = await PartWatch.start(this.path, file, () => this.onTouched())
    if (watched === undefined) return
    this.#file = watched.file
    this.#watch = watched.watch
    await file.close()
  }

  /** Which file it is, as far as that is known by now; to be remembered, so that no other is taken for it later. */
  get id(): PartId {
    return this.#id
  }

  /** Bytes that the file has now. Rejects with the system's error. */
  async size(): Promise<number> {
    return (await this.#opened().stat()).size
  }

  /** Gives the file its size (sparse: no space is taken yet) and seals it. Rejects with a `file` failure. */
  async prepare(sizeBytes: number): Promise<void> {
    const file = this.#opened()
    try {
      if ((await file.stat()).size !== sizeBytes) await file.truncate(sizeBytes)
    } catch (error) {
      throw fileFailure(`cannot write ${this.path}`, error)
    }
    this.reseal()
    // Only once it has changed can its time of birth be told from that of its last change.
    this.#id = idOf(await file.stat())
  }

  /** From now on the content counts as untouched, whoever wrote it: it was just verified. */
  reseal(): void {
    this.#isTouched = false
    this.#isFresh = true
    this.#sealAs(newSeal())
  }

  /**
   * Whether nobody else has written to the file since `prepare` or `reseal`, as far as can be seen. Where
   * nothing can be seen, only a file that was just verified counts as untouched.
   */
  get isUntouched(): boolean {
    if (this.#isTouched) return false
    if (this.#seal === undefined) return this.#isFresh
    // While something of our own is being written, the seal is broken for a moment.
    if (this.#writes.size === 0 && !isSealed(this.#opened().fd, this.#seal)) this.#isTouched = true
    return !this.#isTouched
  }

  /** Whether that is certain at present: while something of our own is being written, it is not. */
  get isSurelyUntouched(): boolean {
    return this.#writes.size === 0 && this.isUntouched
  }

  /** A write found the seal broken, or the watch told of somebody else's. */
  onTouched(): void {
    this.#isTouched = true
  }

  /** Writes all of these bytes as piece `index`. Rejects with a `file` failure. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    const file = this.#opened()
    const seal = this.#seal ?? 0
    // Of several writes at once the first one looks, and each sets the seal again behind itself.
    if (this.#writes.size === 0 && !isSealed(file.fd, seal)) this.#isTouched = true
    this.#writesHere++
    await this.#hold(async () => {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, pieceOffset(index) + at)
        at += bytesWritten
      }
      setSeal(file.fd, seal)
    }).finally(() => this.#writesHere--)
  }

  /**
   * Lends the file to the workers, which write one after the other and look at the seal each time.
   * Rejects with a `file` failure when writing fails.
   */
  async lend<T>(write: (sealed: SealedFile) => Promise<T>): Promise<T> {
    const { fd } = this.#opened()
    const sealed = { file: fd, seal: this.#seal ?? 0, isAtRest: this.#writesHere === 0 }
    return this.#hold(() => write(sealed))
  }

  /** The file is neither closed nor published while it is written to. */
  async #hold<T>(write: () => Promise<T>): Promise<T> {
    this.#isFresh = false
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
    if (!isSameFile(named, opened)) throw new Failure('file', `${this.path} was replaced by another file`)
  }

  /**
   * Gives the file its final name. Without `overwrite` it never takes the place of another file, not even
   * of one that appeared in this moment; with it, only of a regular file. Undefined when somebody wrote to
   * the part file: then nothing was done, and it is to be verified anew. `flushed` says when the data has
   * reached the disk, which with `overwrite` is before the old file goes. Pieces can still be read.
   */
  async publish(overwrite: boolean): Promise<{ flushed: Promise<void> } | undefined> {
    const file = this.#opened()
    // The same piece may come from two peers. After publishing not even the same bytes are written:
    // the time of such a write would read as a change of the shared file.
    await this.settled()
    await this.checkInPlace()
    const { path, destination } = this
    try {
      return await giveFinalName({ file, path, destination, overwrite, finish: () => this.#finish() })
    } catch (error) {
      throw fileFailure(`cannot rename ${this.path}`, error)
    }
  }

  /** Resolves when nothing of our own is being written, and what others wrote until then has been told. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes)
    await this.#watch?.caughtUp()
  }

  /** Rejects with a `file` failure when the system reports now that something was not written. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#watch?.close()
    this.#watch = undefined
    await this.settled()
    await file?.close().catch((error: unknown) => {
      throw fileFailure(`cannot close ${this.path}`, error)
    })
  }

  async #openOrMake(): Promise<{ file: FileHandle; existed: boolean }> {
    try {
      const file = await open(this.path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      return { file, existed: true }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    return { file: await open(this.path, newFileFlags), existed: false }
  }

  /** The last look before the file gets its name, and its date, in one turn: nothing comes in between. */
  #finish(): boolean {
    if (!this.isUntouched) return false
    this.#sealAs(Math.floor(Date.now() / 1000))
    return true
  }

  #sealAs(seal: Seal): void {
    const { fd } = this.#opened()
    this.#seal = seal
    try {
      setSeal(fd, seal)
      if (!isSealed(fd, seal)) this.#seal = undefined
    } catch {
      this.#seal = undefined
    }
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Failure('file', `${this.path} is not open`)
    return this.#file
  }
}

/** What the system says of a file that is made here, and is never reached by a link. */
const partWords = new Map([
  ['ELOOP', 'it is a symbolic link'],
  ['ENOENT', 'the folder does not exist'],
])

/** A failure that says in plain words why this could not be done to a part file, or to its folder. */
export function fileFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  const why = partWords.get(systemCode(error) ?? '') ?? sentenceOf(error)
  return new Failure('file', `${what}: ${why}`, error)
}
