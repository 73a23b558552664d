// Which pieces a download does not ask for like all others.

import type { Bitfield } from '../../common/bitfield.ts'
import type { Wishes } from './wishes.ts'

export const noWishes: Pick<Wishes, 'pieces' | 'has'> = { pieces: [], has: () => false }

/** Pieces of a download that are not asked for like all others. */
export interface SpecialPieces {
  /** The only ones to ask for; all, if missing. */
  readonly wanted?: Bitfield | undefined
  /** Those of which parts are here. */
  readonly named?: ReadonlySet<number> | undefined
  /** Those that come of what is here, until `onNotHere`. */
  readonly fromHere?: Iterable<number> | undefined
  /**
   * So many at the beginning are asked for before others of a peer that is asked for certain pieces: of a folder, those
   * that tell what is in it. Peers that choose what they send hand out different pieces, which is better for all.
   */
  readonly first?: number | undefined
  /** Those that are asked for before all others. */
  readonly wishes?: Pick<Wishes, 'pieces' | 'has'> | undefined
}

/** The missing ones of so many pieces at the beginning. */
export class FirstPieces {
  readonly #end: number
  /** None before this one is missing. */
  #from = 0

  constructor(count: number) {
    this.#end = count
  }

  /** The first of them for which `isFit` holds. What is not missing never is again. */
  pick(isMissing: (index: number) => boolean, isFit: (index: number) => boolean): number | undefined {
    while (this.#from < this.#end && !isMissing(this.#from)) this.#from++
    for (let index = this.#from; index < this.#end; index++) if (isFit(index)) return index
    return undefined
  }
}
