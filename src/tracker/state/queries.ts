// Questions about the hard state. They change nothing, and never touch the log.

import { pageEntries } from '../../common/limits.ts'
import type { FileVersion } from '../../common/protocol/fields.ts'
import type { GroupEntry } from '../../common/protocol/listings.ts'
import { groupFor, standingOf } from './authorization.ts'
import { found, no, type Found } from './outcomes.ts'
import type { OrderedSet } from './ordered-set.ts'
import { ownerOf, type Account, type EarlierVersion, type Entry, type Group, type State } from './state.ts'

interface UserPage {
  users: string[]
  more: boolean
}

export interface FilePage {
  files: Entry[]
  more: boolean
}

export interface Totals {
  readonly users: number
  readonly groups: number
  readonly files: number
}

/**
 * Listings are read page by page; `after` is the last name of the page before. Hidden groups are among the others in
 * the order of names, for those who are in them or ask to be.
 */
export function listGroups(
  state: State,
  by: string,
  after: string | undefined,
): { groups: GroupEntry[]; more: boolean } {
  const account = state.accounts.get(by)
  const { page, more } = pageOf(allGroupsFor(state, account, after), after)
  const groups = page.map((group) => ({
    group: group.name,
    owner: ownerOf(group).name,
    members: group.members.size,
    standing: standingOf(group, account),
    ...(group.isHidden && { hidden: true }),
  }))
  return { groups, more }
}

function* allGroupsFor(
  { listedGroups }: State,
  account: Account | undefined,
  after: string | undefined,
): Generator<readonly [name: string, group: Group]> {
  const mine = account?.hidden?.entries(after)
  let next = mine?.next()
  for (const listed of listedGroups.entries(after)) {
    for (; next?.done === false && next.value[0] < listed[0]; next = mine?.next()) yield next.value
    yield listed
  }
  for (; next?.done === false; next = mine?.next()) yield next.value
}

export function listMembers(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
): Found<UserPage> {
  const mine = groupFor(state, 'list_members', group, state.accounts.get(by))
  return mine.ok ? found(usersOf(state, mine.value.members, after)) : mine
}

export function listRequests(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
): Found<UserPage> {
  const mine = groupFor(state, 'list_requests', group, state.accounts.get(by))
  return mine.ok ? found(usersOf(state, mine.value.requests, after)) : mine
}

export function listFiles(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
): Found<FilePage> {
  const mine = groupFor(state, 'list_files', group, state.accounts.get(by))
  if (!mine.ok) return mine
  const { page, more } = pageOf(mine.value.entries.entries(after), after)
  return found({ files: page, more })
}

/** What a name stands for, and before that what it stood for, the latest first. */
export function listVersions(state: State, by: string, group: string, name: string): Found<EarlierVersion[]> {
  const mine = groupFor(state, 'list_versions', group, state.accounts.get(by))
  if (!mine.ok) return mine
  const entry = mine.value.entries.get(name)
  return entry === undefined
    ? no('no-such-file', name, group)
    : found([entry, ...(entry.earlier ?? []).toReversed()])
}

/** Whether names or contents in this group changed after a position, or may have. */
export function changedSince(
  state: State,
  by: string,
  group: string,
  after: number | undefined,
): Found<boolean> {
  const mine = groupFor(state, 'follow_group', group, state.accounts.get(by))
  if (!mine.ok) return mine
  return found(after === undefined || after > state.position || mine.value.entriesChangedAt > after)
}

export function findFile(state: State, by: string, group: string, name: string): Found<Entry> {
  const mine = groupFor(state, 'find_file', group, state.accounts.get(by))
  if (!mine.ok) return mine
  const entry = mine.value.entries.get(name)
  return entry === undefined ? no('no-such-file', name, group) : found(entry)
}

/** Whether a user may announce this version: the group must have this very one. */
export function mayAnnounce(state: State, user: string, version: FileVersion): boolean {
  const mine = groupFor(state, 'announce', version.group, state.accounts.get(user))
  return mine.ok && mine.value.entries.get(version.name)?.fileId === version.fileId
}

export function totalsOf(state: State): Totals {
  const { accounts, groups, shelves } = state
  return { users: accounts.size, groups: groups.size, files: shelves.entries.count }
}

/** The page behind `after`, with which the rest may begin; it may have been removed meanwhile. Costs its own length. */
function pageOf<T>(
  sorted: Iterable<readonly [name: string, thing: T]>,
  after: string | undefined,
): { page: T[]; more: boolean } {
  const page: T[] = []
  for (const [name, thing] of sorted) {
    if (name === after) continue
    if (page.length === pageEntries) return { page, more: true }
    page.push(thing)
  }
  return { page, more: false }
}

/** In the order of joining or asking. Starts over if `after` has left meanwhile. */
function usersOf(state: State, users: OrderedSet<Account>, after: string | undefined): UserPage {
  const page: string[] = []
  for (const { name } of users.behind(after === undefined ? undefined : state.accounts.get(after))) {
    if (page.length === pageEntries) return { users: page, more: true }
    page.push(name)
  }
  return { users: page, more: false }
}
