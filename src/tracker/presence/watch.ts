// One login's watch of one swarm: the peers that it was told of, and which of them have left since.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { peersPerFileMax } from '../../common/limits.ts'
import { encodeLine } from '../../common/wire/frames.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Login } from './login.ts'
import type { Subject } from './news.ts'

/** What a watch needs of its swarm. */
export interface Watched<M> {
  readonly version: FileVersion
  introduce(watch: Watch<M>): Peer[]
  lineFor(words: string, encode: () => string): string
}

export class Watch<M = unknown> implements Subject {
  readonly login: Login
  readonly #swarm: Watched<M>
  /** Peers that it was told of, by key. */
  readonly known = new Map<string, M>()
  /** Keys of known peers that have left. */
  readonly #left = new Set<string>()

  constructor(login: Login, swarm: Watched<M>) {
    this.login = login
    this.#swarm = swarm
  }

  onLeft(key: string): void {
    if (this.known.delete(key)) this.#left.add(key)
  }

  take(): string | undefined {
    const joined = this.#swarm.introduce(this)
    // A client that has reconnected has not left.
    for (const { key } of joined) this.#left.delete(key)
    const left = [...this.#left].slice(0, peersPerFileMax)
    for (const key of left) this.#left.delete(key)
    // More peers have left at once than fit on a line.
    if (this.#left.size > 0) this.login.news.add(this)
    if (joined.length === 0 && left.length === 0) return undefined
    const words = `${joined.map(({ key }) => key).join()} ${left.join()}`
    return this.#swarm.lineFor(words, () =>
      encodeLine(notificationMessage('swarm_changed', { ...this.#swarm.version, joined, left })),
    )
  }
}
