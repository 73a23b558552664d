// Pieces that a far peer is asked for before the manifest is here: which there are follows from the size that the tracker
// was told. They are verified like all others, once it is; when it turns out to be another one, they are thrown away.

import { pieceCount, pieceLength } from '../../common/pieces.ts'
import type { Answer } from '../../common/refusal.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import { aheadOnNew, lanesMax } from './lane-plan.ts'
import type { PieceRequest } from './piece-request.ts'

/** What becomes of a request; rejects with a failure when the connection ends. */
export type Coming = Promise<Answer<PieceBuffer>>

export interface EarlyPiece {
  readonly request: PieceRequest & { readonly index: number }
  readonly answer: Coming
}

/** A connection: see `PeerLink.piece`. */
export interface Askable {
  piece(request: PieceRequest, lengthOf: (index: number) => number, take: () => PieceBuffer): Coming
}

/** Whether all of its pieces are to be fetched, and their number is known; of one whose manifest is not known here. */
export function mayAskEarly({ files, from }: RememberedDownload): boolean {
  return files === undefined && from === undefined
}

export class EarlyPieces {
  readonly #sizeBytes: number
  readonly #buffer: () => PieceBuffer
  readonly #random: () => number
  readonly #chosen = new Set<number>()
  #asked: EarlyPiece[] = []
  #isOver = false

  /** `buffer`: called when the bytes of a piece begin to arrive. `random` returns numbers in [0, 1). */
  constructor(sizeBytes: number, buffer: () => PieceBuffer, random: () => number = Math.random) {
    this.#sizeBytes = sizeBytes
    this.#buffer = buffer
    this.#random = random
  }

  /** Asks for as many as a new connection takes, in the turn of the call; of a small file for less than all. */
  ask(link: Askable): void {
    const count = pieceCount(this.#sizeBytes)
    const each = Math.min(aheadOnNew, Math.floor(count / (2 * lanesMax)))
    for (let asked = 0; asked < each && !this.#isOver; asked++) this.#ask(link, this.#choose(count))
  }

  /** Hands them over; from then on none is asked for. */
  take(): readonly EarlyPiece[] {
    this.#isOver = true
    const asked = this.#asked
    this.#asked = []
    return asked
  }

  /** Throws away those that were not handed over. */
  drop(): void {
    for (const { answer } of this.take())
      answer.then(
        (given) => given.ok && given.value.release(),
        () => undefined,
      )
  }

  #ask(link: Askable, index: number): void {
    const request = { index }
    const answer = link.piece(request, (sent) => this.#lengthOf(sent), this.#buffer)
    // Whoever takes them over hears of it.
    answer.catch(() => undefined)
    this.#asked.push({ request, answer })
  }

  /** One of at least twice as many as are ever chosen: any, since others begin with the same file. */
  #choose(count: number): number {
    let index = Math.floor(this.#random() * count)
    while (this.#chosen.has(index)) index = (index + 1) % count
    this.#chosen.add(index)
    return index
  }

  #lengthOf(index: number): number {
    return index < pieceCount(this.#sizeBytes) ? pieceLength(this.#sizeBytes, index) : 0
  }
}
