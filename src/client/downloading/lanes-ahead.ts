// Further connections to a peer that are opened beside the first one, as soon as its dial shows that the peer is far away:
// to be greeted takes several round trips, and so does the manifest.

import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { farMs, giversMax, lanesMax, missingMin } from './lane-plan.ts'
import type { Beside, OpenedBeside } from './beside.ts'
import type { EarlyPiece, EarlyPieces } from './early-pieces.ts'
import { PeerLink } from './peer-link.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

/** A dial that takes so long goes to a far peer. It may wait for a busy loop too, so a little more than a round trip. */
const farByDialMs = 2 * farMs

export interface LaneRequest {
  readonly peer: Peer
  readonly fileId: string
  readonly ticket: string
  /** Nobody is asked for a way. */
  readonly dialsOnly: boolean
}

/**
 * One more connection to a peer, beside one on which the file is open or being opened; undefined when the peer refuses.
 * Pieces may be requested on it at once. It is closed when it turns out that the peer does not give them. Rejects with a
 * failure of the network.
 */
export async function openLane(network: SwarmNetwork, request: LaneRequest): Promise<PeerLink | undefined> {
  const opened = await PeerLink.open({ ...network, ...request, mayRelay: () => false })
  if (!opened.ok) return undefined
  const link = opened.value
  const close = (): void => link.close('it does not open the file')
  // Which pieces it has is known from the first connection.
  link.whenOpen().then(({ ok }) => {
    if (!ok) close()
  }, close)
  return link
}

export interface LanesAheadOptions extends Omit<LaneRequest, 'dialsOnly'> {
  readonly network: SwarmNetwork
  /** How many peers are known at the moment. */
  readonly knownCount: () => number
  /** How much may be fetched. */
  readonly missingBytes: number
  /** Asked for on each of them at once, of a peer that has all. */
  readonly early?: EarlyPieces | undefined
}

export class LanesAhead implements Beside<PeerLink> {
  readonly #options: LanesAheadOptions
  readonly #open: typeof openLane
  #opening: Promise<OpenedBeside<PeerLink> | undefined>[] = []
  #isClosed = false

  /** `open`: how to open one. */
  constructor(options: LanesAheadOptions, open = openLane) {
    this.#options = options
    this.#open = open
  }

  onDialled(roundTripMs: number): void {
    const { network, peer, knownCount, missingBytes } = this.#options
    const { lanes, bucket } = network
    if (this.#isClosed || this.#opening.length > 0 || roundTripMs < farByDialMs) return
    // Under a limit one connection is enough, and of many peers each has one.
    if (bucket.bytesPerSecond !== undefined || knownCount() > giversMax) return
    if (missingBytes < missingMin * pieceBytes || lanes?.mayBeFar(peer) !== true) return
    for (let further = 1; further < lanesMax; further++) {
      const giveBack = lanes.take()
      if (giveBack === undefined) return
      this.#opening.push(this.#begin(giveBack))
    }
  }

  take(): readonly Promise<OpenedBeside<PeerLink> | undefined>[] {
    const taken = this.#opening
    this.#opening = []
    this.#isClosed = true
    return taken
  }

  takePieces(): readonly EarlyPiece[] {
    return this.#options.early?.take() ?? []
  }

  close(): void {
    this.#options.early?.drop()
    for (const opening of this.take())
      void opening.then((opened) => {
        opened?.link.close('not needed')
        opened?.giveBack()
      })
  }

  async #begin(giveBack: () => void): Promise<OpenedBeside<PeerLink> | undefined> {
    const { network, peer, fileId, ticket, early } = this.#options
    try {
      const link = await this.#open(network, { peer, fileId, ticket, dialsOnly: true })
      if (link !== undefined) {
        // Goes out with the proof of this client's key, as what it is asked to open does.
        if (peer.complete) early?.ask(link)
        return { link, giveBack }
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    giveBack()
    return undefined
  }
}
