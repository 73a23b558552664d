// Soft state: who is logged in and has pieces of what. Never logged; rebuilt as clients announce. Callers report
// logins, and check that an announce is allowed.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { Followers } from './followers.ts'
import type { Login } from './login.ts'
import type { Notice } from './news.ts'
import { announcedOfUserMax, watchedOfUserMax } from '../limits.ts'
import { Slices } from './slices.ts'
import { SwarmNews } from './swarm-news.ts'
import { SwarmTable } from './swarm-table.ts'
import { fileKey, Swarm, type Member } from './swarm.ts'

/** The swarms of a login. */
interface Ties {
  /** Swarms in which it has pieces. */
  readonly announced: Set<Swarm>
  /** Swarms that it watches, by `fileKey`. */
  readonly watched: Map<
    string,
    { readonly swarm: Swarm; readonly watch: ReturnType<Swarm['watch']>['watch'] }
  >
}

export class Presence {
  readonly #logins = new Map<Login, Ties>()
  readonly #byUser = new Map<string, Set<Login>>()
  readonly #relaying = new Set<Login>()
  readonly #swarms = new SwarmTable()
  readonly #news: SwarmNews
  readonly #random: () => number
  readonly #slices: Slices
  /** Those who are told what happens to the entries of a group. */
  readonly followers = new Followers()

  constructor(
    random: () => number = Math.random,
    slices = new Slices(),
    news = new SwarmNews(undefined, slices),
  ) {
    this.#random = random
    this.#slices = slices
    this.#news = news
  }

  get loginCount(): number {
    return this.#logins.size
  }

  /** Files that clients announce, counted once for each client. */
  get announcedCount(): number {
    let count = 0
    for (const { announced } of this.#logins.values()) count += announced.size
    return count
  }

  get swarmCount(): number {
    return this.#swarms.size
  }

  /** The logins of a user: a person may be logged in on several machines. */
  loginsOf(user: string): Iterable<Login> {
    return this.#byUser.get(user) ?? []
  }

  /** Those that say that they forward connections of others. */
  get relaying(): Iterable<Login> {
    return this.#relaying
  }

  /** Tells all logins of a user. */
  tell(user: string, notice: Notice): void {
    for (const login of this.loginsOf(user)) login.news.tell(notice)
  }

  tellAll(notice: Notice): void {
    for (const login of this.#logins.keys()) login.news.tell(notice)
  }

  seeders(version: FileVersion): number {
    return this.#swarms.get(version)?.seeders ?? 0
  }

  isSeeder(login: Login, version: FileVersion): boolean {
    return this.#swarms.get(version)?.isComplete(login) === true
  }

  onLogin(login: Login): void {
    this.#logins.set(login, { announced: new Set(), watched: new Map() })
    if (login.relays) this.#relaying.add(login)
    const same = this.#byUser.get(login.user)
    if (same === undefined) this.#byUser.set(login.user, new Set([login]))
    else same.add(login)
  }

  /** Logged out, or the connection closed. */
  onLogout(login: Login): void {
    const ties = this.#logins.get(login)
    if (ties === undefined) return
    this.#logins.delete(login)
    this.#relaying.delete(login)
    this.followers.drop(login)
    const same = this.#byUser.get(login.user)
    same?.delete(login)
    if (same?.size === 0) this.#byUser.delete(login.user)
    this.#slices.add(this.#leave(login, ties))
  }

  /** False when the user announces too much. */
  announce(login: Login, version: FileVersion, complete: boolean): boolean {
    const ties = this.#logins.get(login)
    if (ties === undefined) return false
    const swarm = this.#swarmFor(version)
    const mayAdd = (): boolean => this.#countTies(login, 'announced') < announcedOfUserMax
    if (!ties.announced.has(swarm) && !mayAdd()) {
      this.#dropIfEmpty(swarm)
      return false
    }
    ties.announced.add(swarm)
    if (swarm.put(login, complete)) this.#news.onChange(swarm)
    return true
  }

  retract(login: Login, version: FileVersion): void {
    const swarm = this.#swarms.get(version)
    if (swarm !== undefined) this.#retract(login, swarm)
  }

  /**
   * Returns the peers of a file; from now on the login is told of changes. Undefined when its user watches too many
   * files.
   */
  watch(login: Login, version: FileVersion): Member[] | undefined {
    const ties = this.#logins.get(login)
    if (ties === undefined) return []
    this.forget(login, version.group, version.name)
    if (this.#countTies(login, 'watched') >= watchedOfUserMax) return undefined
    const swarm = this.#swarmFor(version)
    const { watch, peers } = swarm.watch(login)
    ties.watched.set(fileKey(version.group, version.name), { swarm, watch })
    return peers
  }

  forget(login: Login, group: string, name: string): void {
    const ties = this.#logins.get(login)
    const watched = ties?.watched.get(fileKey(group, name))
    if (watched !== undefined) this.#unwatch(ties, watched.swarm)
  }

  /** Ends what a user announces, watches and follows in a group, and its tickets. */
  dropFromGroup(user: string, group: string): void {
    for (const login of this.loginsOf(user)) {
      // A ticket for the membership that ended would be refused after rejoining.
      login.tickets.delete(group)
      this.followers.delete(login, group)
      const ties = this.#logins.get(login)
      for (const { swarm } of ties?.watched.values() ?? []) {
        if (swarm.version.group === group) this.#unwatch(ties, swarm)
      }
      for (const swarm of ties?.announced ?? []) {
        if (swarm.version.group === group) this.#retract(login, swarm)
      }
    }
  }

  /** Ends a swarm whose file is gone; returns the logins that were in it or watched it. */
  dropSwarm(version: FileVersion): Set<Login> {
    const swarm = this.#swarms.get(version)
    if (swarm === undefined) return new Set()
    const concerned = new Set(swarm.logins())
    this.#news.onGone(swarm)
    for (const login of concerned) {
      const ties = this.#logins.get(login)
      this.#unwatch(ties, swarm)
      ties?.announced.delete(swarm)
    }
    this.#swarms.delete(swarm)
    return concerned
  }

  #retract(login: Login, swarm: Swarm): void {
    this.#logins.get(login)?.announced.delete(swarm)
    if (swarm.take(login)) this.#news.onChange(swarm)
    this.#dropIfEmpty(swarm)
  }

  /** In slices: it may have to do with all files of a large group. */
  *#leave(login: Login, ties: Ties): Generator<void> {
    for (const { swarm } of ties.watched.values()) {
      this.#unwatch(ties, swarm)
      yield
    }
    for (const swarm of ties.announced) {
      this.#retract(login, swarm)
      yield
    }
  }

  #countTies(login: Login, which: keyof Ties): number {
    let count = 0
    for (const same of this.loginsOf(login.user)) count += this.#logins.get(same)?.[which].size ?? 0
    return count
  }

  #unwatch(ties: Ties | undefined, swarm: Swarm): void {
    const key = fileKey(swarm.version.group, swarm.version.name)
    const watched = ties?.watched.get(key)
    if (watched?.swarm !== swarm) return
    ties?.watched.delete(key)
    swarm.unwatch(watched.watch)
    this.#dropIfEmpty(swarm)
  }

  #swarmFor(version: FileVersion): Swarm {
    const known = this.#swarms.get(version)
    if (known !== undefined) return known
    const { group, name, fileId } = version
    const swarm = new Swarm({ group, name, fileId }, this.#random)
    this.#swarms.add(swarm)
    return swarm
  }

  #dropIfEmpty(swarm: Swarm): void {
    if (!swarm.isEmpty) return
    this.#news.onGone(swarm)
    this.#swarms.delete(swarm)
  }
}
