// The pieces of one download on disk. Keeps the order that everything relies on: verified, then
// written, then marked, then told. Serves what it has to others meanwhile.

import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { verifyPiece } from '../hashing/piece-hash.ts'
import type { PieceSource } from '../sharing/piece-source.ts'
import { recordOf, type ProgressJournal } from '../storage/progress-journal.ts'
import { inlinePieces, type HashPool } from '../workers/hash-pool.ts'
import type { PieceBuffer, StorePool } from '../workers/store-pool.ts'
import type { PartFile } from './part-file.ts'

/**
 * Pieces that come closer together than this are for the workers. Others take the loop 1 ms each, which it
 * has; a worker costs a tenth of a second of a core before its first piece, and files of few pieces are
 * done with by then.
 */
const fastMs = 40

/** What a store is made of. */
export interface PieceStoreParts {
  readonly part: PartFile
  readonly journal: ProgressJournal
  readonly hashes: HashPool
  readonly storing: StorePool
}

export class PieceStore implements PieceSource {
  readonly manifest: Manifest
  readonly part: PartFile
  // Invariant: a bit is set here only after the piece was verified and written.
  // The peer server reads this same bitfield, so a bit set early is a lie told to others.
  readonly have: Bitfield
  readonly #journal: ProgressJournal
  readonly #hashes: HashPool
  readonly #storing: StorePool
  readonly #onHave: (index: number) => void
  #lastTakenAtMs = Number.NEGATIVE_INFINITY

  private constructor(manifest: Manifest, parts: PieceStoreParts, onHave: (index: number) => void) {
    this.manifest = manifest
    this.part = parts.part
    this.have = new Bitfield(manifest.pieceCount)
    this.#journal = parts.journal
    this.#hashes = parts.hashes
    this.#storing = parts.storing
    this.#onHave = onHave
  }

  /**
   * Opens the part file and looks which pieces are there: hashes those that the journal claims, or all
   * of the file when there is no journal that can be read. Rejects with a `file` failure.
   */
  static async open(
    manifest: Manifest,
    parts: PieceStoreParts,
    onHave: (index: number) => void,
  ): Promise<PieceStore> {
    const existed = await parts.part.open(manifest.sizeBytes)
    const store = new PieceStore(manifest, parts, onHave)
    try {
      if (existed) await store.#recover()
      await parts.journal.begin(store.#held())
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /** Where a piece is to be received, whose bytes begin to come. */
  takeBuffer(): PieceBuffer {
    const nowMs = performance.now()
    const isFast = nowMs - this.#lastTakenAtMs < fastMs
    this.#lastTakenAtMs = nowMs
    if (isFast && this.manifest.pieceCount > inlinePieces) this.#storing.warmUp()
    // Also for a piece that the loop will verify: of two kinds of buffers both would grow to what is needed.
    return this.#storing.take()
  }

  /**
   * Verifies the piece at the start of this buffer; writes it, marks it and tells of it when it is good.
   * Resolves to whether it was. The buffer must not change meanwhile. Rejects with a `file` failure when
   * it cannot be written.
   */
  async receive(index: number, { bytes, slot }: PieceBuffer): Promise<boolean> {
    const length = pieceLength(this.manifest.sizeBytes, index)
    // Starting a worker takes as long as fifty pieces. Until one is there the loop does them: left lying,
    // they would soon be all that may be under way, and nothing would come any more.
    const isGood =
      slot === undefined || !this.#storing.isStaffed
        ? await this.#storeHere(index, bytes.subarray(0, length))
        : await this.#storeInWorker(index, slot, length)
    if (!isGood) return false
    // Another copy of the piece may have been sooner.
    if (this.have.has(index)) return true
    this.have.set(index)
    this.#onHave(index)
    return true
  }

  async #storeHere(index: number, bytes: Uint8Array): Promise<boolean> {
    if (!verifyPiece(this.manifest, index, bytes)) return false
    await this.part.write(index, bytes)
    await this.#journal.add(index)
    return true
  }

  async #storeInWorker(index: number, slot: number, length: number): Promise<boolean> {
    const expected = hashesOfPiece(this.manifest, index)
    const offset = pieceOffset(index)
    const record = recordOf(index)
    return this.part.lend((file) =>
      this.#journal.lend((journal) =>
        this.#storing.store(slot, { length, expected, file, offset, journal, record }),
      ),
    )
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    try {
      await this.part.read(index, pieceLength(this.manifest.sizeBytes, index), buffer)
      return accept(undefined)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return refuse('file-changed', 'the piece cannot be read')
    }
  }

  /** Leaves what is there for another time. */
  async close(): Promise<void> {
    await this.#journal.close()
    await this.part.close()
  }

  async #recover(): Promise<void> {
    const claimed = this.#journal.read(this.manifest.pieceCount)
    const all = Array.from({ length: this.manifest.pieceCount }, (_, index) => index)
    const indices = claimed === undefined ? all : all.filter((index) => claimed.has(index))
    const found = await this.#hashes.hashPieces(this.part.path, this.manifest.sizeBytes, indices)
    for (const [at, index] of indices.entries()) {
      const hash = found.subarray(at * hashBytes, (at + 1) * hashBytes)
      if (hash.equals(hashesOfPiece(this.manifest, index))) this.have.set(index)
    }
  }

  *#held(): Generator<number> {
    for (let index = 0; index < this.have.length; index++) if (this.have.has(index)) yield index
  }
}
