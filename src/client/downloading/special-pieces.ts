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
  /** Those that are asked for before all others. */
  readonly wishes?: Pick<Wishes, 'pieces' | 'has'> | undefined
}
