// The primitive changes that rules are made of. Each keeps the ways to find a thing, by name and by number, in step,
// and notes what changed.

import { earlierVersionsMax } from '../../common/limits.ts'
import type { Credentials } from '../../common/security/scram.ts'
import { Holdings } from './holdings.ts'
import { OrderedSet } from './ordered-set.ts'
import { sortedByName } from './sorted-map.ts'
import { allOf, noSharers, withoutSharer, withSharer } from './sharers.ts'
import { ownerOf, type Account, type Edition, type Entry, type Group, type State } from './state.ts'

export function addAccount(state: State, name: string, credentials: Credentials): Account {
  const id = state.shelves.accounts.takeId()
  const account: Account = {
    id,
    name,
    credentials,
    epoch: 0,
    memberships: 0,
    owned: 0,
    requests: 0,
    shares: 0,
    remembered: [],
  }
  state.accounts.set(name, account)
  state.shelves.accounts.put(account)
  touchAccount(state, account)
  return account
}

export function touchAccount(state: State, account: Account): void {
  state.shelves.accounts.touch(account, state.position)
}

/** The account must be in no group, and ask to join none. */
export function removeAccount(state: State, account: Account): void {
  state.accounts.delete(account.name)
  state.shelves.accounts.remove(account)
  touchAccount(state, account)
}

export function addGroup(state: State, name: string, isHidden = false): Group {
  return putGroup(state, state.shelves.groups.takeId(), name, isHidden)
}

/** Under a number that was taken. */
export function putGroup(state: State, id: number, name: string, isHidden: boolean): Group {
  const group: Group = {
    id,
    name,
    isHidden,
    members: new OrderedSet(),
    requests: new OrderedSet(),
    entriesChangedAt: state.position,
    entries: sortedByName(),
    holdings: new Holdings(),
  }
  state.groups.set(name, group)
  if (!isHidden) state.listedGroups.set(name, group)
  state.shelves.groups.put(group)
  return group
}

/** The group must have no entries and no members left. Drops the requests to join it. */
export function removeGroup(state: State, group: Group): void {
  for (const asker of group.requests) takeRequest(group, asker)
  state.groups.delete(group.name)
  if (!group.isHidden) state.listedGroups.delete(group.name)
  state.shelves.groups.remove(group)
  state.shelves.groups.touch(group, state.position)
}

export function addMember(state: State, group: Group, account: Account): void {
  putMember(group, account)
  state.shelves.groups.touch(group, state.position)
}

/** Behind the other members; the first one owns the group. */
export function putMember(group: Group, account: Account): void {
  if (group.members.size === 0) account.owned++
  group.members.add(account)
  account.memberships++
  showTo(account, group)
}

export function dropMember(state: State, group: Group, account: Account): void {
  const owner = ownerOf(group)
  group.members.delete(account)
  account.memberships--
  hideFrom(account, group)
  if (account === owner) {
    account.owned--
    if (group.members.size > 0) ownerOf(group).owned++
  }
  state.shelves.groups.touch(group, state.position)
}

export function addRequest(state: State, group: Group, account: Account): void {
  putRequest(group, account)
  state.shelves.groups.touch(group, state.position)
}

/** Behind the other requests. */
export function putRequest(group: Group, account: Account): void {
  group.requests.add(account)
  account.requests++
  showTo(account, group)
}

export function dropRequest(state: State, group: Group, account: Account): void {
  group.requests.delete(account)
  takeRequest(group, account)
  state.shelves.groups.touch(group, state.position)
}

/** For an account that no longer asks to join. */
function takeRequest(group: Group, account: Account): void {
  account.requests--
  hideFrom(account, group)
}

function showTo(account: Account, group: Group): void {
  if (group.isHidden) (account.hidden ??= sortedByName()).set(group.name, group)
}

function hideFrom(account: Account, group: Group): void {
  if (!group.isHidden) return
  account.hidden?.delete(group.name)
  if (account.hidden?.size === 0) account.hidden = undefined
}

/** What a name is about to stand for. `edition` is undefined before level 3. */
export interface Content {
  readonly fileId: string
  readonly sizeBytes: number
  readonly edition: Edition | undefined
}

/** Adds a new name to a group, with content that nobody shares yet. */
export function addEntry(state: State, group: Group, name: string, content: Content): Entry {
  const id = state.shelves.entries.takeId()
  const { fileId, sizeBytes, edition } = content
  const entry: Entry = { id, group, name, fileId, sizeBytes, sharers: noSharers, edition, earlier: undefined }
  group.entries.set(name, entry)
  group.entriesChangedAt = state.position
  state.shelves.entries.put(entry)
  return entry
}

/** Call when nobody shares it any more. */
export function removeEntry(state: State, entry: Entry): void {
  entry.group.entries.delete(entry.name)
  entry.group.entriesChangedAt = state.position
  state.shelves.entries.remove(entry)
  touchEntry(state, entry)
}

export function addSharer(state: State, entry: Entry, account: Account): void {
  entry.sharers = withSharer(entry.sharers, account)
  putShare(entry, account)
  touchEntry(state, entry)
}

/** For an account that is among the sharers. */
export function putShare(entry: Entry, account: Account): void {
  account.shares++
  entry.group.holdings.add(account, entry)
}

export function dropSharer(state: State, entry: Entry, account: Account): void {
  entry.sharers = withoutSharer(entry.sharers, account)
  takeShare(entry, account)
  touchEntry(state, entry)
}

/** Puts other content, which nobody shares yet, under the same name. */
export function replaceContent(state: State, entry: Entry, content: Content): void {
  const { sharers, fileId, sizeBytes, edition, earlier = [] } = entry
  if (content.edition !== undefined)
    entry.earlier = [...earlier, { fileId, sizeBytes, edition }].slice(-earlierVersionsMax)
  Object.assign(entry, content, { sharers: noSharers })
  entry.group.entriesChangedAt = state.position
  for (const sharer of allOf(sharers)) takeShare(entry, sharer)
  touchEntry(state, entry)
}

/** For an account that is no longer among the sharers. */
function takeShare(entry: Entry, account: Account): void {
  account.shares--
  entry.group.holdings.delete(account, entry)
}

function touchEntry(state: State, entry: Entry): void {
  state.shelves.entries.touch(entry, state.position)
}
