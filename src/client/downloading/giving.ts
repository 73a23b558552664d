// Who of the connected peers delivers at present, as far as others depend on it: a peer that holds back is put aside while
// others give, and a relay is not needed while one that is connected otherwise gives every piece.

import type { Contact } from './contact.ts'
import type { Picker } from './picker.ts'

/** Peers count as delivering when one of them delivered a piece within this time. */
const givesMs = 5000

export class Giving {
  readonly #linked: Iterable<Contact>
  readonly #picker: Pick<Picker, 'piecesOf'>
  readonly #pieceCount: number
  #lastFrom: Contact | undefined
  #lastAtMs = Number.NEGATIVE_INFINITY

  /** `linked`: the peers that are connected at each time. */
  constructor(linked: Iterable<Contact>, picker: Pick<Picker, 'piecesOf'>, pieceCount: number) {
    this.#linked = linked
    this.#picker = picker
    this.#pieceCount = pieceCount
  }

  onPiece(from: Contact): void {
    this.#lastFrom = from
    this.#lastAtMs = performance.now()
  }

  /** Whether the last piece came lately, and from another peer than this one. */
  othersGive(contact: Contact): boolean {
    return this.#lastFrom !== contact && performance.now() - this.#lastAtMs < givesMs
  }

  /** Whether somebody who is connected without a relay has every piece, and such peers deliver. */
  get needsNoRelay(): boolean {
    if (this.#lastFrom === undefined || isRelayed(this.#lastFrom)) return false
    if (performance.now() - this.#lastAtMs >= givesMs) return false
    for (const contact of this.#linked)
      if (!isRelayed(contact) && this.#picker.piecesOf(contact.key) === this.#pieceCount) return true
    return false
  }

  /** Whether nothing is asked of this peer for now: whoever forwards does so for many, so other ways come first. */
  isKeptForLast(contact: Contact): boolean {
    return isRelayed(contact) && this.needsNoRelay
  }
}

function isRelayed({ link }: Contact): boolean {
  return link?.route.way === 'relayed'
}
