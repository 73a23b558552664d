// Who sent how much of a download, for people.

import type { Way } from '../way.ts'

export interface PiecesFrom {
  /** Verified and written. */
  readonly pieces: number
  /** By which they came last. */
  readonly way: Way
}

/** `peer`: as `PeerLink.name` has it. */
export function addPieces(all: Map<string, PiecesFrom>, peer: string, { pieces, way }: PiecesFrom): void {
  all.set(peer, { pieces: (all.get(peer)?.pieces ?? 0) + pieces, way })
}
