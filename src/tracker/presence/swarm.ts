// Who has pieces of one version of a file right now, and who watches it. Each watcher knows at most
// `peersPerFileMax` peers and hears of those only: what a swarm costs grows with its clients, not with their square.

import { peersPerFileMax } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Login } from './login.ts'
import { Roster, type Member as MemberOf } from './roster.ts'
import { Watch, type Watched } from './watch.ts'

export type Member = MemberOf<Watch>

export class Swarm implements Watched {
  readonly version: FileVersion
  readonly #roster: Roster<Watch>
  readonly #watches = new Set<Watch>()
  /** Those that know fewer peers than they may. */
  readonly #hungry = new Set<Watch>()
  /** Those that know somebody who has left. */
  readonly #bereaved = new Set<Watch>()
  #hasNewcomers = false
  /** Lines of this round of news, by what they say: many watchers are told the same. */
  readonly #lines = new Map<string, string>()

  constructor(version: FileVersion, random: () => number) {
    this.version = version
    this.#roster = new Roster(random)
  }

  /** Clients that have every piece. */
  get seeders(): number {
    return this.#roster.seeders
  }

  get isEmpty(): boolean {
    return this.#roster.size === 0 && this.#watches.size === 0
  }

  get watchCount(): number {
    return this.#watches.size
  }

  isComplete(login: Login): boolean {
    return this.#roster.get(login)?.complete === true
  }

  logins(): Iterable<Login> {
    return new Set([...this.#roster.logins(), ...Array.from(this.#watches, ({ login }) => login)])
  }

  /** True when there is news for watchers. A peer that becomes complete is none: it tells its peers itself. */
  put(login: Login, complete: boolean): boolean {
    const known = this.#roster.get(login)
    if (known !== undefined) {
      this.#roster.setComplete(known, complete)
      return false
    }
    const former = this.#roster.formerOf(login)
    if (former !== undefined) this.#remove(former)
    this.#roster.add(login, complete)
    this.#hasNewcomers = true
    return this.#hungry.size > 0
  }

  /** True when there is news for watchers. */
  take(login: Login): boolean {
    const member = this.#roster.get(login)
    return member !== undefined && this.#remove(member)
  }

  /** Adds a watch, which is told of changes from now on; also returns the peers that it knows from the start. */
  watch(login: Login): { watch: Watch; peers: Member[] } {
    const watch = new Watch(login, this)
    this.#watches.add(watch)
    const peers = this.introduce(watch)
    return { watch, peers }
  }

  unwatch(watch: Watch): void {
    watch.isOver = true
    for (const member of watch.known) member.knownTo.delete(watch)
    for (const watches of [this.#watches, this.#hungry, this.#bereaved]) watches.delete(watch)
    watch.login.news.drop(watch)
  }

  /** Begins a round of news: the watchers that it concerns, each to be told if it is not over by then. */
  beginRound(): Iterable<Watch> {
    this.#lines.clear()
    const concerned = this.#hasNewcomers
      ? new Set([...this.#hungry, ...this.#bereaved])
      : new Set(this.#bereaved)
    this.#hasNewcomers = false
    this.#bereaved.clear()
    return concerned
  }

  /** Makes as many peers known to a watcher as it may know; returns those that are new to it. */
  introduce(watch: Watch): Member[] {
    const { known, login } = watch
    const isFit = (member: Member): boolean => member.key !== login.key && !known.includes(member)
    const peers = this.#roster.sample(peersPerFileMax - known.length, isFit)
    for (const member of peers) {
      known.push(member)
      member.knownTo.add(watch)
    }
    if (known.length < peersPerFileMax) this.#hungry.add(watch)
    else this.#hungry.delete(watch)
    return peers
  }

  /** Encodes a line once for all watchers that hear the same words. */
  lineFor(words: string, encode: () => string): string {
    const known = this.#lines.get(words)
    if (known !== undefined) return known
    const line = encode()
    this.#lines.set(words, line)
    return line
  }

  #remove(member: Member): boolean {
    this.#roster.remove(member)
    for (const watch of member.knownTo) {
      if (!watch.onLeft(member)) continue
      this.#bereaved.add(watch)
      this.#hungry.add(watch)
    }
    return member.knownTo.size > 0
  }
}

/** Names a version of a file. No group or file name contains a slash. */
export function versionKey(version: FileVersion): string {
  return `${version.group}/${version.name}/${version.fileId}`
}

/** Names a file, whatever its version. */
export function fileKey(group: string, name: string): string {
  return `${group}/${name}`
}
