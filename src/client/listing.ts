// Listings come from the tracker in pages; people want them whole.

import { accept, type Answer } from '../common/refusal.ts'

/** A listing whole, page by page. */
export async function allPages<P extends { readonly more: boolean }, E>(
  ask: (after: string | undefined) => Promise<Answer<P>>,
  entriesOf: (page: P) => E[],
  nameOf: (entry: E) => string,
): Promise<Answer<E[]>> {
  const all: E[] = []
  let after: string | undefined
  for (;;) {
    const page = await ask(after)
    if (!page.ok) return page
    const entries = entriesOf(page.value)
    all.push(...entries)
    const last = entries.at(-1)
    if (!page.value.more || last === undefined) return accept(all)
    after = nameOf(last)
  }
}
