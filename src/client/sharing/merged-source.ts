// Serves all sources of one content in a group as a single source. A piece is served as long as any of them has it.

import { Bitfield } from '../../common/bitfield.ts'
import type { Manifest } from '../../common/manifest.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import type { PieceSource } from './piece-source.ts'

export class MergedSource implements PieceSource {
  readonly manifest: Manifest
  /** The pieces that at least one source has. */
  readonly have: Bitfield
  readonly #sources = new Set<PieceSource>()
  /** By piece: who waits for it here. */
  readonly #waiting = new Map<number, Set<() => void>>()

  constructor(manifest: Manifest) {
    this.manifest = manifest
    this.have = new Bitfield(manifest.pieceCount)
  }

  /** Returns whether the source adds pieces. */
  add(source: PieceSource): boolean {
    const before = this.have.count
    this.#sources.add(source)
    this.#forEachPiece((index) => {
      if (source.have.has(index)) this.onHave(index)
    })
    return this.have.count > before
  }

  /** A source has the piece. */
  onHave(index: number): void {
    this.have.set(index)
    this.#wake(index)
  }

  /** Nothing is served any more: nobody waits in vain. */
  end(): void {
    for (const index of [...this.#waiting.keys()]) this.#wake(index)
  }

  /** Resolves when the piece is here, nothing is served any more, or the signal aborts. */
  whenHere(index: number, signal: AbortSignal): Promise<void> {
    if (this.have.has(index) || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(index) ?? new Set()
      this.#waiting.set(index, waiting)
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        waiting.delete(wake)
        if (waiting.size === 0 && this.#waiting.get(index) === waiting) this.#waiting.delete(index)
        resolve()
      }
      waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  remove(source: PieceSource): void {
    if (this.#sources.delete(source)) this.lookAgain()
  }

  /** Called when sources have lost pieces. */
  lookAgain(): void {
    this.#forEachPiece((index) => this.#lookAt(index))
  }

  async read(index: number, buffer: Buffer): Promise<Answer<void>> {
    let answer: Answer<void> = refuse('piece-missing', 'this client does not have that piece')
    // A copy, because sources come and go during a read.
    for (const source of [...this.#sources]) {
      if (!source.have.has(index)) continue
      answer = await source.read(index, buffer)
      if (answer.ok) return answer
    }
    this.#lookAt(index)
    return answer
  }

  #lookAt(index: number): void {
    for (const source of this.#sources) {
      if (!source.have.has(index)) continue
      this.onHave(index)
      return
    }
    this.have.clear(index)
  }

  #wake(index: number): void {
    for (const wake of [...(this.#waiting.get(index) ?? [])]) wake()
  }

  #forEachPiece(each: (index: number) => void): void {
    for (let index = 0; index < this.manifest.pieceCount; index++) each(index)
  }
}
