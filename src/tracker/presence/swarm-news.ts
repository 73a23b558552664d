// Collects what changes in swarms during a turn of the event loop and tells the watchers once: a login
// that announces a hundred files, or a hundred that come back together, must not cost a message a change.

import { peersPerFileMax } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Login } from './login.ts'
import { peerOf, type Swarm } from './swarm.ts'

export class SwarmNews {
  /** For each swarm the keys whose standing changed. What to say of them is read when it is said. */
  readonly #changed = new Map<Swarm, Set<string>>()
  #willTell = false

  onChange(swarm: Swarm, key: string): void {
    if (swarm.watchers.size === 0) return
    const keys = this.#changed.get(swarm)
    if (keys === undefined) this.#changed.set(swarm, new Set([key]))
    else keys.add(key)
    if (this.#willTell) return
    this.#willTell = true
    setImmediate(() => this.#tellAll())
  }

  /** Its watchers have been told that it is gone. */
  onGone(swarm: Swarm): void {
    this.#changed.delete(swarm)
  }

  #tellAll(): void {
    this.#willTell = false
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const [swarm, keys] of changed) tellWatchers(swarm, keys)
  }
}

function tellWatchers(swarm: Swarm, keys: ReadonlySet<string>): void {
  const joined: Peer[] = []
  const left = new Set(keys)
  for (const [login, complete] of swarm.peers) {
    if (!keys.has(login.key)) continue
    joined.push(peerOf(login, complete))
    // A login that reconnects is here twice for a moment: its key has not left.
    left.delete(login.key)
  }
  for (const watcher of swarm.watchers) tellWatcher(watcher, swarm, joined, [...left])
}

/** Everybody but the watcher itself, in portions that fit on a line. */
function tellWatcher(watcher: Login, swarm: Swarm, joined: readonly Peer[], left: readonly string[]): void {
  const others = joined.filter((peer) => peer.key !== watcher.key)
  const gone = left.filter((key) => key !== watcher.key)
  for (let at = 0; at < Math.max(others.length, gone.length); at += peersPerFileMax) {
    watcher.tell('swarm_changed', {
      ...swarm.version,
      joined: others.slice(at, at + peersPerFileMax),
      left: gone.slice(at, at + peersPerFileMax),
    })
  }
}
