// What is wanted of each served file, by the connections that leave the choice of pieces to this client.

import { Bitfield } from '../../common/bitfield.ts'
import { PieceDemand } from './piece-demand.ts'
import { sourceKey, type PieceSource } from './piece-source.ts'

export class FileDemands<Peer> {
  readonly #demands = new Map<string, PieceDemand<Peer>>()

  find(group: string, fileId: string): PieceDemand<Peer> | undefined {
    return this.#demands.get(sourceKey(group, fileId))
  }

  /** False when this is no bitfield of the file. */
  onWants(group: string, source: PieceSource, peer: Peer, bitfield: string): boolean {
    const { pieceCount, fileId } = source.manifest
    const pieces = Bitfield.fromBytes(Buffer.from(bitfield, 'base64'), pieceCount)
    if (pieces === undefined) return false
    const key = sourceKey(group, fileId)
    let demand = this.#demands.get(key)
    if (demand === undefined) {
      demand = new PieceDemand(source.have, Math.random)
      this.#demands.set(key, demand)
    }
    demand.onWants(peer, pieces)
    return true
  }

  /** The file is not served any more. */
  onWithdrawn(group: string, fileId: string): void {
    this.#demands.delete(sourceKey(group, fileId))
  }

  onPeerGone(peer: Peer): void {
    for (const demand of this.#demands.values()) demand.onPeerGone(peer)
  }
}
