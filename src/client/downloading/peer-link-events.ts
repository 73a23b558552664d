// What a connection to a peer tells.

import type { Failure } from '../../common/failure.ts'

export interface PeerLinkEvents {
  onHave(index: number): void
  /** The peer has chosen a piece for a request that left the choice to it. */
  onChosen(index: number): void
  /**
   * The connection or the peer's offer has ended; code `protocol`: the peer broke the protocol. Called once,
   * after `use`.
   */
  onClosed(reason: Failure): void
}
