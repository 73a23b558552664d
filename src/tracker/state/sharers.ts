// Who shares an entry, in the order in which they shared it. Most entries have one sharer, and a million of them
// should not hold a million sets: one is held as it is, a few as an array, and many as an ordered set.

import { OrderedSet } from './ordered-set.ts'

/** `A`: an account, which must not be iterable. */
export type Sharers<A extends object> = A | readonly A[] | OrderedSet<A>

/** A set takes ten times as much memory as an array, and finds one of many sooner. */
const inArrayMax = 8

export const noSharers: readonly never[] = []

export function allOf<A extends object>(sharers: Sharers<A>): Iterable<A> {
  return isMany(sharers) ? sharers : [sharers]
}

export function countOf<A extends object>(sharers: Sharers<A>): number {
  if (sharers instanceof OrderedSet) return sharers.size
  return isMany(sharers) ? (sharers as readonly A[]).length : 1
}

export function isAmong<A extends object>(sharers: Sharers<A>, account: A): boolean {
  if (sharers instanceof OrderedSet) return sharers.has(account)
  return isMany(sharers) ? (sharers as readonly A[]).includes(account) : sharers === account
}

export function firstOf<A extends object>(sharers: Sharers<A>): A | undefined {
  if (sharers instanceof OrderedSet) return sharers.first
  return isMany(sharers) ? (sharers as readonly A[])[0] : sharers
}

/** With this one behind the others. A set is changed in place. */
export function withSharer<A extends object>(sharers: Sharers<A>, account: A): Sharers<A> {
  if (!(sharers instanceof OrderedSet)) return sharersOf([...allOf(sharers), account])
  sharers.add(account)
  return sharers
}

/** Without this one. A set is changed in place. */
export function withoutSharer<A extends object>(sharers: Sharers<A>, account: A): Sharers<A> {
  if (!(sharers instanceof OrderedSet))
    return sharersOf([...allOf(sharers)].filter((each) => each !== account))
  sharers.delete(account)
  return sharers
}

export function sharersOf<A extends object>(accounts: readonly A[]): Sharers<A> {
  const [only] = accounts
  if (accounts.length === 1 && only !== undefined) return only
  // An exact copy: an array that was pushed to takes room for 17.
  return accounts.length > inArrayMax ? new OrderedSet(accounts) : accounts.slice()
}

function isMany<A extends object>(sharers: Sharers<A>): sharers is readonly A[] | OrderedSet<A> {
  return Symbol.iterator in sharers
}
