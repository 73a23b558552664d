// The pieces of one download on disk. Keeps the order that everything relies on: verified, then
// written, then marked, then told. Serves what it has to others meanwhile.

import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { hashBytes, hashesOfPiece, verifyPiece, type Manifest } from '../../common/manifest.ts'
import { pieceLength } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { HashPool } from '../sharing/hash-pool.ts'
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
  readonly #onHave: (index: number) => void

  private constructor(
    manifest: Manifest,
    part: PartFile,
    journal: ProgressJournal,
    onHave: (index: number) => void,
  ) {
    this.manifest = manifest
    this.part = part
    this.have = new Bitfield(manifest.pieceCount)
    this.#journal = journal
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
    const store = new PieceStore(manifest, part, journal, onHave)
    if (existed) await store.#recover(hashes)
    await journal.begin(store.#held())
    return store
  }

  /** Whether the bytes are the piece. To be asked before `write`. */
  verify(index: number, bytes: Uint8Array): boolean {
    return verifyPiece(this.manifest, index, bytes)
  }

  /** Writes a verified piece, marks it, tells of it. Rejects with a `file` failure. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    await this.part.write(index, bytes)
    if (this.have.has(index)) return
    await this.#journal.add(index)
    if (this.have.has(index)) return
    this.have.set(index)
    this.#onHave(index)
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

  async #recover(hashes: HashPool): Promise<void> {
    const claimed = this.#journal.read(this.manifest.pieceCount)
    const all = Array.from({ length: this.manifest.pieceCount }, (_, index) => index)
    const indices = claimed === undefined ? all : all.filter((index) => claimed.has(index))
    const found = await hashes.hashPieces(this.part.path, this.manifest.sizeBytes, indices)
    for (const [at, index] of indices.entries()) {
      const hash = found.subarray(at * hashBytes, (at + 1) * hashBytes)
      if (hash.equals(hashesOfPiece(this.manifest, index))) this.have.set(index)
    }
  }

  *#held(): Generator<number> {
    for (let index = 0; index < this.have.length; index++) if (this.have.has(index)) yield index
  }
}
