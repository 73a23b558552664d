// Listings come from the tracker in pages; people want them whole.

import { Failure } from '../common/failure.ts'
import { accept, type Answer } from '../common/refusal.ts'

/** A million entries, more than anybody reads: a tracker whose pages never end must not fill the memory. */
const pagesMax = 10_000

/**
 * A listing whole, page by page, each entry once: where one goes meanwhile, the tracker may begin anew.
 * Rejects with a `protocol` failure when the pages do not end.
 */
export async function allPages<P extends { readonly more: boolean }, E>(
  ask: (after: string | undefined) => Promise<Answer<P>>,
  entriesOf: (page: P) => E[],
  nameOf: (entry: E) => string,
): Promise<Answer<E[]>> {
  const all = new Map<string, E>()
  let after: string | undefined
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await ask(after)
    if (!page.ok) return page
    const entries = entriesOf(page.value)
    for (const entry of entries) all.set(nameOf(entry), entry)
    const last = entries.at(-1)
    if (!page.value.more || last === undefined) return accept([...all.values()])
    after = nameOf(last)
  }
  throw new Failure('protocol', 'the tracker sends a listing without an end')
}
