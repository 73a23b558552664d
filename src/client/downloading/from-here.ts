// What a run takes of the file or folder that its record names: an earlier version, or what a person says is like it.

import { accept } from '../../common/refusal.ts'
import { Donor } from './donor.ts'
import type { Filling } from './filling.ts'
import { LentPieces } from './lent-pieces.ts'
import type { PeerLink } from './peer-link.ts'
import type { PieceStore } from './piece-store.ts'
import { RecipeFetch } from './recipe-fetch.ts'
import type { RunHost, RunParts } from './run-parts.ts'
import { Taking, type TakingParts } from './taking.ts'

export class FromHere {
  readonly #parts: RunParts
  readonly #host: RunHost
  readonly #signal: AbortSignal
  #donor: Donor | undefined
  #mayLend: boolean

  constructor(parts: RunParts, host: RunHost, signal: AbortSignal) {
    this.#parts = parts
    this.#host = host
    this.#signal = signal
    // What is not replaced stays where it is, so its files are copied.
    this.#mayLend = host.record.from === host.record.destination
  }

  /** Rejects with the signal's reason. */
  async open(): Promise<void> {
    const { from } = this.#host.record
    if (from === undefined) return
    const { here, contentAt } = this.#parts
    const content = here === undefined ? await contentAt(from) : accept(here)
    this.#signal.throwIfAborted()
    if (content.ok) this.#donor = new Donor(content.value)
    else this.#host.onNotice(`nothing is taken from ${from}: ${content.refusal.sentence}`)
  }

  /** Undefined where there is nothing to take from. `link`: to a peer that has the content. */
  begin(store: PieceStore, filling: Filling | undefined, link: PeerLink | undefined): Taking | undefined {
    const donor = this.#donor
    if (donor === undefined) return undefined
    const signal = this.#signal
    const { network, recipes: pool } = this.#parts
    const { lookup, record } = this.#host
    const { from = '' } = record
    const recipe = new RecipeFetch({ manifest: store.manifest, network, lookup, link, signal })
    const onNotice = (sentence: string): void => this.#host.onNotice(sentence)
    const lend = this.#lending(donor, store, filling)
    return new Taking({ donor, store, recipe, pool, signal, from, onNotice, lend })
  }

  /** Undefined where pieces have to be copied. */
  #lending(donor: Donor, store: PieceStore, filling: Filling | undefined): TakingParts['lend'] {
    if (!this.#mayLend || filling?.canLend !== true || !donor.isFolder) return undefined
    return (places) => {
      const lent = new LentPieces({
        donor,
        store,
        places,
        signal: this.#signal,
        onLost: () => this.#host.onLost(store),
      })
      filling.lend(lent)
      return lent
    }
  }

  /** Somebody changes what is here: from now on all is copied, or it could go on and on. */
  onChanged(): void {
    this.#mayLend = false
  }

  close(): void {
    this.#donor?.close()
  }
}
