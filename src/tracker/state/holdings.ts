// What each account shares in a group, so that leaving costs what one shares there, not what the group has. Most share
// a few things: those are an exact array. Many are a longer array, since a Set takes three times its memory.

import { isAmong, type Sharers } from './sharers.ts'

interface Shared<A extends object> {
  readonly name: string
  readonly sharers: Sharers<A>
}

const fewMax = 8

/** At most this share of a long array, and a few more, is no longer shared: closing such gaps is then rare. */
const gapShare = 0.25
const gapsMin = 8

export class Holdings<A extends object, T extends Shared<A>> {
  /** Made with the first share, since many groups have none. */
  #of: Map<A, readonly T[] | Many<A, T>> | undefined

  /** Call when the account is among the sharers, once for each share. */
  add(account: A, thing: T): void {
    this.#of ??= new Map()
    const held = this.#of.get(account)
    if (held instanceof Many) held.add(thing)
    else if (held === undefined) this.#of.set(account, [thing])
    else this.#of.set(account, held.length < fewMax ? held.concat(thing) : new Many([...held, thing]))
  }

  /** Call when the account is no longer among the sharers. */
  delete(account: A, thing: T): void {
    const held = this.#of?.get(account)
    if (held === undefined) return
    if (held instanceof Many) {
      held.deleteOne(account)
      if (held.count === 0) this.#of?.delete(account)
    } else if (held.length > 1) {
      this.#of?.set(
        account,
        held.filter((each) => each !== thing),
      )
    } else this.#of?.delete(account)
  }

  /** What the account shares, in the order of names. */
  of(account: A): T[] {
    const held = this.#of?.get(account)
    const things = held instanceof Many ? held.allOf(account) : [...(held ?? [])]
    return things.sort((one, other) => (one.name < other.name ? -1 : 1))
  }
}

class Many<A extends object, T extends Shared<A>> {
  /** With gaps: things that are no longer shared, and things that were shared again, which are here twice. */
  #things: T[]
  count: number

  constructor(things: T[]) {
    this.#things = things
    this.count = things.length
  }

  add(thing: T): void {
    this.#things.push(thing)
    this.count++
  }

  /** One thing is no longer shared. It is not looked for, which would cost as much as there are others. */
  deleteOne(account: A): void {
    this.count--
    if (this.#things.length > this.count * (1 + gapShare) + gapsMin) this.#things = this.allOf(account)
  }

  allOf(account: A): T[] {
    const still = this.#things.filter(({ sharers }) => isAmong(sharers, account))
    return still.length === this.count ? still : [...new Set(still)]
  }
}
