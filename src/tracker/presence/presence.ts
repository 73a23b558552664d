// Soft state: who is connected and has pieces of what. Never logged; rebuilt as clients announce.
// Told of clients that come and go; believes whoever calls it that an announce is allowed.

import { peersPerFileMax } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Client } from './client.ts'
import { SwarmNews } from './swarm-news.ts'
import { fileKey, Swarm, versionKey } from './swarm.ts'

export class Presence {
  readonly #clients = new Set<Client>()
  readonly #byUser = new Map<string, Set<Client>>()
  readonly #swarms = new Map<string, Swarm>()
  readonly #news = new SwarmNews()
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  get clients(): ReadonlySet<Client> {
    return this.#clients
  }

  /** The connections of a user: a person may be logged in on several machines. */
  clientsOf(user: string): Iterable<Client> {
    return this.#byUser.get(user) ?? []
  }

  swarm(version: FileVersion): Swarm | undefined {
    return this.#swarms.get(versionKey(version))
  }

  seeders(version: FileVersion): number {
    return this.swarm(version)?.seeders ?? 0
  }

  onClientCame(client: Client): void {
    this.#clients.add(client)
    const same = this.#byUser.get(client.user)
    if (same === undefined) this.#byUser.set(client.user, new Set([client]))
    else same.add(client)
  }

  /** Logged out, or the connection closed. */
  onClientGone(client: Client): void {
    if (!this.#clients.delete(client)) return
    const same = this.#byUser.get(client.user)
    same?.delete(client)
    if (same?.size === 0) this.#byUser.delete(client.user)
    for (const swarm of client.watched.values()) this.#unwatch(client, swarm)
    for (const swarm of client.announced) this.#retract(client, swarm)
  }

  announce(client: Client, version: FileVersion, complete: boolean): void {
    const swarm = this.#swarmFor(version)
    client.announced.add(swarm)
    if (swarm.put(client, complete)) this.#news.onChange(swarm, client.key)
  }

  retract(client: Client, version: FileVersion): void {
    const swarm = this.swarm(version)
    if (swarm !== undefined) this.#retract(client, swarm)
  }

  /** The peers of a file now; from now on the client hears of every change. */
  watch(client: Client, version: FileVersion): Peer[] {
    this.forget(client, version.group, version.name)
    const swarm = this.#swarmFor(version)
    swarm.watchers.add(client)
    client.watched.set(fileKey(version.group, version.name), swarm)
    return swarm.sample(client, peersPerFileMax, this.#random)
  }

  forget(client: Client, group: string, name: string): void {
    const swarm = client.watched.get(fileKey(group, name))
    if (swarm !== undefined) this.#unwatch(client, swarm)
  }

  /** Ends all that a user has to do with the files of a group. */
  dropFromGroup(user: string, group: string): void {
    for (const client of this.clientsOf(user)) {
      for (const swarm of client.watched.values()) {
        if (swarm.version.group === group) this.#unwatch(client, swarm)
      }
      for (const swarm of client.announced) {
        if (swarm.version.group === group) this.#retract(client, swarm)
      }
    }
  }

  /** Ends a swarm whose file is gone; whoever was in it or watched it. */
  dropSwarm(version: FileVersion): Set<Client> {
    const swarm = this.swarm(version)
    if (swarm === undefined) return new Set()
    const concerned = new Set([...swarm.peers.keys(), ...swarm.watchers])
    this.#news.onGone(swarm)
    for (const client of swarm.watchers) client.watched.delete(fileKey(version.group, version.name))
    for (const client of swarm.peers.keys()) client.announced.delete(swarm)
    this.#swarms.delete(versionKey(version))
    return concerned
  }

  #retract(client: Client, swarm: Swarm): void {
    client.announced.delete(swarm)
    if (swarm.take(client)) this.#news.onChange(swarm, client.key)
    this.#dropIfEmpty(swarm)
  }

  #unwatch(client: Client, swarm: Swarm): void {
    client.watched.delete(fileKey(swarm.version.group, swarm.version.name))
    swarm.watchers.delete(client)
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
