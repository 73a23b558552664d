// Stores the pieces of one download on disk, always in this order: verify, write, mark, announce. Serves the
// stored pieces to others meanwhile.

import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import {
  contentBytes,
  hashBytes,
  hashesOfPiece,
  lengthOfPiece,
  offsetOfPiece,
  type Manifest,
} from '../../common/manifest.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { verifyPiece } from '../hashing/piece-hash.ts'
import type { PieceSource } from '../sharing/piece-source.ts'
import { recordOf, type ProgressJournal } from '../storage/progress-journal.ts'
import { inlinePieces, type HashPool } from '../workers/hash-pool.ts'
import type { ByteRange } from '../workers/hash-worker.ts'
import type { PieceBuffer, StorePool } from '../workers/store-pool.ts'
import type { FilePlace } from '../workers/store-slots.ts'
import type { PartFile, PartId } from './part-file.ts'
import type { SwarmStore } from './swarm-parts.ts'

/**
 * Pieces that arrive closer together than this go to the workers. The event loop handles the others at 1 ms
 * each, which it can spare; a worker costs 0.1 s of CPU time before its first piece, and small files are
 * complete by then.
 */
const fastMs = 40
/**
 * What replaces a file has to be on the disk before that is done: this way most of it is when the last piece comes. After
 * every so many pieces (8 MiB), unless the flush before is still under way: with 32 MiB, putting 512 MiB together takes a
 * seventh longer.
 */
const flushedPieces = 16

export interface PieceStoreParts {
  readonly part: PartFile
  readonly journal: ProgressJournal
  readonly hashes: Pick<HashPool, 'hashRanges'>
  readonly storing: StorePool
}

export interface StoreOptions {
  readonly partId?: PartId | undefined
  /** The pieces that are to be fetched; undefined for all. */
  readonly wanted?: Bitfield | undefined
  /** It will be published with `overwrite`. */
  readonly replacesFile?: boolean
  readonly signal?: AbortSignal
}

/** Has pieces that are here, but not in the part file. */
export interface Lender {
  has(index: number): boolean
  /** Fills the start of the buffer with one of them, verified. */
  read(index: number, buffer: Buffer): Promise<Answer<void>>
  /** This piece is in the part file now. */
  onStored(index: number): void
}

export class PieceStore implements PieceSource, SwarmStore {
  readonly manifest: Manifest
  readonly part: PartFile
  // Invariant: a bit is set here only after the piece was verified, and written unless it is lent. The peer server reads
  // this same bitfield, so a bit set early would mislead other peers.
  readonly have: Bitfield
  readonly #journal: ProgressJournal
  readonly #hashes: Pick<HashPool, 'hashRanges'>
  readonly #storing: StorePool
  #wanted: Bitfield | undefined
  readonly #replacesFile: boolean
  readonly #onHave: (index: number) => void
  #lender: Lender | undefined
  #lastTakenAtMs = Number.NEGATIVE_INFINITY
  /** Pieces that are being verified and written, the oldest first. */
  readonly #unstored = new Set<{ readonly sinceMs: number }>()

  private constructor(
    manifest: Manifest,
    parts: PieceStoreParts,
    onHave: (index: number) => void,
    { wanted, replacesFile = false }: StoreOptions,
  ) {
    this.manifest = manifest
    this.#wanted = wanted
    this.#replacesFile = replacesFile
    this.part = parts.part
    this.have = new Bitfield(manifest.pieceCount)
    this.#journal = parts.journal
    this.#hashes = parts.hashes
    this.#storing = parts.storing
    this.#onHave = onHave
  }

  /**
   * Opens the part file and finds out which pieces are there: hashes those that the journal claims, or the
   * whole file when no journal can be read. `partId` is the remembered id of the part file. Rejects with the
   * signal's reason, or with a `file` failure, also when the file belongs to something else, which leaves it
   * as it is.
   */
  static async open(
    manifest: Manifest,
    parts: PieceStoreParts,
    onHave: (index: number) => void,
    options: StoreOptions = {},
  ): Promise<PieceStore> {
    const { partId, signal } = options
    const { existed, isKnown } = await parts.part.open(partId)
    const store = new PieceStore(manifest, parts, onHave, options)
    try {
      const stamp = parts.part.stamp
      if (existed) {
        await store.#recover(isKnown, signal)
        await parts.part.settled()
      }
      // In one turn with the new seal: otherwise a write in between would pass for verified.
      const isWritten = existed && !parts.part.isSince(stamp)
      await parts.part.prepare(contentBytes(manifest))
      await parts.journal.begin(store.#held())
      if (isWritten) await store.recheck(signal)
      signal?.throwIfAborted()
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /**
   * Hashes the whole file again, because someone else wrote to it, and forgets the bad pieces. Resolves to
   * whether pieces are missing. Rejects with a `file` failure, or the signal's reason.
   */
  async recheck(signal?: AbortSignal): Promise<boolean> {
    // Reseal before reading: data written during the read must not count as verified.
    await this.part.settled()
    await this.part.prepare(contentBytes(this.manifest))
    const all = [...this.#toFetch()].filter((index) => !this.isLent(index))
    const good = await this.#goodOf(all, signal)
    for (const index of all) if (!good.has(index)) this.have.clear(index)
    await this.#journal.begin(this.#held())
    return !this.isWhole
  }

  /** The pieces that are to be fetched; undefined for all. */
  get wanted(): Bitfield | undefined {
    return this.#wanted
  }

  /** These are to be fetched, all those of before among them. */
  want(pieces: Bitfield): void {
    this.#wanted = pieces
  }

  setLender(lender: Lender): void {
    this.#lender = lender
  }

  /** Whether it is there, but not in the part file. */
  isLent(index: number): boolean {
    return this.#lender?.has(index) === true
  }

  /** The lender has this piece. */
  onLent(index: number): void {
    this.have.set(index)
    this.#onHave(index)
  }

  /** The lender has had this piece, and nobody has it now. */
  lose(index: number): void {
    this.have.clear(index)
  }

  /** How many bytes these pieces have. */
  bytesOf(pieces: Iterable<number>): number {
    let bytes = 0
    for (const index of pieces) bytes += lengthOfPiece(this.manifest, index)
    return bytes
  }

  /** Whether all pieces that are to be fetched are there. */
  get isWhole(): boolean {
    return this.have.count === this.wantedCount
  }

  /** How many pieces are to be fetched, those that are there included. */
  get wantedCount(): number {
    return this.wanted?.count ?? this.manifest.pieceCount
  }

  /** Rejects when the part file was removed or replaced: writes would still succeed, but the data would be lost. */
  async lookAtPart(): Promise<void> {
    await this.part.checkInPlace()
    // The getter records a detected change, for later reads and for publishing.
    void this.part.isUntouched
  }

  /** For how long the oldest piece that arrived has waited to be written, in milliseconds; 0 for none. */
  get storingForMs(): number {
    for (const { sinceMs } of this.#unstored) return performance.now() - sinceMs
    return 0
  }

  /** Whether workers store pieces, and can read them. */
  get isStaffed(): boolean {
    return this.#storing.isStaffed
  }

  /** Pieces come fast, or will soon, from what is here: starts workers for them. Call it again and again. */
  expectFromHere(): void {
    if (this.wantedCount > inlinePieces) this.#storing.warmUp(true)
  }

  /**
   * Provides a buffer for a piece whose bytes begin to arrive. `isOneOfFew`: it comes of what is here, and there are not so
   * many of these that it pays to start a worker.
   */
  takeBuffer(isOneOfFew = false): PieceBuffer {
    if (!isOneOfFew) {
      const nowMs = performance.now()
      const isFast = nowMs - this.#lastTakenAtMs < fastMs
      this.#lastTakenAtMs = nowMs
      if (isFast && this.wantedCount > inlinePieces) this.#storing.warmUp()
    }
    // Also for a piece that the event loop verifies: two kinds of buffers would both grow to the full number.
    return this.#storing.take()
  }

  /**
   * Verifies the piece at the start of this buffer; if good, writes, marks and announces it. Resolves to
   * whether it was good. The buffer must not change meanwhile. Rejects with a `file` failure when the piece
   * cannot be written. `from`: a worker reads it from there into the buffer first; false, too, when it cannot, or none is ready.
   */
  async receive(index: number, piece: PieceBuffer, from?: FilePlace): Promise<boolean> {
    const storing = { sinceMs: performance.now() }
    this.#unstored.add(storing)
    try {
      return await this.#receive(index, piece, from)
    } finally {
      this.#unstored.delete(storing)
    }
  }

  async #receive(index: number, { bytes, slot }: PieceBuffer, from?: FilePlace): Promise<boolean> {
    const length = lengthOfPiece(this.manifest, index)
    // Starting a worker takes as long as fifty pieces. Until one is ready, the event loop handles the pieces:
    // if they waited, they would soon exhaust the limit on pieces under way, and the download would stall.
    const isHere = slot === undefined || !this.#storing.isStaffed
    if (isHere && from !== undefined) return false
    const isGood = isHere
      ? await this.#storeHere(index, bytes.subarray(0, length))
      : await this.#storeInWorker(index, slot, length, from)
    if (!isGood) return false
    this.#lender?.onStored(index)
    // Another copy of the piece may have been faster.
    if (this.have.has(index)) return true
    this.have.set(index)
    if (this.#replacesFile && this.have.count % flushedPieces === 0) this.part.flushAhead()
    this.#onHave(index)
    return true
  }

  async #storeHere(index: number, bytes: Uint8Array): Promise<boolean> {
    if (!verifyPiece(this.manifest, index, bytes)) return false
    await this.part.write(offsetOfPiece(this.manifest, index), bytes)
    await this.#journal.add(index)
    return true
  }

  async #storeInWorker(index: number, slot: number, length: number, from?: FilePlace): Promise<boolean> {
    const expected = hashesOfPiece(this.manifest, index)
    const offset = offsetOfPiece(this.manifest, index)
    const record = recordOf(index)
    const outcome = await this.part.lend((sealed) =>
      this.#journal.lend((journal) =>
        this.#storing.store(slot, { length, from, expected, ...sealed, offset, journal, record }),
      ),
    )
    if (outcome === 'touched') this.part.onTouched()
    return outcome !== 'bad'
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    if (this.#lender?.has(index) === true) return this.#lender.read(index, buffer)
    return (await this.#read(index, buffer))
      ? accept(undefined)
      : refuse('piece-missing', 'the piece cannot be read')
  }

  async #read(index: number, buffer: Buffer): Promise<boolean> {
    const length = lengthOfPiece(this.manifest, index)
    try {
      await this.part.read(offsetOfPiece(this.manifest, index), length, buffer)
      // Check after reading: a later write does not affect what was read.
      return this.part.isSurelyUntouched || verifyPiece(this.manifest, index, buffer.subarray(0, length))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return false
    }
  }

  /**
   * Keeps what is there for another time. Rejects with a `file` failure when the disk reports a failed write.
   */
  async close(): Promise<void> {
    await this.#journal.close()
    await this.part.close()
  }

  async #recover(isKnown: boolean, signal?: AbortSignal): Promise<void> {
    const { manifest } = this
    const { pieceCount } = manifest
    const bytes = await this.part.size()
    const claimed = this.#journal.read(pieceCount)
    const there: number[] = []
    for (const index of this.#toFetch()) {
      const end = offsetOfPiece(manifest, index) + lengthOfPiece(manifest, index)
      if (end <= bytes && claimed?.has(index) !== false) there.push(index)
    }
    for (const index of await this.#goodOf(there, signal)) this.have.set(index)
    // A file that moved to another disk also has a new id. One good piece proves that it is ours.
    if (isKnown || this.have.count > 0 || bytes === 0) return
    throw new Failure(
      'file',
      `${this.part.path} is in the way and is not part of this download; move it away`,
    )
  }

  /** Which of these pieces are intact on disk. */
  async #goodOf(indices: readonly number[], signal?: AbortSignal): Promise<Set<number>> {
    const { part, manifest } = this
    const rangeOf = (index: number): ByteRange => [
      offsetOfPiece(manifest, index),
      lengthOfPiece(manifest, index),
    ]
    const found = await this.#hashes.hashRanges(part.path, indices.map(rangeOf), { signal })
    const good = new Set<number>()
    for (const [at, index] of indices.entries()) {
      const hash = found.subarray(at * hashBytes, (at + 1) * hashBytes)
      if (hash.equals(hashesOfPiece(manifest, index))) good.add(index)
    }
    return good
  }

  *#toFetch(): Generator<number> {
    for (let index = 0; index < this.have.length; index++) if (this.wanted?.has(index) !== false) yield index
  }

  /** What is in the part file. */
  *#held(): Generator<number> {
    for (let index = 0; index < this.have.length; index++)
      if (this.have.has(index) && !this.isLent(index)) yield index
  }
}
