// Who has pieces of one version of a file right now, and who watches it. Each watcher knows at most `peersPerFileMax`
// peers and is told of those only, so the cost of a swarm grows with its clients, not with their square.

import { peersPerFileMax } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { peersOfUserMax } from '../limits.ts'
import type { Login } from './login.ts'
import { Watch as WatchOf } from './watch.ts'

type Watch = WatchOf<Member>

/** A client that has pieces. */
export interface Member {
  readonly login: Login
  complete: boolean
  /** Watches that were told of it. */
  readonly knownTo: Set<Watch>
}

export class Swarm {
  readonly version: FileVersion
  readonly #random: () => number
  readonly #members = new Map<Login, Member>()
  readonly #byUser = new Map<string, Member[]>()
  /** The users of `#byUser`, for choosing at random. */
  readonly #users: string[] = []
  readonly #watches = new Set<Watch>()
  /** Watches that know fewer peers than they may. */
  readonly #hungry = new Set<Watch>()
  /** Watches that know a peer which has left. */
  readonly #bereaved = new Set<Watch>()
  #hasNewcomers = false
  #seeders = 0
  /** Encoded lines of this round of news, by content: many watchers are told the same. */
  readonly #lines = new Map<string, string>()

  constructor(version: FileVersion, random: () => number) {
    this.version = version
    this.#random = random
  }

  /** Clients that have every piece. */
  get seeders(): number {
    return this.#seeders
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#watches.size === 0
  }

  get watchCount(): number {
    return this.#watches.size
  }

  isComplete(login: Login): boolean {
    return this.#members.get(login)?.complete === true
  }

  logins(): Iterable<Login> {
    return new Set([...this.#members.keys(), ...Array.from(this.#watches, ({ login }) => login)])
  }

  /** True when there is news for watchers. A peer that becomes complete is none: it tells its peers itself. */
  put(login: Login, complete: boolean): boolean {
    const known = this.#members.get(login)
    if (known !== undefined) {
      this.#seeders += Number(complete) - Number(known.complete)
      known.complete = complete
      return false
    }
    const ofUser = this.#byUser.get(login.user) ?? []
    // Not listed: enough other clients of this user are.
    if (ofUser.length >= peersOfUserMax) return false
    if (ofUser.length === 0) {
      this.#byUser.set(login.user, ofUser)
      this.#users.push(login.user)
    }
    const member: Member = { login, complete, knownTo: new Set() }
    ofUser.push(member)
    this.#members.set(login, member)
    this.#seeders += Number(complete)
    this.#hasNewcomers = true
    return this.#hungry.size > 0
  }

  /** True when there is news for watchers. */
  take(login: Login): boolean {
    const member = this.#members.get(login)
    if (member === undefined) return false
    this.#members.delete(login)
    this.#seeders -= Number(member.complete)
    this.#takeOfUser(member)
    for (const watch of member.knownTo) {
      watch.onLeft(login.key)
      this.#bereaved.add(watch)
      this.#hungry.add(watch)
    }
    return member.knownTo.size > 0
  }

  /** Adds a watch, which is told of changes from now on; also returns the peers that it knows from the start. */
  watch(login: Login): { watch: Watch; peers: Peer[] } {
    const watch = new WatchOf<Member>(login, this)
    this.#watches.add(watch)
    const peers = this.introduce(watch)
    return { watch, peers }
  }

  unwatch(watch: Watch): void {
    for (const member of watch.known.values()) member.knownTo.delete(watch)
    for (const watches of [this.#watches, this.#hungry, this.#bereaved]) watches.delete(watch)
    watch.login.news.drop(watch)
  }

  /** Queues the news for the watchers that it concerns. */
  tellNews(): void {
    this.#lines.clear()
    const concerned = this.#hasNewcomers
      ? new Set([...this.#hungry, ...this.#bereaved])
      : new Set(this.#bereaved)
    this.#hasNewcomers = false
    this.#bereaved.clear()
    for (const watch of concerned) watch.login.news.add(watch)
  }

  /** Fills up the peers that a watcher knows; returns those that are new to it. */
  introduce(watch: Watch): Peer[] {
    const peers: Peer[] = []
    for (const member of this.#choose(watch, peersPerFileMax - watch.known.size)) {
      watch.known.set(member.login.key, member)
      member.knownTo.add(watch)
      peers.push(peerOf(member))
    }
    if (watch.known.size < peersPerFileMax) this.#hungry.add(watch)
    else this.#hungry.delete(watch)
    return peers
  }

  /** Encodes a line once for all watchers that are told the same. */
  lineFor(words: string, encode: () => string): string {
    const known = this.#lines.get(words)
    if (known !== undefined) return known
    const line = encode()
    this.#lines.set(words, line)
    return line
  }

  /**
   * Random peers that a watcher does not know yet; with few users, one of each before a second of any. A fixed choice
   * would send everybody to the same few.
   */
  #choose(watch: Watch, room: number): Set<Member> {
    const chosen = new Set<Member>()
    const isFit = ({ login }: Member): boolean => login.key !== watch.login.key && !watch.known.has(login.key)
    if (this.#users.length > 2 * peersPerFileMax) {
      // Most tries hit: at most half of so many users are known.
      for (let tries = 0; chosen.size < room && tries < 4 * room; tries++) {
        const member = this.#anyOf(this.#users[Math.floor(this.#random() * this.#users.length)] ?? '')
        if (member !== undefined && isFit(member)) chosen.add(member)
      }
      return chosen
    }
    const users = shuffled(this.#users, this.#random)
    for (let round = 0; round < peersOfUserMax && chosen.size < room; round++) {
      for (const user of users) {
        if (chosen.size >= room) break
        const member = this.#byUser.get(user)?.[round]
        if (member !== undefined && isFit(member)) chosen.add(member)
      }
    }
    return distinctKeys(chosen)
  }

  #anyOf(user: string): Member | undefined {
    const members = this.#byUser.get(user) ?? []
    return members[Math.floor(this.#random() * members.length)]
  }

  #takeOfUser(member: Member): void {
    const { user } = member.login
    const ofUser = this.#byUser.get(user) ?? []
    ofUser.splice(ofUser.indexOf(member), 1)
    if (ofUser.length > 0) return
    this.#byUser.delete(user)
    const place = this.#users.indexOf(user)
    const last = this.#users.pop()
    if (last !== undefined && place < this.#users.length) this.#users[place] = last
  }
}

export function peerOf({ login: { user, host, port, key }, complete }: Member): Peer {
  return { user, host, port, key, complete }
}

/** A client that reconnects is listed twice for a moment. */
function distinctKeys(members: ReadonlySet<Member>): Set<Member> {
  const byKey = new Map<string, Member>()
  for (const member of members) byKey.set(member.login.key, member)
  return new Set(byKey.values())
}

/** In random order (Fisher–Yates). */
function shuffled<T>(things: readonly T[], random: () => number): T[] {
  const all = [...things]
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const [one, another] = [all[at] as T, all[other] as T]
    all[at] = another
    all[other] = one
  }
  return all
}

/** Names a version of a file. Neither groups nor file names contain a slash. */
export function versionKey(version: FileVersion): string {
  return `${version.group}/${version.name}/${version.fileId}`
}

/** Names a file, whatever its version. */
export function fileKey(group: string, name: string): string {
  return `${group}/${name}`
}
