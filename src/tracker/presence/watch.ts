// One login that wants to hear of one swarm: which peers it knows, and which of these are gone.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { peersPerFileMax } from '../../common/limits.ts'
import { encodeLine } from '../../common/wire/frames.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Login } from './login.ts'
import type { Subject } from './news.ts'
import type { Member as MemberOf } from './roster.ts'

type Member = MemberOf<Watch>

/** What a watch needs of its swarm. */
export interface Watched {
  readonly version: FileVersion
  /** Peers that it did not know, and knows from now on. */
  introduce(watch: Watch): Member[]
  lineFor(words: string, encode: () => string): string
}

export class Watch implements Subject {
  readonly login: Login
  readonly #swarm: Watched
  /** Peers that it was told of. An array, since they are few, and there are many watches. */
  readonly known: Member[] = []
  /** Keys of peers that it knew and that have left. */
  readonly #left = new Set<string>()
  /** Nobody wants to hear of it any more. */
  isOver = false

  constructor(login: Login, swarm: Watched) {
    this.login = login
    this.#swarm = swarm
  }

  /** True when it knew this peer. */
  onLeft(member: Member): boolean {
    const place = this.known.indexOf(member)
    if (place === -1) return false
    this.known.splice(place, 1)
    // A client that logged in anew as somebody else is here as both for a moment.
    if (this.known.some(({ key }) => key === member.key)) return false
    this.#left.add(member.key)
    return true
  }

  take(): string | undefined {
    const joined = this.#swarm.introduce(this)
    // A client that has reconnected has not left.
    for (const { key } of joined) this.#left.delete(key)
    const left = [...this.#left].slice(0, peersPerFileMax)
    for (const key of left) this.#left.delete(key)
    // More have left at once than fit on a line.
    if (this.#left.size > 0) this.login.news.add(this)
    if (joined.length === 0 && left.length === 0) return undefined
    const words = `${joined.map(({ key }) => key).join()} ${left.join()}`
    return this.#swarm.lineFor(words, () => {
      const peers = joined.map(({ peer }) => peer)
      return encodeLine(notificationMessage('swarm_changed', { ...this.#swarm.version, joined: peers, left }))
    })
  }
}
