// The further connections that the downloads of a client have to their peers, counted together: a sharing client takes a
// bounded number of connections from each user, and a peer of many downloads is asked on many anyway.

import { isLoopback } from '../../common/networks.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'

/** Further connections of all downloads: half of those that a sharing client takes from one user. */
export const furtherLanesMax = 32

export class LanePlaces {
  readonly #isFar: (peer: Peer) => boolean
  #taken = 0

  /** `isFar`: whether a peer can be far away, by its address. */
  constructor(isFar: (peer: Peer) => boolean = ({ host }) => !isLoopback(host)) {
    this.#isFar = isFar
  }

  mayBeFar(peer: Peer): boolean {
    return this.#isFar(peer)
  }

  /** A function that gives the place back, once; undefined when there is none left. */
  take(): (() => void) | undefined {
    if (this.#taken >= furtherLanesMax) return undefined
    this.#taken++
    let isTaken = true
    return () => {
      if (isTaken) this.#taken--
      isTaken = false
    }
  }
}
