// Soft state: who is connected and has pieces of what. Never logged; rebuilt as logins announce.
// Told of logins that come and go; believes whoever calls it that an announce is allowed.

import { peersPerFileMax } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Login } from './login.ts'
import { SwarmNews } from './swarm-news.ts'
import { fileKey, Swarm, versionKey } from './swarm.ts'

export class Presence {
  readonly #logins = new Set<Login>()
  readonly #byUser = new Map<string, Set<Login>>()
  readonly #swarms = new Map<string, Swarm>()
  readonly #news = new SwarmNews()
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  get logins(): ReadonlySet<Login> {
    return this.#logins
  }

  /** The connections of a user: a person may be logged in on several machines. */
  loginsOf(user: string): Iterable<Login> {
    return this.#byUser.get(user) ?? []
  }

  swarm(version: FileVersion): Swarm | undefined {
    return this.#swarms.get(versionKey(version))
  }

  seeders(version: FileVersion): number {
    return this.swarm(version)?.seeders ?? 0
  }

  onLogin(login: Login): void {
    this.#logins.add(login)
    const same = this.#byUser.get(login.user)
    if (same === undefined) this.#byUser.set(login.user, new Set([login]))
    else same.add(login)
  }

  /** Logged out, or the connection closed. */
  onLogout(login: Login): void {
    if (!this.#logins.delete(login)) return
    const same = this.#byUser.get(login.user)
    same?.delete(login)
    if (same?.size === 0) this.#byUser.delete(login.user)
    for (const swarm of login.watched.values()) this.#unwatch(login, swarm)
    for (const swarm of login.announced) this.#retract(login, swarm)
  }

  announce(login: Login, version: FileVersion, complete: boolean): void {
    const swarm = this.#swarmFor(version)
    login.announced.add(swarm)
    if (swarm.put(login, complete)) this.#news.onChange(swarm, login.key)
  }

  retract(login: Login, version: FileVersion): void {
    const swarm = this.swarm(version)
    if (swarm !== undefined) this.#retract(login, swarm)
  }

  /** The peers of a file now; from now on the login hears of every change. */
  watch(login: Login, version: FileVersion): Peer[] {
    this.forget(login, version.group, version.name)
    const swarm = this.#swarmFor(version)
    swarm.watchers.add(login)
    login.watched.set(fileKey(version.group, version.name), swarm)
    return swarm.sample(login, peersPerFileMax, this.#random)
  }

  forget(login: Login, group: string, name: string): void {
    const swarm = login.watched.get(fileKey(group, name))
    if (swarm !== undefined) this.#unwatch(login, swarm)
  }

  /** Ends all that a user has to do with the files of a group. */
  dropFromGroup(user: string, group: string): void {
    for (const login of this.loginsOf(user)) {
      for (const swarm of login.watched.values()) {
        if (swarm.version.group === group) this.#unwatch(login, swarm)
      }
      for (const swarm of login.announced) {
        if (swarm.version.group === group) this.#retract(login, swarm)
      }
    }
  }

  /** Ends a swarm whose file is gone; whoever was in it or watched it. */
  dropSwarm(version: FileVersion): Set<Login> {
    const swarm = this.swarm(version)
    if (swarm === undefined) return new Set()
    const concerned = new Set([...swarm.peers.keys(), ...swarm.watchers])
    this.#news.onGone(swarm)
    for (const login of swarm.watchers) login.watched.delete(fileKey(version.group, version.name))
    for (const login of swarm.peers.keys()) login.announced.delete(swarm)
    this.#swarms.delete(versionKey(version))
    return concerned
  }

  #retract(login: Login, swarm: Swarm): void {
    login.announced.delete(swarm)
    if (swarm.take(login)) this.#news.onChange(swarm, login.key)
    this.#dropIfEmpty(swarm)
  }

  #unwatch(login: Login, swarm: Swarm): void {
    login.watched.delete(fileKey(swarm.version.group, swarm.version.name))
    swarm.watchers.delete(login)
    this.#dropIfEmpty(swarm)
  }

  #swarmFor(version: FileVersion): Swarm {
    const known = this.swarm(version)
    if (known !== undefined) return known
    const swarm = new Swarm({ group: version.group, name: version.name, fileId: version.fileId })
    this.#swarms.set(versionKey(version), swarm)
    return swarm
  }

  #dropIfEmpty(swarm: Swarm): void {
    if (swarm.isEmpty) this.#swarms.delete(versionKey(swarm.version))
  }
}
