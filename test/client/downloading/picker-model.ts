// What a picker must hold, the plain way: sets of what everybody has and was asked for, and nothing else.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { Picker } from '../../../src/client/downloading/picker.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

/** A fact or a question. Numbers that choose among what is there are taken modulo how many there are. */
export type Step =
  | { readonly kind: 'peer'; readonly peer: number; readonly has: readonly number[] }
  | { readonly kind: 'have' | 'lacks'; readonly peer: number; readonly index: number }
  | { readonly kind: 'gone' | 'pick' | 'late' | 'on-time'; readonly peer: number }
  | { readonly kind: 'pace'; readonly peer: number; readonly ms: number }
  | { readonly kind: 'given-up' | 'delivered'; readonly peer: number; readonly which: number }

interface PeerModel {
  readonly has: Set<number>
  readonly asked: Set<number>
  paceKnown: boolean
  isLate: boolean
}

export class PickerModel {
  readonly picker: Picker
  readonly pieceCount: number
  readonly missing = new Set<number>()
  readonly #peers = new Map<number, PeerModel>()
  #nowMs = 0

  constructor(pieceCount: number, have: readonly number[], seed: number) {
    const field = new Bitfield(pieceCount)
    for (const index of have) field.set(index)
    this.picker = new Picker(field, seededRandom(seed))
    this.pieceCount = pieceCount
    for (let index = 0; index < pieceCount; index++) if (!field.has(index)) this.missing.add(index)
  }

  do(step: Step): void {
    this.#nowMs += 37
    const name = `p${step.peer}`
    const peer = this.#peers.get(step.peer)
    if (step.kind === 'peer') {
      const field = new Bitfield(this.pieceCount)
      for (const index of step.has) field.set(index)
      this.picker.onPeer(name, field)
      this.#peers.set(step.peer, {
        has: new Set(step.has),
        asked: new Set(),
        paceKnown: false,
        isLate: false,
      })
    } else if (step.kind === 'have') {
      this.picker.onHave(name, step.index)
      peer?.has.add(step.index)
    } else if (step.kind === 'lacks') {
      this.picker.onLacks(name, step.index)
      peer?.has.delete(step.index)
      peer?.asked.delete(step.index)
    } else if (step.kind === 'gone') {
      this.picker.onPeerGone(name)
      this.#peers.delete(step.peer)
    } else if (step.kind === 'pace') {
      this.picker.onPace(name, step.ms)
      if (peer !== undefined) peer.paceKnown = true
    } else if (step.kind === 'late' || step.kind === 'on-time') {
      const isLate = step.kind === 'late'
      if (isLate) this.picker.onLate(name)
      else this.picker.onOnTime(name)
      if (peer !== undefined) peer.isLate = isLate
    } else if (step.kind === 'pick') {
      // Nothing is asked of a peer that is late.
      if (peer?.isLate !== true) this.#pick(name, peer)
    } else if (step.kind === 'given-up' || step.kind === 'delivered') {
      this.#answer(step.kind, name, peer, step.which)
    }
  }

  /** Every missing piece is asked of somebody or on offer: a seeder that comes now is offered it, rarest first. */
  expectNothingLost(): void {
    const full = Bitfield.full(this.pieceCount)
    this.picker.onPeer('probe', full)
    const picks: number[] = []
    while (this.picker.hasOnOffer('probe')) picks.push(this.picker.pickFor('probe', 0) ?? -1)
    deepEqual(new Set(picks), new Set([...this.missing].filter((index) => this.#askers(index) === 0)))
    equal(picks.length, new Set(picks).size)
    const rarity = picks.map((index) => this.#availability(index))
    deepEqual(
      rarity,
      rarity.toSorted((a, b) => a - b),
    )
    this.picker.onPeerGone('probe')
  }

  #pick(name: string, peer: PeerModel | undefined): void {
    const pick = this.picker.pickFor(name, this.#nowMs)
    const offered = [...(peer?.has ?? [])].filter(
      (index) => this.missing.has(index) && this.#askers(index) === 0,
    )
    const overdue = [...(peer?.has ?? [])].filter(
      (index) => this.missing.has(index) && !peer?.asked.has(index) && this.#askersOnTime(index) === 0,
    )
    if (pick === undefined) {
      deepEqual(offered, [], 'nothing was picked, though this was on offer')
      deepEqual(overdue, [], 'nothing was picked, though this is overdue')
      return
    }
    ok(peer?.has.has(pick), 'the peer has it')
    ok(this.missing.has(pick), 'it is missing')
    equal(peer?.asked.has(pick), false, 'the peer is asked for it already')
    if (offered.length > 0) {
      equal(this.#askers(pick), 0, 'no duplicate before end game')
      const rarest = Math.min(...offered.map((index) => this.#availability(index)))
      equal(this.#availability(pick), rarest, 'the rarest')
    } else {
      if (overdue.length > 0) {
        equal(this.#askersOnTime(pick), 0, 'what is overdue comes before end game')
        peer?.asked.add(pick)
        return
      }
      equal(this.#askersOnTime(pick), 1, 'a duplicate of one')
      ok(peer.paceKnown || peer.asked.size === 0, 'of one that is known to be faster, or is tried')
    }
    peer?.asked.add(pick)
  }

  /** One of the pieces that the peer was asked for comes, or does not. */
  #answer(kind: 'given-up' | 'delivered', name: string, peer: PeerModel | undefined, which: number): void {
    const asked = [...(peer?.asked ?? [])]
    const index = asked[which % Math.max(1, asked.length)]
    if (index === undefined) return
    if (kind === 'delivered' && this.missing.delete(index)) {
      const inVain = [...this.#peers].filter(([, each]) => each.asked.has(index)).map(([id]) => `p${id}`)
      deepEqual(new Set(this.picker.onVerified(index)), new Set(inVain))
    }
    this.picker.onGivenUp(name, index)
    peer?.asked.delete(index)
    equal(this.picker.missingCount, this.missing.size)
    equal(this.picker.isMissing(index), this.missing.has(index))
  }

  #askers(index: number): number {
    return [...this.#peers.values()].filter((peer) => peer.asked.has(index)).length
  }

  #askersOnTime(index: number): number {
    return [...this.#peers.values()].filter((peer) => !peer.isLate && peer.asked.has(index)).length
  }

  #availability(index: number): number {
    return [...this.#peers.values()].filter((peer) => peer.has.has(index)).length
  }
}
