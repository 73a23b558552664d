// Who has pieces of one version of a file right now, and who wants to hear of changes.

import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Login } from './login.ts'

export class Swarm {
  readonly version: FileVersion
  /** Clients that have pieces; true for those that have all. */
  readonly peers = new Map<Login, boolean>()
  readonly watchers = new Set<Login>()
  #seeders = 0

  constructor(version: FileVersion) {
    this.version = version
  }

  /** Clients that have every piece. */
  get seeders(): number {
    return this.#seeders
  }

  get isEmpty(): boolean {
    return this.peers.size === 0 && this.watchers.size === 0
  }

  /** False when it was known already. */
  put(login: Login, complete: boolean): boolean {
    const before = this.peers.get(login)
    if (before === complete) return false
    this.peers.set(login, complete)
    this.#seeders += (complete ? 1 : 0) - (before === true ? 1 : 0)
    return true
  }

  /** False when it was not there. */
  take(login: Login): boolean {
    if (this.peers.get(login) === true) this.#seeders--
    return this.peers.delete(login)
  }

  /**
   * At most `max` peers for a login, any of them with the same chance when there are more: a fixed choice
   * would send everybody to the same few. `random` gives numbers from 0 up to 1.
   */
  sample(asker: Login, max: number, random: () => number): Peer[] {
    const chosen: Peer[] = []
    let seen = 0
    for (const [login, complete] of this.peers) {
      if (login.key === asker.key) continue
      seen++
      // Reservoir sampling: the n-th peer takes a place with the chance max / n.
      const place = seen <= max ? seen - 1 : Math.floor(random() * seen)
      if (place < max) chosen[place] = peerOf(login, complete)
    }
    return chosen
  }
}

export function peerOf(login: Login, complete: boolean): Peer {
  return { user: login.user, host: login.host, port: login.port, key: login.key, complete }
}

/** Names a version of a file. A slash is in no group and in no file name. */
export function versionKey(version: FileVersion): string {
  return `${version.group}/${version.name}/${version.fileId}`
}

/** Names a file, whatever its version. */
export function fileKey(group: string, name: string): string {
  return `${group}/${name}`
}
