// Things by name, in the order of names: a B+ tree, in which the next page of a listing costs its own length.

import sorted from 'sorted-btree'

// A CommonJS module with a default export: Node and bundlers give the module, the loader of the tests that export.
const BTree = (sorted as Partial<typeof sorted>).default ?? (sorted as unknown as typeof sorted.default)

export type SortedMap<T> = sorted.default<string, T>

export function sortedByName<T>(): SortedMap<T> {
  return new BTree<string, T>(undefined, byName)
}

/** By UTF-16 code units, the order of listings on the wire. */
function byName(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
