// The places of a listener: who has one, and whose is taken when there is none left. Those who have proved
// nothing share few, by network; those who have are counted by who they are. Pure: time is handed in.

import { isLoopback } from '../addresses.ts'
import { networkOf } from '../networks.ts'

/** Bounds of a listener, each with its reason where it is set. */
export interface PlaceLimits {
  /** Connections that have not proved who they are: in all, and of one network. */
  readonly unproven: number
  readonly unprovenOfNetwork: number
  /** Likewise for loopback, where a whole test swarm may live behind one address. */
  readonly unprovenOfLoopback: number
  /** Whoever has begun to prove itself keeps its place for so long, in milliseconds. */
  readonly begunGraceMs: number
  /** Connections of one owner, such as a user. */
  readonly ofOwner: number
  /** Connections in all. */
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

interface Held extends Place {
  sinceMs: number
  /** It has begun to prove who it is. */
  hasBegun: boolean
  owner: string | undefined
  hasEnded: boolean
}

export class Places {
  readonly #limits: PlaceLimits
  /** In the order of coming, so the oldest of a set is its first. */
  readonly #unproven = new Set<Held>()
  readonly #unprovenByNetwork = new Map<string, Set<Held>>()
  readonly #byOwner = new Map<string, Set<Held>>()
  #count = 0

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  get unprovenCount(): number {
    return this.#unproven.size
  }

  /**
   * A place for a newcomer from this host, or a sentence that says why there is none. Where all are taken, the
   * one that is held longest by somebody who has not even begun to prove itself goes: that takes a client two
   * round trips, and somebody who only sits there for ever.
   */
  take(host: string, nowMs: number, onTaken: (sentence: string) => void): Place | string {
    const { unproven, unprovenOfNetwork, unprovenOfLoopback, all } = this.#limits
    const network = networkOf(host)
    const ofNetwork = this.#unprovenByNetwork.get(network)
    const networkMax = isLoopback(host) ? unprovenOfLoopback : unprovenOfNetwork
    if ((ofNetwork?.size ?? 0) >= networkMax && !this.#evict(ofNetwork, nowMs))
      return 'too many connections from this address that have not logged in'
    if (this.#unproven.size >= unproven && !this.#evict(this.#largestNetwork(), nowMs))
      return 'too many connections that have not logged in'
    if (this.#count >= all && !this.#evict(this.#unproven, nowMs) && !this.#evictOfLargestOwner())
      return 'too many connections'
    const place: Held = {
      network,
      sinceMs: nowMs,
      hasBegun: false,
      owner: undefined,
      hasEnded: false,
      onTaken,
    }
    this.#count++
    this.#addUnproven(place)
    return place
  }

  /** It has begun to prove itself, and may take its time. */
  begin(place: Place): void {
    ;(place as Held).hasBegun = true
  }

  /** From now on it counts as this owner's. The owner's oldest goes when there are too many. */
  prove(place: Place, owner: string): void {
    const held = place as Held
    if (held.hasEnded) return
    this.#remove(held)
    held.owner = owner
    add(this.#byOwner, owner, held)
    const all = this.#byOwner.get(owner) ?? new Set()
    if (all.size > this.#limits.ofOwner) this.#end(all, 'replaced by a newer connection of the same user')
  }

  /** It has logged out: its time of grace begins anew. */
  unprove(place: Place, nowMs: number): void {
    const held = place as Held
    if (held.hasEnded) return
    this.#remove(held)
    held.owner = undefined
    held.sinceMs = nowMs
    held.hasBegun = false
    this.#addUnproven(held)
  }

  /** The connection has ended. */
  giveBack(place: Place): void {
    const held = place as Held
    if (held.hasEnded) return
    held.hasEnded = true
    this.#remove(held)
    this.#count--
  }

  /** Those that have been without a proof for longer, oldest first. */
  unprovenFor(ms: number, nowMs: number): Place[] {
    return [...this.#unproven].filter(({ sinceMs }) => nowMs - sinceMs >= ms)
  }

  #addUnproven(place: Held): void {
    this.#unproven.add(place)
    add(this.#unprovenByNetwork, place.network, place)
  }

  #remove(place: Held): void {
    if (place.owner !== undefined) {
      take(this.#byOwner, place.owner, place)
      return
    }
    take(this.#unprovenByNetwork, place.network, place)
    this.#unproven.delete(place)
  }

  /** Ends the oldest of those that may have to go. */
  #evict(places: ReadonlySet<Held> | undefined, nowMs: number): boolean {
    for (const place of places ?? []) {
      if (place.hasBegun && nowMs - place.sinceMs < this.#limits.begunGraceMs) continue
      this.#end([place], 'did not log in while others wait')
      return true
    }
    return false
  }

  /** Somebody who has a single connection never makes room for somebody who has many. */
  #evictOfLargestOwner(): boolean {
    const largest = largestOf(this.#byOwner)
    if (largest === undefined || largest.size < 2) return false
    this.#end(largest, 'others have no connection at all')
    return true
  }

  #largestNetwork(): ReadonlySet<Held> | undefined {
    return largestOf(this.#unprovenByNetwork)
  }

  /** Ends the first. Its place is free at once, whenever its connection closes. */
  #end(places: Iterable<Held>, sentence: string): void {
    const [first] = places
    if (first === undefined) return
    this.giveBack(first)
    first.onTaken(sentence)
  }
}

function add(sets: Map<string, Set<Held>>, key: string, place: Held): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([place]))
  else set.add(place)
}

function take(sets: Map<string, Set<Held>>, key: string, place: Held): void {
  const set = sets.get(key)
  set?.delete(place)
  if (set?.size === 0) sets.delete(key)
}

function largestOf(sets: ReadonlyMap<string, Set<Held>>): Set<Held> | undefined {
  let largest: Set<Held> | undefined
  for (const set of sets.values()) if (set.size > (largest?.size ?? 0)) largest = set
  return largest
}
