// The places of a listener: who has one, and whose is taken when there is none left. Those who have proved
// nothing share few, by network; those who say who they are have others, and those who have proved it are counted
// by that. Pure: time is handed in.

import { isLoopback } from '../addresses.ts'
import { networkOf } from '../networks.ts'

/** Bounds of a listener, each with its reason where it is set. */
export interface PlaceLimits {
  /**
   * Newcomers that may be there until what they sent at once has been read, beside all others: `onHeard` has to be
   * called for each. 0: a newcomer needs one of the places below.
   */
  readonly unheard: number
  /** Those of them that have said something, and wait for their turn to be answered. */
  readonly waiting: number
  /** Connections that have not proved who they are: in all, and of one network. */
  readonly unproven: number
  readonly unprovenOfNetwork: number
  /** Likewise for loopback, where a whole test swarm may live behind one address. */
  readonly unprovenOfLoopback: number
  /** Whoever has begun to prove itself keeps its place for so long, in milliseconds. */
  readonly begunGraceMs: number
  /** Connections that have said who they are and have yet to prove it: in all, and of one owner and network. */
  readonly claimed: number
  readonly claimedOfOwner: number
  /** Connections of one owner, such as a user. */
  readonly ofOwner: number
  /** Connections that have proved who they are. */
  readonly proven: number
  /** Connections in all, without newcomers that are unheard or waiting. */
  readonly all: number
}

/** A connection, as far as its place is concerned. */
export interface Place {
  readonly network: string
  readonly sinceMs: number
  /** Who it has proved to be; undefined for nobody. */
  readonly owner: string | undefined
  /** Its place was given to another. */
  readonly onTaken: (sentence: string) => void
}

type Stand = 'unheard' | 'waiting' | 'unproven' | 'claimed' | 'proven' | 'ended'

interface Held extends Place {
  stand: Stand
  sinceMs: number
  /** It has begun to prove who it is. */
  hasBegun: boolean
  owner: string | undefined
  /** Whose place it takes: a network, a network and an owner, or an owner. */
  group: string
  /** The most unproven ones of its network. */
  readonly networkMax: number
}

/** Places of one stand: in the order of coming, so the oldest of a set is its first. */
class Seats {
  readonly all = new Set<Held>()
  readonly #byGroup = new Map<string, Set<Held>>()

  get size(): number {
    return this.all.size
  }

  of(group: string): ReadonlySet<Held> {
    return this.#byGroup.get(group) ?? new Set()
  }

  add(place: Held): void {
    this.all.add(place)
    const group = this.#byGroup.get(place.group)
    if (group === undefined) this.#byGroup.set(place.group, new Set([place]))
    else group.add(place)
  }

  remove(place: Held): void {
    this.all.delete(place)
    const group = this.#byGroup.get(place.group)
    group?.delete(place)
    if (group?.size === 0) this.#byGroup.delete(place.group)
  }

  largest(): ReadonlySet<Held> {
    let largest: ReadonlySet<Held> = new Set()
    for (const group of this.#byGroup.values()) if (group.size > largest.size) largest = group
    return largest
  }
}

export class Places {
  readonly #limits: PlaceLimits
  readonly #seats = {
    unheard: new Seats(),
    waiting: new Seats(),
    unproven: new Seats(),
    claimed: new Seats(),
    proven: new Seats(),
  }

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  /** Without newcomers that could not be heard yet. */
  get count(): number {
    const { unproven, claimed, proven } = this.#seats
    return unproven.size + claimed.size + proven.size
  }

  get unprovenCount(): number {
    return this.#seats.unproven.size
  }

  /**
   * A place for a newcomer from this host, or a sentence that says why there is none. Where all are taken, the
   * one that is held longest by somebody who has not even begun to prove itself goes: that takes a client two
   * round trips, and somebody who only sits there for ever.
   */
  take(host: string, nowMs: number, onTaken: (sentence: string) => void): Place | string {
    const { unheard, unprovenOfNetwork, unprovenOfLoopback } = this.#limits
    const network = networkOf(host)
    const networkMax = isLoopback(host) ? unprovenOfLoopback : unprovenOfNetwork
    const rest = { owner: undefined, stand: 'ended' as const, group: network, networkMax, onTaken }
    const place: Held = { network, sinceMs: nowMs, hasBegun: false, ...rest }
    if (unheard === 0) return this.#settle(place, nowMs) ?? place
    if (!this.#queue(place, 'unheard', unheard)) return crowded
    return place
  }

  /** It has begun to prove itself, and may take its time. */
  begin(place: Place): void {
    ;(place as Held).hasBegun = true
  }

  /**
   * What the newcomer sent at once has been read. Unless it has said something, and waits to be answered, it is one
   * of the unproven.
   */
  onHeard(place: Place, isWaiting: boolean, nowMs: number): void {
    const held = place as Held
    if (held.stand !== 'unheard') return
    this.#leave(held)
    if (isWaiting && this.#queue(held, 'waiting', this.#limits.waiting)) return
    const full = isWaiting ? crowded : this.#settle(held, nowMs)
    if (full !== undefined) held.onTaken(full)
  }

  /** It says that it is this owner, with something to show for it, and has yet to prove it. */
  claim(place: Place, owner: string): void {
    const held = place as Held
    if (held.stand === 'ended' || held.stand === 'proven') return
    this.#leave(held)
    // By network too: whoever shows another's papers elsewhere takes no place of theirs.
    this.#enter(held, 'claimed', `${held.network} ${owner}`)
    const { claimed } = this.#seats
    if (claimed.of(held.group).size > this.#limits.claimedOfOwner)
      this.#end(claimed.of(held.group), 'replaced by a newer connection of the same user')
    if (claimed.size > this.#limits.claimed) this.#end(claimed.largest(), crowded)
  }

  /** From now on it counts as this owner's. The owner's oldest goes when there are too many. */
  prove(place: Place, owner: string): void {
    const held = place as Held
    if (held.stand === 'ended') return
    this.#leave(held)
    held.owner = owner
    this.#enter(held, 'proven', owner)
    const all = this.#seats.proven.of(owner)
    if (all.size > this.#limits.ofOwner) this.#end(all, 'replaced by a newer connection of the same user')
    if (this.#seats.proven.size > this.#limits.proven && !this.#evictOfLargestOwner())
      this.#end([held], 'too many connections')
  }

  /** It has logged out: its time of grace begins anew. */
  unprove(place: Place, nowMs: number): void {
    const held = place as Held
    if (held.stand === 'ended') return
    this.#leave(held)
    held.owner = undefined
    held.sinceMs = nowMs
    held.hasBegun = false
    this.#enter(held, 'unproven', held.network)
  }

  /** The connection has ended. */
  giveBack(place: Place): void {
    this.#leave(place as Held)
  }

  /** Those that have been without a proof for longer, oldest first. */
  unprovenFor(ms: number, nowMs: number): Place[] {
    const { unheard, waiting, unproven, claimed } = this.#seats
    return [...claimed.all, ...waiting.all, ...unproven.all, ...unheard.all]
      .filter(({ sinceMs }) => nowMs - sinceMs >= ms)
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
  }

  /**
   * Where all come in their turn the last to come has to go, or nobody's turn would come; of the network that has
   * most. False when that is the newcomer.
   */
  #queue(place: Held, stand: 'unheard' | 'waiting', max: number): boolean {
    const seats = this.#seats[stand]
    if (seats.size >= max) {
      const largest = seats.largest()
      if (seats.of(place.network).size >= largest.size) return false
      this.#end([...largest].slice(-1), crowded)
    }
    this.#enter(place, stand, place.network)
    return true
  }

  /** Seats it among the unproven, or says why it cannot be. */
  #settle(place: Held, nowMs: number): string | undefined {
    const { unproven, all } = this.#limits
    const seats = this.#seats.unproven
    const ofNetwork = seats.of(place.network)
    if (ofNetwork.size >= place.networkMax && !this.#evict(ofNetwork, nowMs))
      return 'too many connections from this address that have not logged in'
    if (seats.size >= unproven && !this.#evict(seats.largest(), nowMs))
      return 'too many connections that have not logged in'
    if (this.count >= all && !this.#evict(seats.all, nowMs) && !this.#evictOfLargestOwner())
      return 'too many connections'
    this.#enter(place, 'unproven', place.network)
    return undefined
  }

  #enter(place: Held, stand: Exclude<Stand, 'ended'>, group: string): void {
    place.stand = stand
    place.group = group
    this.#seats[stand].add(place)
  }

  #leave(place: Held): void {
    if (place.stand === 'ended') return
    this.#seats[place.stand].remove(place)
    place.stand = 'ended'
  }

  /** Ends the oldest of those that may have to go. */
  #evict(places: ReadonlySet<Held>, nowMs: number): boolean {
    for (const place of places) {
      if (place.hasBegun && nowMs - place.sinceMs < this.#limits.begunGraceMs) continue
      this.#end([place], 'did not log in while others wait')
      return true
    }
    return false
  }

  /** Somebody who has a single connection never makes room for somebody who has many. */
  #evictOfLargestOwner(): boolean {
    const largest = this.#seats.proven.largest()
    if (largest.size < 2) return false
    this.#end(largest, 'others have no connection at all')
    return true
  }

  /** Ends the first. Its place is free at once, whenever its connection closes. */
  #end(places: Iterable<Held>, sentence: string): void {
    const [first] = places
    if (first === undefined) return
    this.#leave(first)
    first.onTaken(sentence)
  }
}

const crowded = 'too many others come at the same time'
