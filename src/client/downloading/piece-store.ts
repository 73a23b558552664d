// The pieces of one download on disk. Keeps the order that everything relies on: verified, then
// written, then marked, then told. Serves what it has to others meanwhile.

import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { hashBytes, hashesOfPiece, verifyPiece, type Manifest } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { inlinePieces, type HashPool } from '../sharing/hash-pool.ts'
import type { PieceSource } from '../sharing/piece-source.ts'
import type { ProgressJournal } from '../storage/progress-journal.ts'
import type { PartFile } from './part-file.ts'

export class PieceStore implements PieceSource {
  readonly manifest: Manifest
  readonly part: PartFile
  // Invariant: a bit is set here only after the piece was verified and written.
  // The peer server reads this same bitfield, so a bit set early is a lie told to others.
  readonly have: Bitfield
  readonly #journal: ProgressJournal
  readonly #hashes: HashPool
  readonly #onHave: (index: number) => void

  private constructor(
    manifest: Manifest,
    part: PartFile,
    journal: ProgressJournal,
    hashes: HashPool,
    onHave: (index: number) => void,
  ) {
    this.manifest = manifest
    this.part = part
    this.have = new Bitfield(manifest.pieceCount)
    this.#journal = journal
    this.#hashes = hashes
    this.#onHave = onHave
  }

  /**
   * Opens the part file and looks which pieces are there: hashes those that the journal claims, or all
   * of the file when there is no journal that can be read. Rejects with a `file` failure.
   */
  static async open(
    manifest: Manifest,
    part: PartFile,
    journal: ProgressJournal,
    hashes: HashPool,
    onHave: (index: number) => void,
  ): Promise<PieceStore> {
    const existed = await part.open(manifest.sizeBytes)
    const store = new PieceStore(manifest, part, journal, hashes, onHave)
    if (manifest.pieceCount > inlinePieces) hashes.warmUp()
    try {
      if (existed) await store.#recover()
      await journal.begin(store.#held())
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /**
   * Verifies a piece; writes it, marks it and tells of it when it is good. Resolves to whether it was.
   * The bytes must not change meanwhile. Rejects with a `file` failure when it cannot be written.
   */
  async receive(index: number, bytes: Uint8Array): Promise<boolean> {
    if (!(await this.#verifyAndWrite(index, bytes))) return false
    if (!this.have.has(index)) await this.#journal.add(index)
    // Another copy of the piece may have been sooner.
    if (this.have.has(index)) return true
    this.have.set(index)
    this.#onHave(index)
    return true
  }

  async #verifyAndWrite(index: number, bytes: Uint8Array): Promise<boolean> {
    if (this.manifest.pieceCount > inlinePieces && !this.#hashes.isBehind) {
      // Copied: what is sent to a worker is sent with all the memory that it is a view of.
      const expected = new Uint8Array(hashesOfPiece(this.manifest, index))
      return this.part.lend((file) =>
        this.#hashes.store({ piece: bytes, expected, file, offset: pieceOffset(index) }),
      )
    }
    if (!verifyPiece(this.manifest, index, bytes)) return false
    await this.part.write(index, bytes)
    return true
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
