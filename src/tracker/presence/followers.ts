// Who is told of new names and new contents in which groups. Bounded by the groups that a user is in.

import type { Login } from './login.ts'
import type { Notice } from './news.ts'

export class Followers {
  readonly #byGroup = new Map<string, Set<Login>>()
  readonly #groups = new Map<Login, Set<string>>()

  add(login: Login, group: string): void {
    setIn(this.#byGroup, group).add(login)
    setIn(this.#groups, login).add(group)
  }

  delete(login: Login, group: string): void {
    takeFrom(this.#byGroup, group, login)
    takeFrom(this.#groups, login, group)
  }

  /** It has logged out. */
  drop(login: Login): void {
    for (const group of this.#groups.get(login) ?? []) takeFrom(this.#byGroup, group, login)
    this.#groups.delete(login)
  }

  tell(group: string, notice: Notice): void {
    for (const login of this.#byGroup.get(group) ?? []) login.news.tell(notice)
  }

  /** Whether anybody is told of this group. */
  has(group: string): boolean {
    return this.#byGroup.has(group)
  }
}

function setIn<K, V>(sets: Map<K, Set<V>>, key: K): Set<V> {
  const known = sets.get(key) ?? new Set()
  sets.set(key, known)
  return known
}

function takeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key)
  known?.delete(value)
  if (known?.size === 0) sets.delete(key)
}
