// The missing pieces that are requested from nobody, by how many peers have them. Passive and pure, as the picker is.

import type { Bitfield } from '../../common/bitfield.ts'

/** The pieces of a peer, and how they are counted. */
export interface PiecesOfPeer {
  readonly has: Bitfield
  /** They are all, and counted as one: by piece it would take each such peer milliseconds, and change no order. */
  isCountedAsAll: boolean
}

export class Offered {
  /** Peers that have all pieces. */
  #havingAll = 0
  /** By piece: how many of the others have it. */
  readonly #having: Uint32Array
  /** By that number: pieces on offer, unordered. */
  readonly #rows: number[][] = []
  /** By piece: its position in its row, or -1. */
  readonly #place: Int32Array
  readonly #named: ReadonlySet<number>
  #count = 0
  #namedCount = 0

  /** `named`: pieces that are requested by index only. */
  constructor(length: number, named: ReadonlySet<number>) {
    this.#named = named
    this.#having = new Uint32Array(length)
    this.#place = new Int32Array(length).fill(-1)
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether there is one that need not be requested by index. */
  get hasChoice(): boolean {
    return this.#count > this.#namedCount
  }

  has(index: number): boolean {
    return (this.#place[index] ?? -1) !== -1
  }

  /** Whether a peer has it. */
  isToBeHad(index: number): boolean {
    return this.#havingAll > 0 || (this.#having[index] ?? 0) > 0
  }

  /** One with the fewest peers of those that this peer has, ties at random; `random` returns numbers in [0, 1). */
  rarest(has: Bitfield, random: () => number): number | undefined {
    for (const row of this.#rows) {
      if (row === undefined || row.length === 0) continue
      const start = Math.floor(random() * row.length)
      for (let step = 0; step < row.length; step++) {
        const index = row[(start + step) % row.length]
        if (index !== undefined && has.has(index)) return index
      }
    }
    return undefined
  }

  add(index: number): void {
    if (this.has(index)) return
    const row = (this.#rows[this.#having[index] ?? 0] ??= [])
    this.#place[index] = row.length
    this.#count++
    if (this.#named.has(index)) this.#namedCount++
    row.push(index)
  }

  remove(index: number): void {
    const place = this.#place[index] ?? -1
    if (place === -1) return
    const row = this.#rows[this.#having[index] ?? 0]
    const last = row?.pop()
    if (row === undefined || last === undefined) throw new Error('a piece on offer is in its row')
    if (last !== index) {
      row[place] = last
      this.#place[last] = place
    }
    this.#place[index] = -1
    this.#count--
    if (this.#named.has(index)) this.#namedCount--
  }

  onPeer(pieces: PiecesOfPeer): void {
    this.#countAll(pieces, 1)
  }

  onPeerGone(pieces: PiecesOfPeer): void {
    this.#countAll(pieces, -1)
  }

  /** The peer got a piece. */
  onHave({ has }: PiecesOfPeer, index: number): void {
    if (has.has(index)) return
    has.set(index)
    this.#change(index, 1)
  }

  /** The peer does not have it after all. */
  onLacks(pieces: PiecesOfPeer, index: number): void {
    if (!pieces.has.has(index)) return
    if (pieces.isCountedAsAll) {
      this.#countAll(pieces, -1)
      pieces.isCountedAsAll = false
      this.#countAll(pieces, 1)
    }
    pieces.has.clear(index)
    this.#change(index, -1)
  }

  #countAll({ has, isCountedAsAll }: PiecesOfPeer, change: 1 | -1): void {
    if (isCountedAsAll) this.#havingAll += change
    else for (let index = 0; index < has.length; index++) if (has.has(index)) this.#change(index, change)
  }

  #change(index: number, change: 1 | -1): void {
    const isOffered = this.has(index)
    if (isOffered) this.remove(index)
    this.#having[index] = (this.#having[index] ?? 0) + change
    if (isOffered) this.add(index)
  }
}
