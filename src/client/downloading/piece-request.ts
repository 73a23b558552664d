// What is asked of a peer.

import type { BlockRange } from '../../common/recipe/ranges.ts'

/** A requested piece. If the choice is left to the peer, `index` is undefined until it has chosen. */
export interface PieceRequest {
  index: number | undefined
  /** Only these parts of it are asked for. */
  readonly ranges?: BlockRange[] | undefined
  /** This client cancelled it. */
  isCancelled?: boolean
  /** It was cancelled, and is asked for anew without waiting for the answer to that. */
  isGivenUp?: boolean
  /** When it was sent, in milliseconds of `performance.now()`. */
  sentAtMs?: number
}
