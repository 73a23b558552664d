// The clients that have pieces of one version of a file, user by user, and a fair sample of them. A user is named
// with a few clients at most, however many he announces himself as; the others are kept for when those leave.

import { peersPerFileMax } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { peersOfUserMax } from '../limits.ts'
import type { Login } from './login.ts'

/** A client that has pieces. `W`: who may be told of it. */
export class Member<W> {
  readonly login: Login
  /** Who was told of it. */
  readonly knownTo = new Set<W>()
  #complete: boolean
  #json: string | undefined
  /** What `#json` says. */
  #toldReachable: boolean | undefined

  constructor(login: Login, complete: boolean) {
    this.login = login
    this.#complete = complete
  }

  get key(): string {
    return this.login.key
  }

  get complete(): boolean {
    return this.#complete
  }

  set complete(complete: boolean) {
    if (complete !== this.#complete) this.#json = undefined
    this.#complete = complete
  }

  /** As others are told of it. */
  get peer(): Peer {
    const { user, host, port, key, reachable, mapped } = this.login
    return {
      user,
      host,
      port,
      key,
      complete: this.#complete,
      ...(reachable !== undefined && { reachable }),
      ...(mapped && { mapped }),
    }
  }

  /** `peer` as JSON, made once: thousands may be told of the same. */
  get json(): string {
    const { reachable } = this.login
    if (reachable !== this.#toldReachable) this.#json = undefined
    this.#toldReachable = reachable
    this.#json ??= JSON.stringify(this.peer)
    return this.#json
  }
}

/** The clients of one user, the last to come last. */
interface OfUser<W> {
  readonly members: Member<W>[]
  /** In the list of users. */
  place: number
  complete: number
}

export class Roster<W> {
  readonly #random: () => number
  readonly #members = new Map<Login, Member<W>>()
  readonly #byUser = new Map<string, OfUser<W>>()
  readonly #users: OfUser<W>[] = []
  #seeders = 0

  constructor(random: () => number) {
    this.#random = random
  }

  get size(): number {
    return this.#members.size
  }

  /** Clients that have every piece; of one user, those at most that would be named. */
  get seeders(): number {
    return this.#seeders
  }

  logins(): Iterable<Login> {
    return this.#members.keys()
  }

  get(login: Login): Member<W> | undefined {
    return this.#members.get(login)
  }

  add(login: Login, complete: boolean): void {
    const member = new Member<W>(login, false)
    this.#members.set(login, member)
    const { user } = login
    const ofUser: OfUser<W> = this.#byUser.get(user) ?? {
      members: [],
      place: this.#users.length,
      complete: 0,
    }
    if (ofUser.members.length === 0) {
      this.#byUser.set(user, ofUser)
      this.#users.push(ofUser)
    }
    ofUser.members.push(member)
    this.setComplete(member, complete)
  }

  setComplete(member: Member<W>, complete: boolean): void {
    const ofUser = this.#byUser.get(member.login.user)
    if (complete === member.complete || ofUser === undefined) return
    member.complete = complete
    this.#count(ofUser, complete ? 1 : -1)
  }

  /** The client of before with the same key: one that reconnects may be here twice. */
  formerOf(login: Login): Member<W> | undefined {
    const ofUser = this.#byUser.get(login.user)
    return ofUser?.members.find((member) => member.key === login.key && member.login !== login)
  }

  remove(member: Member<W>): void {
    const { user } = member.login
    const ofUser = this.#byUser.get(user)
    if (ofUser === undefined) return
    this.#members.delete(member.login)
    if (member.complete) this.#count(ofUser, -1)
    ofUser.members.splice(ofUser.members.indexOf(member), 1)
    if (ofUser.members.length > 0) return
    this.#byUser.delete(user)
    const last = this.#users.pop()
    if (last === undefined || last === ofUser) return
    this.#users[ofUser.place] = last
    last.place = ofUser.place
  }

  /**
   * Up to `room` of those that fit: each user once before any twice, and by chance where there are more. A fixed
   * choice would send everybody to the same few.
   */
  sample(room: number, isFit: (member: Member<W>) => boolean): Member<W>[] {
    // Of so many users at most half are known, so a few more steps than there is room are enough.
    return this.#users.length > 2 * peersPerFileMax
      ? this.#sampleOfMany(room, isFit)
      : this.#sampleOfFew(room, isFit)
  }

  /** Walks through the users with a step of chance, which meets none of them twice. */
  #sampleOfMany(room: number, isFit: (member: Member<W>) => boolean): Member<W>[] {
    const chosen: Member<W>[] = []
    const count = this.#users.length
    const step = this.#coprimeTo(count)
    let at = Math.floor(this.#random() * count)
    for (let tries = 0; chosen.length < room && tries < Math.min(count, 4 * room); tries++) {
      const member = this.#anyOf(this.#users[at])
      if (member !== undefined && isFit(member)) chosen.push(member)
      at = (at + step) % count
    }
    return chosen
  }

  #sampleOfFew(room: number, isFit: (member: Member<W>) => boolean): Member<W>[] {
    const chosen: Member<W>[] = []
    const users = shuffled(this.#users, this.#random)
    for (let round = 0; round < peersOfUserMax && chosen.length < room; round++) {
      for (const { members } of users) {
        if (chosen.length >= room) break
        const member = members[members.length - 1 - round]
        if (member !== undefined && isFit(member)) chosen.push(member)
      }
    }
    return chosen
  }

  /** One of those that are named: the last to come, since the first may be gone without a word. */
  #anyOf({ members }: OfUser<W> = { members: [], place: 0, complete: 0 }): Member<W> | undefined {
    const named = Math.min(members.length, peersOfUserMax)
    return named === 1 ? members.at(-1) : members[members.length - 1 - Math.floor(this.#random() * named)]
  }

  #coprimeTo(count: number): number {
    for (;;) {
      const step = 1 + Math.floor(this.#random() * (count - 1))
      if (greatestCommonDivisor(step, count) === 1) return step
    }
  }

  #count(ofUser: OfUser<W>, change: 1 | -1): void {
    this.#seeders -= Math.min(peersOfUserMax, ofUser.complete)
    ofUser.complete += change
    this.#seeders += Math.min(peersOfUserMax, ofUser.complete)
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** In any order, each with the same chance (Fisher and Yates). */
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
