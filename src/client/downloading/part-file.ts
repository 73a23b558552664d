// The file that a download writes to until it is complete: `<destination>.part`. Creates it, opens it without
// following links, reads and writes pieces, and detects writes by others.

import { createHash } from 'node:crypto'
import { type Stats, constants, fstatSync, ftruncateSync } from 'node:fs'
import { lstat, open, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { stampOf, type FileStamp } from '../sharing/file-stamp.ts'
import { PieceReader } from '../transfer/piece-reader.ts'
import { isSealed, newSeal, setSeal, type Seal } from '../workers/part-seal.ts'
import { PartWatch } from './part-watch.ts'
import { giveFinalName } from './publishing.ts'

/** The longest file name that every file system accepts, in bytes. */
const nameBytesMax = 255
const suffix = '.part'

/** What a worker needs to write to the file; see part-seal.ts. */
export interface SealedFile {
  readonly file: number
  readonly seal: Seal
  /** Whether the seal must be intact at present, because the event loop itself is not writing. */
  readonly isAtRest: boolean
}

/**
 * Identifies a file as long as it exists: device, inode and birth time. Inode numbers are reused, the birth
 * time is not available everywhere, and on some systems the id changes when a disk is remounted.
 */
export type PartId = string

/** The path of the part file for this destination. Shortens a name that leaves no room for `.part`. */
export function partPathOf(destination: string): string {
  const name = basename(destination)
  if (Buffer.byteLength(name) + suffix.length <= nameBytesMax) return `${destination}${suffix}`
  const rest = `~${createHash('sha256').update(name).digest('hex').slice(0, 16)}${suffix}`
  // Cut at a character boundary: decoding turns half a character into a replacement character.
  const start = Buffer.from(name)
    .subarray(0, nameBytesMax - rest.length)
    .toString()
    .replace(/\ufffd$/, '')
  return join(dirname(destination), start + rest)
}

/**
 * Creates an empty part file that did not exist before, so that nobody else uses its name: neither another
 * program nor another download that reaches the same folder by a different path. Rejects with a `file`
 * failure, whose cause is EEXIST when the name is taken.
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

/** Removes the part file if it has this id, or if the id is unknown. Rejects with a `file` failure. */
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

/** Where the birth time is unknown, systems report the time of the last change instead. */
export function idOf({ dev, ino, birthtimeMs, ctimeMs }: Stats): PartId {
  return birthtimeMs === ctimeMs ? `${dev}:${ino}` : `${dev}:${ino}:${birthtimeMs}`
}

/** Whether this id matches the remembered one, which may lack the birth time. */
export function isThatPart(id: PartId, remembered: PartId): boolean {
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
  /** Undefined where watching is impossible; then only the seal reveals writes by others. */
  #watch: PartWatch | undefined
  #id: PartId = ''
  readonly #writes = new Set<Promise<unknown>>()
  /** How many of these the event loop itself performs. */
  #writesHere = 0
  /** Undefined where file times cannot be set; then the file itself does not reveal writes by others. */
  #seal: Seal | undefined
  #isTouched = false
  /** Resolves when what was written before is on the disk; rejects once a write has failed. */
  #flushed: Promise<void> = Promise.resolve()
  #isFlushing = false
  /** Nothing was written since the whole file was verified; matters only without a seal. */
  #isFresh = false

  constructor(destination: string) {
    this.destination = destination
    this.path = partPathOf(destination)
  }

  /**
   * Opens the file, or creates it if missing. `isKnown`: it has the id `knownId`, or there is no `knownId`.
   * Rejects with a `file` failure.
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

  /** The file's identity as far as known; remembered, so that no other file is mistaken for it later. */
  get id(): PartId {
    return this.#id
  }

  /** Current size in bytes. Rejects with the system's error. */
  async size(): Promise<number> {
    return (await this.#opened().stat()).size
  }

  /** The file's stamp now. Throws the system's error. */
  get stamp(): FileStamp {
    return stampOf(fstatSync(this.#opened().fd, { bigint: true }))
  }

  /** Whether nobody is known to have written to the file since it had this stamp. */
  isSince(stamp: FileStamp): boolean {
    return !this.#isTouched && this.stamp === stamp
  }

  /**
   * Sets the file's size (sparse: it takes no space yet) and seals it, in the turn of the call. Rejects with a
   * `file` failure.
   */
  async prepare(sizeBytes: number): Promise<void> {
    const file = this.#opened()
    try {
      if (fstatSync(file.fd).size !== sizeBytes) ftruncateSync(file.fd, sizeBytes)
    } catch (error) {
      throw fileFailure(`cannot write ${this.path}`, error)
    }
    this.reseal()
    // The birth time can be told from the change time only after a change.
    this.#id = idOf(await file.stat())
  }

  /** Treats the content as untouched from now on, whoever wrote it, because the caller verifies it. */
  reseal(): void {
    this.#isTouched = false
    this.#isFresh = true
    this.#sealAs(newSeal())
  }

  /**
   * Whether nobody else has written to the file since `prepare` or `reseal`, as far as can be seen. Without a
   * seal, only a file that was just verified counts as untouched.
   */
  get isUntouched(): boolean {
    if (this.#isTouched) return false
    if (this.#seal === undefined) return this.#isFresh
    // Our own writes break the seal briefly.
    if (this.#writes.size === 0 && !isSealed(this.#opened().fd, this.#seal)) this.#isTouched = true
    return !this.#isTouched
  }

  /** Whether the file is certainly untouched: during our own writes that is not certain. */
  get isSurelyUntouched(): boolean {
    return this.#writes.size === 0 && this.isUntouched
  }

  /** A write found the seal broken, or the watch reported a write by someone else. */
  onTouched(): void {
    this.#isTouched = true
  }

  /** Writes all of these bytes at this offset. Rejects with a `file` failure. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const file = this.#opened()
    const seal = this.#seal ?? 0
    // Of several concurrent writes, the first checks the seal, and each restores it afterwards.
    if (this.#writes.size === 0 && !isSealed(file.fd, seal)) this.#isTouched = true
    this.#writesHere++
    await this.#hold(async () => {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at)
        at += bytesWritten
      }
      setSeal(file.fd, seal)
    }).finally(() => this.#writesHere--)
  }

  /**
   * Lends the file to the workers, which write one at a time and check the seal each time. Rejects with a
   * `file` failure when writing fails.
   */
  async lend<T>(write: (sealed: SealedFile) => Promise<T>): Promise<T> {
    const { fd } = this.#opened()
    const sealed = { file: fd, seal: this.#seal ?? 0, isAtRest: this.#writesHere === 0 }
    return this.#hold(() => write(sealed))
  }

  /** Holds off closing and publishing while the file is written to. */
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

  /**
   * Begins to bring to the disk what is written, unless that goes on already or the file is being closed, so that `publish`
   * with `overwrite` waits for little; it reports a failure.
   */
  flushAhead(): void {
    if (this.#file !== undefined && !this.#isFlushing) this.#flushNext(this.#file)
  }

  /** After the flush that is under way. A system tells a failed write once: after one, `#flushed` stays rejected. */
  #flushNext(file: FileHandle): void {
    this.#isFlushing = true
    const flushed = this.#flushed.then(() => file.datasync())
    this.#flushed = flushed
    flushed.finally(() => (this.#isFlushing = this.#flushed !== flushed)).catch(() => undefined)
  }

  /** Reads `length` bytes from this offset on into the start of the buffer. Rejects with a `file` failure. */
  async read(offset: number, length: number, buffer: Buffer): Promise<void> {
    try {
      const bytesRead = await this.#reader.read(this.#opened(), buffer, length, offset)
      if (bytesRead !== length) throw new Error('it is shorter than it was')
    } catch (error) {
      throw fileFailure(`cannot read ${this.path}`, error)
    }
  }

  /** Rejects with a `file` failure when the file at `path` is no longer the one that was opened. */
  async checkInPlace(): Promise<void> {
    const opened = await this.#opened().stat()
    const named = await stat(this.path).catch((error: unknown) => {
      throw new Failure('file', `${this.path} was removed`, error)
    })
    if (!isSameFile(named, opened)) throw new Failure('file', `${this.path} was replaced by another file`)
  }

  /**
   * Gives the file its final name. Without `overwrite` it never replaces another file, not even one that just
   * appeared; with it, only a regular file. Returns undefined when someone else wrote to the part file:
   * nothing was done, and the file must be verified again. `flushed` resolves when the file has reached the
   * disk; with `overwrite` its data is flushed before the old file is replaced. Pieces can still be read.
   */
  async publish(overwrite: boolean): Promise<{ flushed: Promise<void> } | undefined> {
    const file = this.#opened()
    // Meanwhile the rest reaches the disk.
    if (overwrite) this.#flushNext(file)
    // Wait for writes, since the same piece may come from two peers. After publishing, even identical bytes
    // must not be written: the new modification time would look like a change of the shared file.
    await this.settled()
    await this.checkInPlace()
    const { path, destination } = this
    try {
      await this.#flushed
      return await giveFinalName({ file, path, destination, overwrite, finish: () => this.#finish() })
    } catch (error) {
      throw fileFailure(`cannot rename ${this.path}`, error)
    }
  }

  /** Resolves when our own writes have ended and all earlier writes by others have been reported. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes)
    await this.#watch?.caughtUp()
  }

  /** Rejects with a `file` failure when the system reports a failed write only now. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#watch?.close()
    this.#watch = undefined
    await Promise.allSettled([this.settled(), this.#flushed])
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

  /** Whether it may be published: nobody else wrote to it, as far as can be seen. Throws the system's error. */
  isReady(): boolean {
    // Nobody hears of what is written by another name, so a file that has one is verified once more.
    if (fstatSync(this.#opened().fd).nlink > 1 && !this.#isFresh) this.#isTouched = true
    return this.isUntouched
  }

  /** The descriptor of the open file. */
  get descriptor(): number {
    return this.#opened().fd
  }

  /** Removes its name, since what is in it stands elsewhere. It can be read until it is closed. Rejects with a `file` failure. */
  async remove(): Promise<void> {
    await this.checkInPlace()
    await rm(this.path).catch((error: unknown) => {
      throw fileFailure(`cannot remove ${this.path}`, error)
    })
  }

  /** Checks a last time and sets the file's date, in one turn so that nothing can happen in between. */
  #finish(): boolean {
    if (!this.isReady()) return false
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

/** Explains system errors for a file that is created here and never opened through a link. */
const partWords = new Map([
  ['ELOOP', 'it is a symbolic link'],
  ['ENOENT', 'the folder does not exist'],
])

/** A failure that says in plain words why an operation on a part file, or its folder, failed. */
export function fileFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  const why = partWords.get(systemCode(error) ?? '') ?? sentenceOf(error)
  return new Failure('file', `${what}: ${why}`, error)
}
