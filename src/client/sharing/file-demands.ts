// Keeps the demand for pieces of each served file, from peers that let this client choose what to send.

import { Bitfield } from '../../common/bitfield.ts'
import { PieceDemand } from './piece-demand.ts'
import { sourceKey, type PieceSource } from './piece-source.ts'

export class FileDemands<Peer> {
  readonly #demands = new Map<string, PieceDemand<Peer>>()

  find(group: string, fileId: string): PieceDemand<Peer> | undefined {
    return this.#demands.get(sourceKey(group, fileId))
  }

  /** False when the bitfield does not fit the file. */
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

  /** The file is no longer served. */
  onWithdrawn(group: string, fileId: string): void {
    this.#demands.delete(sourceKey(group, fileId))
  }

  onPeerGone(peer: Peer): void {
    for (const demand of this.#demands.values()) demand.onPeerGone(peer)
  }
}
