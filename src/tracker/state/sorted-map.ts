// Things by name, in the order of names: a B+ tree, in which the next page of a listing costs its own length.

import { createRequire } from 'node:module'
import type sorted from 'sorted-btree'

// A CommonJS module with a default export, which ES module loaders treat differently.
const { default: BTree } = createRequire(import.meta.url)('sorted-btree') as typeof sorted

export type SortedMap<T> = sorted.default<string, T>

export function sortedByName<T>(): SortedMap<T> {
  return new BTree<string, T>(undefined, byName)
}

/** By UTF-16 code units, the order of listings on the wire. */
function byName(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
