// Fetches a listing, which the tracker sends in pages: all of it, or a part.

import { Failure } from '../../common/failure.ts'
import type { FileEntry, GroupEntry } from '../../common/protocol/listings.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { TrackerLink } from './tracker-link.ts'

/** A million entries, more than anybody reads. Keeps endless pages from filling the memory. */
const pagesMax = 10_000

/** Which part of a listing: what comes behind the name `after`, and no more than `atMost` entries of it. */
export interface Part {
  readonly after?: string | undefined
  readonly atMost?: number | undefined
}

/**
 * Fetches all pages, or those of a part, and returns each entry once: the tracker may start the listing over when an
 * entry is removed meanwhile. Rejects with a `protocol` failure when the pages do not end.
 */
export async function allPages<P extends { readonly more: boolean }, E>(
  ask: (after: string | undefined) => Promise<Answer<P>>,
  entriesOf: (page: P) => E[],
  nameOf: (entry: E) => string,
  { after: first, atMost = Infinity }: Part = {},
): Promise<Answer<E[]>> {
  const all = new Map<string, E>()
  let after = first
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await ask(after)
    if (!page.ok) return page
    const entries = entriesOf(page.value)
    for (const entry of entries) all.set(nameOf(entry), entry)
    const last = entries.at(-1)
    if (!page.value.more || last === undefined || all.size >= atMost)
      return accept([...all.values()].slice(0, atMost))
    after = nameOf(last)
  }
  throw new Failure('protocol', 'the tracker sends a listing without an end')
}

export function allGroups(link: Pick<TrackerLink, 'ask'>): Promise<Answer<GroupEntry[]>> {
  return allPages(
    (after) => link.ask('list_groups', { after }),
    (page) => page.groups,
    (entry) => entry.group,
  )
}

export function allFiles(
  link: TrackerLink,
  group: string,
  details?: true,
  part?: Part,
): Promise<Answer<FileEntry[]>> {
  return allPages(
    (after) => link.ask('list_files', details === true ? { group, after, details } : { group, after }),
    (page) => page.files,
    (entry) => entry.name,
    part,
  )
}

export function allUsers(
  link: TrackerLink,
  method: 'list_requests' | 'list_members',
  group: string,
): Promise<Answer<string[]>> {
  return allPages(
    (after) => link.ask(method, { group, after }),
    (page) => page.users,
    (user) => user,
  )
}
