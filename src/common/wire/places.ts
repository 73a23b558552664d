// Decides which connections of a listener have a place, and whose is taken when none is left. Unproven ones share few
// places, by network and site; those that claim an owner have others, and proven ones are counted by owner. A newcomer
// costs as much as there are groups, not connections. Pure: time is a parameter.

import { isLoopback, networkOf, siteOf } from '../networks.ts'
import { Seats } from './seats.ts'

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
  /**
   * How long one that has begun to prove itself keeps its place, in milliseconds: the first while few have begun, and
   * less the more there are, down to the second when they have most places. An honest one needs a part of that.
   */
  readonly begunGraceMs: number
  readonly crowdedGraceMs: number
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

/**
 * `begun`: unproven, and it has begun to prove who it is. `delayed`: unproven, and it waits for this end to have time for
 * it.
 */
type State = 'unheard' | 'waiting' | 'unproven' | 'delayed' | 'begun' | 'claimed' | 'proven' | 'ended'

interface Held extends Place {
  state: State
  sinceMs: number
  /** When it began to prove itself; counts in that state alone. */
  begunAtMs: number
  owner: string | undefined
  /** By what it is counted: a network, a network and an owner, or an owner. */
  group: string
  /** By what its group is counted together with others: a site or an owner. Those with many groups are no more. */
  whole: string
  readonly site: string
  /** The most unproven connections of its network. */
  readonly networkMax: number
}

/** The share of the places with those that have begun from which these have no more than `crowdedGraceMs`. */
const crowdedShare = 0.75

export class Places {
  readonly #limits: PlaceLimits
  readonly #seats = {
    unheard: new Seats<Held>(),
    waiting: new Seats<Held>(),
    unproven: new Seats<Held>(),
    delayed: new Seats<Held>(),
    begun: new Seats<Held>(),
    claimed: new Seats<Held>(),
    proven: new Seats<Held>(),
  }

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  /** Connections with a place, without newcomers that are unheard or waiting. */
  get count(): number {
    return this.unprovenCount + this.#seats.claimed.size + this.#seats.proven.size
  }

  get unprovenCount(): number {
    return sizeOf(this.#unproven)
  }

  /** A place for a newcomer from this host, or a sentence that says why there is none. */
  take(host: string, nowMs: number, onTaken: (sentence: string) => void): Place | string {
    const { unheard, unprovenOfNetwork, unprovenOfLoopback } = this.#limits
    const network = networkOf(host)
    const networkMax = isLoopback(host) ? unprovenOfLoopback : unprovenOfNetwork
    const site = siteOf(host)
    const rest = {
      owner: undefined,
      state: 'ended' as const,
      group: network,
      whole: site,
      networkMax,
      onTaken,
    }
    const place: Held = { network, site, sinceMs: nowMs, begunAtMs: nowMs, ...rest }
    if (unheard === 0) return this.#settle(place, nowMs) ?? place
    if (!this.#queue(place, 'unheard', unheard)) return crowded
    return place
  }

  /** It has begun to prove itself. To begin again earns no further time. */
  begin(place: Place, nowMs: number): void {
    const held = place as Held
    if (held.state !== 'unproven') return
    this.#leave(held)
    held.begunAtMs = nowMs
    this.#enter(held, 'begun', held.network, held.site)
  }

  /** It has said something for which this end has no time yet: whoever comes later does not push it out for that. */
  delay(place: Place): void {
    const held = place as Held
    if (held.state !== 'unproven') return
    this.#leave(held)
    this.#enter(held, 'delayed', held.network, held.site)
  }

  /** Its turn has come. It has as much time from here as one that has just come. */
  goOn(place: Place, nowMs: number): void {
    const held = place as Held
    if (held.state !== 'delayed') return
    this.#leave(held)
    held.sinceMs = nowMs
    this.#enter(held, 'unproven', held.network, held.site)
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
    this.#enter(held, 'claimed', `${held.network} ${owner}`, owner)
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
    this.#enter(held, 'proven', owner, owner)
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
    this.#enter(held, 'unproven', held.network, held.site)
  }

  /** The connection has ended. */
  giveBack(place: Place): void {
    this.#leave(place as Held)
  }

  /** Connections without proof for at least `ms`, oldest first. */
  unprovenFor(ms: number, nowMs: number): Place[] {
    const { unheard, waiting, unproven, delayed, begun, claimed } = this.#seats
    return [claimed, begun, waiting, delayed, unproven, unheard]
      .flatMap(({ all }) => [...all])
      .filter(({ sinceMs }) => nowMs - sinceMs >= ms)
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
  }

  /**
   * Adds it to a queue. A full queue drops the newest of the site that has most, since nobody would get a turn if the
   * oldest went. False when the newcomer is the one to drop.
   */
  #queue(place: Held, state: 'unheard' | 'waiting', max: number): boolean {
    const seats = this.#seats[state]
    if (seats.size >= max) {
      const largest = seats.largest()
      const [first] = largest
      if (first === undefined || seats.ofWhole(place.site).size >= seats.ofWhole(first.whole).size)
        return false
      this.#end([...largest].slice(-1), crowded)
    }
    this.#enter(place, state, place.network, place.site)
    return true
  }

  /** Seats it among the unproven, or says why it cannot be. */
  #settle(place: Held, nowMs: number): string | undefined {
    const { unproven, all } = this.#limits
    const seats = this.#seats
    const ofNetwork = {
      idle: seats.unproven.of(place.network),
      delayed: seats.delayed.of(place.network),
      begun: seats.begun.of(place.network),
    }
    const begunShare = ofNetwork.begun.size / place.networkMax
    if (sizeOf(ofNetwork) >= place.networkMax && !this.#evict(ofNetwork, begunShare, nowMs))
      return 'too many connections from this address that have not logged in'
    if (this.unprovenCount >= unproven && !this.#makeRoomFor(place, nowMs))
      return 'too many connections that have not logged in'
    if (
      this.count >= all &&
      !this.#evict(this.#unproven, this.#begunShare, nowMs) &&
      !this.#evictOfLargestOwner()
    )
      return 'too many connections'
    this.#enter(place, 'unproven', place.network, place.site)
    return undefined
  }

  /** Frees one of the places that all unproven ones share: one of the site that has most, whatever it has begun. */
  #makeRoomFor(place: Held, nowMs: number): boolean {
    const own = this.#unprovenOf(place.site)
    const largest = this.#unprovenOf(this.#largestSite())
    if (this.#evict(largest, this.#begunShare, nowMs)) return true
    // With one fewer the two would only change places.
    if (sizeOf(largest) > sizeOf(own) + 1)
      return this.#end(largest.delayed.size > 0 ? largest.delayed : largest.begun, tooSlow)
    return this.#evict(sizeOf(own) === 0 ? this.#unproven : own, this.#begunShare, nowMs)
  }

  /** How much of the places that all unproven ones share have those that have begun. */
  get #begunShare(): number {
    return this.#seats.begun.size / this.#limits.unproven
  }

  get #unproven(): Unproven {
    const { unproven, delayed, begun } = this.#seats
    return { idle: unproven.all, delayed: delayed.all, begun: begun.all }
  }

  #unprovenOf(site: string): Unproven {
    const { unproven, delayed, begun } = this.#seats
    return { idle: unproven.ofWhole(site), delayed: delayed.ofWhole(site), begun: begun.ofWhole(site) }
  }

  /** The site with most unproven ones; of several the one that has been there longest. */
  #largestSite(): string {
    const { unproven, delayed, begun } = this.#seats
    let largest = ''
    let most = 0
    for (const { wholes } of [begun, delayed, unproven]) {
      for (const site of wholes) {
        const size = sizeOf(this.#unprovenOf(site))
        if (size > most) [largest, most] = [site, size]
      }
    }
    return largest
  }

  #enter(place: Held, state: Exclude<State, 'ended'>, group: string, whole: string): void {
    place.state = state
    place.group = group
    place.whole = whole
    this.#seats[state].add(place)
  }

  #leave(place: Held): void {
    if (place.state === 'ended') return
    this.#seats[place.state].remove(place)
    place.state = 'ended'
  }

  /**
   * Ends one of these, where so large a share of the places is with those that have begun; false when all may stay. An
   * idler goes first. Who has only just come goes last, since a client begins within two round trips: whoever holds the
   * other places would otherwise push it out with each further connection. While this end is what takes long, it does
   * not go at all: where all came at once, each would lose its place shortly before its turn, and what was done for it
   * would be lost.
   */
  #evict({ idle, delayed, begun }: Unproven, begunShare: number, nowMs: number): boolean {
    const { begunGraceMs, crowdedGraceMs } = this.#limits
    const shrunk = Math.min(1, begunShare / crowdedShare)
    const graceMs = begunGraceMs - (begunGraceMs - crowdedGraceMs) * shrunk
    const [idler] = idle
    const [slowest] = begun
    if (idler !== undefined && nowMs - idler.sinceMs >= crowdedGraceMs) return this.#end(idle, tooSlow)
    if (slowest !== undefined && nowMs - slowest.begunAtMs >= graceMs) return this.#end(begun, tooSlow)
    return delayed.size === 0 && this.#end(idle, tooSlow)
  }

  /** Ends the oldest connection of the owner with most. Nobody's only connection makes room for others. */
  #evictOfLargestOwner(): boolean {
    const largest = this.#seats.proven.largest()
    return largest.size > 1 && this.#end(largest, 'others have no connection at all')
  }

  /** Ends the first, if there is one. Its place is free at once, even before its connection has closed. */
  #end(places: Iterable<Held>, sentence: string): boolean {
    const [first] = places
    if (first === undefined) return false
    this.#leave(first)
    first.onTaken(sentence)
    return true
  }
}

/** Unproven ones: those that have done nothing, those that wait for this end, and those that have begun. */
interface Unproven {
  readonly idle: ReadonlySet<Held>
  readonly delayed: ReadonlySet<Held>
  readonly begun: ReadonlySet<Held>
}

function sizeOf({ idle, delayed, begun }: Unproven): number {
  return idle.size + delayed.size + begun.size
}

const crowded = 'too many others are connecting at the same time'
const tooSlow = 'did not log in while others wait'
