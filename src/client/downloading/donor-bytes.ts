// Reads the bytes of a file or folder that is here, at any offset in the sequence of all its pieces. Those of a file come from
// where they are; of a folder, and of a file that was written to, whole pieces are read, since only these can be verified.

import { contentBytes, lengthOfPiece, offsetOfPiece, type Manifest } from '../../common/manifest.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { ServedContent } from '../sharing/local-content.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'

/** Pieces that are kept for the next read, besides those in use: what is put together takes from two neighbours. */
const keptMax = 4

interface Kept {
  readonly buffer: Buffer
  readonly isRead: Promise<boolean>
  users: number
}

export type DonorSource = Pick<ServedContent, 'manifest' | 'read' | 'file'>

export class DonorBytes {
  readonly sizeBytes: number
  readonly #source: DonorSource
  /** By piece, the one that was used longest ago first. */
  readonly #kept = new Map<number, Kept>()

  constructor(source: DonorSource) {
    this.#source = source
    this.sizeBytes = contentBytes(source.manifest)
  }

  /** Fills `into`; false when something there is no longer what it was. */
  async read(offset: number, into: Buffer): Promise<boolean> {
    for (let at = 0; at < into.length; at += pieceBytes) {
      const part = into.subarray(at, at + pieceBytes)
      const isRead = (await this.#source.file?.readAt(offset + at, part)) === true
      if (!isRead && !(await this.#readOfPieces(offset + at, part))) return false
    }
    return true
  }

  async #readOfPieces(offset: number, into: Buffer): Promise<boolean> {
    const { manifest } = this.#source
    let piece = pieceAt(manifest, offset)
    for (let at = 0; at < into.length; piece++) {
      if (piece >= manifest.pieceCount) return false
      const from = offset + at - offsetOfPiece(manifest, piece)
      const length = lengthOfPiece(manifest, piece)
      const count = Math.min(length - from, into.length - at)
      if (count === length && !this.#kept.has(piece)) {
        const read = await this.#source.read(piece, into.subarray(at, at + count))
        if (!read.ok) return false
        at += count
        continue
      }
      const kept = this.#piece(piece)
      kept.users++
      try {
        if (!(await kept.isRead)) return false
        into.set(kept.buffer.subarray(from, from + count), at)
      } finally {
        kept.users--
        this.#discard()
      }
      at += count
    }
    return true
  }

  /** Gives its memory back. */
  close(): void {
    for (const [piece, { users, buffer }] of this.#kept) {
      this.#kept.delete(piece)
      // What is being read into is left to the garbage collection.
      if (users === 0) returnPieceBuffer(buffer)
    }
  }

  #piece(piece: number): Kept {
    let kept = this.#kept.get(piece)
    if (kept === undefined) {
      const buffer = takePieceBuffer()
      kept = { buffer, isRead: this.#source.read(piece, buffer).then(({ ok }) => ok), users: 0 }
    }
    this.#kept.delete(piece)
    this.#kept.set(piece, kept)
    return kept
  }

  #discard(): void {
    for (const [piece, { users, buffer }] of this.#kept) {
      if (this.#kept.size <= keptMax) return
      if (users > 0) continue
      this.#kept.delete(piece)
      returnPieceBuffer(buffer)
    }
  }
}

/** The piece in which this byte lies. */
function pieceAt(manifest: Manifest, offset: number): number {
  if (manifest.folder === undefined) return Math.floor(offset / pieceBytes)
  let [low, high] = [0, manifest.pieceCount]
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (offsetOfPiece(manifest, middle) <= offset) low = middle
    else high = middle
  }
  return low
}
