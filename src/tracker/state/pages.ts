// Listings are read page by page; `after` is the last entry of the page before.

import { pageEntries } from '../../common/limits.ts'

export interface Page {
  readonly entries: string[]
  /** There are entries behind this page. */
  readonly more: boolean
}

/**
 * The next names in alphabetical order. One pass that keeps only a page: sorting everything for every
 * page would make reading a long listing quadratic. An entry that went meanwhile does no harm.
 */
export function pageByName(names: Iterable<string>, after: string | undefined): Page {
  const page: string[] = []
  for (const name of names) {
    if (after !== undefined && name <= after) continue
    const last = page[pageEntries]
    if (last !== undefined && name >= last) continue
    page.splice(placeOf(page, name), 0, name)
    // One more than a page, to know whether there is more.
    if (page.length > pageEntries + 1) page.pop()
  }
  return { entries: page.slice(0, pageEntries), more: page.length > pageEntries }
}

/** The next entries in the order of the set. If `after` went meanwhile, from the start again. */
export function pageInOrder(entries: ReadonlySet<string>, after: string | undefined): Page {
  const page: string[] = []
  let skipping = after !== undefined && entries.has(after)
  for (const entry of entries) {
    if (page.length === pageEntries) return { entries: page, more: true }
    if (!skipping) page.push(entry)
    else if (entry === after) skipping = false
  }
  return { entries: page, more: false }
}

/** Where a name belongs in a sorted list. */
function placeOf(sorted: readonly string[], name: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < name) low = middle + 1
    else high = middle
  }
  return low
}
