// Keeps the demand for pieces of each served file, from peers that let this client choose what to send. Bounds how
// many pieces the peers of one user may want.

import { Bitfield } from '../../common/bitfield.ts'
import { refuse, accept, type Answer } from '../../common/refusal.ts'
import { wantedOfOwnerMax } from './limits.ts'
import { PieceDemand } from './piece-demand.ts'
import { sourceKey, type PieceSource } from './piece-source.ts'

export class FileDemands<Peer extends { readonly owner: string }> {
  readonly #demands = new Map<string, PieceDemand<Peer>>()
  /** By peer: the files that it wants pieces of, and how many pieces each has. */
  readonly #wanted = new Map<Peer, Map<string, number>>()
  /** By user: the pieces of all files that its peers want. */
  readonly #piecesOfOwner = new Map<string, number>()

  find(group: string, fileId: string): PieceDemand<Peer> | undefined {
    return this.#demands.get(sourceKey(group, fileId))
  }

  /** Refused when the bitfield does not fit the file, or the user's peers want too much at once. */
  onWants(group: string, source: PieceSource, peer: Peer, bitfield: string): Answer<void> {
    const { pieceCount, fileId } = source.manifest
    const pieces = Bitfield.fromBytes(Buffer.from(bitfield, 'base64'), pieceCount)
    if (pieces === undefined) return refuse('invalid-params', 'pieces are wanted that do not exist')
    const key = sourceKey(group, fileId)
    if (!this.#count(peer, key, pieceCount)) return refuse('busy', 'too many pieces are wanted at once')
    let demand = this.#demands.get(key)
    if (demand === undefined) {
      demand = new PieceDemand(source.have, Math.random)
      this.#demands.set(key, demand)
    }
    demand.onWants(peer, pieces)
    return accept(undefined)
  }

  /** The file is no longer served. */
  onWithdrawn(group: string, fileId: string): void {
    const key = sourceKey(group, fileId)
    this.#demands.delete(key)
    for (const peer of this.#wanted.keys()) this.#uncount(peer, key)
  }

  onPeerGone(peer: Peer): void {
    for (const key of [...(this.#wanted.get(peer)?.keys() ?? [])]) {
      this.#uncount(peer, key)
      const demand = this.#demands.get(key)
      demand?.onPeerGone(peer)
      if (demand?.isEmpty === true) this.#demands.delete(key)
    }
  }

  #count(peer: Peer, key: string, pieceCount: number): boolean {
    const wanted = this.#wanted.get(peer) ?? new Map<string, number>()
    if (wanted.has(key)) return true
    const pieces = (this.#piecesOfOwner.get(peer.owner) ?? 0) + pieceCount
    if (pieces > wantedOfOwnerMax) return false
    this.#piecesOfOwner.set(peer.owner, pieces)
    this.#wanted.set(peer, wanted.set(key, pieceCount))
    return true
  }

  #uncount(peer: Peer, key: string): void {
    const wanted = this.#wanted.get(peer)
    const pieceCount = wanted?.get(key)
    if (wanted === undefined || pieceCount === undefined) return
    wanted.delete(key)
    if (wanted.size === 0) this.#wanted.delete(peer)
    const left = (this.#piecesOfOwner.get(peer.owner) ?? 0) - pieceCount
    if (left > 0) this.#piecesOfOwner.set(peer.owner, left)
    else this.#piecesOfOwner.delete(peer.owner)
  }
}
