// Decides which connections of a listener have a place, and whose is taken when none is left. Unproven ones share few
// places, by network; those that claim an owner have others, and proven ones are counted by owner. Pure: time is a
// parameter.

import { isLoopback, networkOf } from '../networks.ts'

/** Bounds of a listener, each with its reason where it is set. */
export interface PlaceLimits {
  /**
   * Newcomers whose first bytes are yet to be read, besides all others: `onHeard` has to be called for each. 0: a
   * newcomer needs one of the places below.
   */
  readonly unheard: number
  /** Newcomers that have said something and wait to be answered. */
  readonly waiting: number
  /** Connections that have not proved who they are: in all, and per network. */
  readonly unproven: number
  readonly unprovenOfNetwork: number
  /** Likewise for loopback, where a whole test swarm may live behind one address. */
  readonly unprovenOfLoopback: number
  /** How long one that has begun to prove itself keeps its place, in milliseconds. */
  readonly begunGraceMs: number
  /** Connections that claim an owner and have yet to prove it: in all, and per owner and network. */
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
  /** Its proven owner; undefined for none. */
  readonly owner: string | undefined
  /** Called when its place is given to another. */
  readonly onTaken: (sentence: string) => void
}

type State = 'unheard' | 'waiting' | 'unproven' | 'claimed' | 'proven' | 'ended'

interface Held extends Place {
  state: State
  sinceMs: number
  /** It has begun to prove who it is. */
  hasBegun: boolean
  owner: string | undefined
  /** By what it is counted: a network, a network and an owner, or an owner. */
  group: string
  /** The most unproven connections of its network. */
  readonly networkMax: number
}

/** Places of one state, in order of arrival: the first of a set is its oldest. */
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

  /** Connections with a place, without newcomers that are unheard or waiting. */
  get count(): number {
    const { unproven, claimed, proven } = this.#seats
    return unproven.size + claimed.size + proven.size
  }

  get unprovenCount(): number {
    return this.#seats.unproven.size
  }

  /**
   * A place for a newcomer from this host, or a sentence that says why there is none. When all are taken, the oldest
   * one goes that has not even begun to prove itself: a client does that within two round trips, an idler never.
   */
  take(host: string, nowMs: number, onTaken: (sentence: string) => void): Place | string {
    const { unheard, unprovenOfNetwork, unprovenOfLoopback } = this.#limits
    const network = networkOf(host)
    const networkMax = isLoopback(host) ? unprovenOfLoopback : unprovenOfNetwork
    const rest = { owner: undefined, state: 'ended' as const, group: network, networkMax, onTaken }
    const place: Held = { network, sinceMs: nowMs, hasBegun: false, ...rest }
    if (unheard === 0) return this.#settle(place, nowMs) ?? place
    if (!this.#queue(place, 'unheard', unheard)) return crowded
    return place
  }

  /** It has begun to prove itself, and keeps its place for `begunGraceMs`. */
  begin(place: Place): void {
    ;(place as Held).hasBegun = true
  }

  /** The newcomer's first bytes have been read. It now waits for an answer, or is unproven if it has said nothing. */
  onHeard(place: Place, isWaiting: boolean, nowMs: number): void {
    const held = place as Held
    if (held.state !== 'unheard') return
    this.#leave(held)
    if (isWaiting && this.#queue(held, 'waiting', this.#limits.waiting)) return
    const full = isWaiting ? crowded : this.#settle(held, nowMs)
    if (full !== undefined) held.onTaken(full)
  }

  /** It claims to be this owner, has shown evidence, and has yet to prove it. */
  claim(place: Place, owner: string): void {
    const held = place as Held
    if (held.state === 'ended' || held.state === 'proven') return
    this.#leave(held)
    // By network too: a ticket shown elsewhere by somebody else takes no place of its owner.
    this.#enter(held, 'claimed', `${held.network} ${owner}`)
    const { claimed } = this.#seats
    if (claimed.of(held.group).size > this.#limits.claimedOfOwner)
      this.#end(claimed.of(held.group), 'replaced by a newer connection of the same user')
    if (claimed.size > this.#limits.claimed) this.#end(claimed.largest(), crowded)
  }

  /** It counts as this owner's from now on. The owner's oldest goes when there are too many. */
  prove(place: Place, owner: string): void {
    const held = place as Held
    if (held.state === 'ended') return
    this.#leave(held)
    held.owner = owner
    this.#enter(held, 'proven', owner)
    const all = this.#seats.proven.of(owner)
    if (all.size > this.#limits.ofOwner) this.#end(all, 'replaced by a newer connection of the same user')
    if (this.#seats.proven.size > this.#limits.proven && !this.#evictOfLargestOwner())
      this.#end([held], 'too many connections')
  }

  /** It has logged out: its grace period starts again. */
  unprove(place: Place, nowMs: number): void {
    const held = place as Held
    if (held.state === 'ended') return
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

  /** Connections without proof for at least `ms`, oldest first. */
  unprovenFor(ms: number, nowMs: number): Place[] {
    const { unheard, waiting, unproven, claimed } = this.#seats
    return [...claimed.all, ...waiting.all, ...unproven.all, ...unheard.all]
      .filter(({ sinceMs }) => nowMs - sinceMs >= ms)
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
  }

  /**
   * Adds it to a queue. A full queue drops the newest of the largest network, since nobody would get a turn if the
   * oldest went. False when the newcomer is the one to drop.
   */
  #queue(place: Held, state: 'unheard' | 'waiting', max: number): boolean {
    const seats = this.#seats[state]
    if (seats.size >= max) {
      const largest = seats.largest()
      if (seats.of(place.network).size >= largest.size) return false
      this.#end([...largest].slice(-1), crowded)
    }
    this.#enter(place, state, place.network)
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

  #enter(place: Held, state: Exclude<State, 'ended'>, group: string): void {
    place.state = state
    place.group = group
    this.#seats[state].add(place)
  }

  #leave(place: Held): void {
    if (place.state === 'ended') return
    this.#seats[place.state].remove(place)
    place.state = 'ended'
  }

  /** Ends the oldest that may be ended; false when there is none. */
  #evict(places: ReadonlySet<Held>, nowMs: number): boolean {
    for (const place of places) {
      if (place.hasBegun && nowMs - place.sinceMs < this.#limits.begunGraceMs) continue
      this.#end([place], 'did not log in while others wait')
      return true
    }
    return false
  }

  /** Ends the oldest connection of the owner with most. Nobody's only connection makes room for others. */
  #evictOfLargestOwner(): boolean {
    const largest = this.#seats.proven.largest()
    if (largest.size < 2) return false
    this.#end(largest, 'others have no connection at all')
    return true
  }

  /** Ends the first. Its place is free at once, even before its connection has closed. */
  #end(places: Iterable<Held>, sentence: string): void {
    const [first] = places
    if (first === undefined) return
    this.#leave(first)
    first.onTaken(sentence)
  }
}

const crowded = 'too many others are connecting at the same time'
