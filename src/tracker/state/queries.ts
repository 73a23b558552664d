// Questions about the hard state. They change nothing, and never touch the log.

import type { FileVersion } from '../../common/protocol/fields.ts'
import type { GroupEntry, Standing } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { groupForMember, groupForOwner } from './outcomes.ts'
import { pageByName, pageInOrder } from './pages.ts'
import { ownerOf, type Group, type SharedFile, type State } from './state.ts'

interface UserPage {
  users: string[]
  more: boolean
}

export interface FilePage {
  files: { name: string; file: SharedFile }[]
  more: boolean
}

export interface Totals {
  readonly users: number
  readonly groups: number
  readonly files: number
}

export function listGroups(
  state: State,
  by: string,
  after: string | undefined,
): { groups: GroupEntry[]; more: boolean } {
  const page = pageByName(state.groups.keys(), after)
  const groups: GroupEntry[] = []
  for (const name of page.entries) {
    const group = state.groups.get(name)
    if (group === undefined) continue
    groups.push({
      group: name,
      owner: ownerOf(group),
      members: group.members.size,
      standing: standingOf(group, by),
    })
  }
  return { groups, more: page.more }
}

export function listMembers(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
): Answer<UserPage> {
  const found = groupForMember(state, group, by)
  return found.ok ? accept(usersOf(found.value.members, after)) : found
}

export function listRequests(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
): Answer<UserPage> {
  const found = groupForOwner(state, group, by)
  return found.ok ? accept(usersOf(found.value.requests, after)) : found
}

export function listFiles(
  state: State,
  by: string,
  group: string,
  after: string | undefined,
  isListed: (name: string) => boolean = () => true,
): Answer<FilePage> {
  const found = groupForMember(state, group, by)
  if (!found.ok) return found
  const page = pageByName(chosen(found.value.files.keys(), isListed), after)
  const files: FilePage['files'] = []
  for (const name of page.entries) {
    const file = found.value.files.get(name)
    if (file !== undefined) files.push({ name, file })
  }
  return accept({ files, more: page.more })
}

function* chosen(names: Iterable<string>, isChosen: (name: string) => boolean): Generator<string> {
  for (const name of names) if (isChosen(name)) yield name
}

export function findFile(state: State, by: string, group: string, name: string): Answer<SharedFile> {
  const found = groupForMember(state, group, by)
  if (!found.ok) return found
  const file = found.value.files.get(name)
  return file === undefined ? refuse('no-such-file', `there is no file ${name} in ${group}`) : accept(file)
}

/** Whether a user may say that it has pieces of this: a member, and this very version is in the group. */
export function mayAnnounce(state: State, user: string, version: FileVersion): boolean {
  const group = state.groups.get(version.group)
  if (group === undefined || !group.members.has(user)) return false
  return group.files.get(version.name)?.fileId === version.fileId
}

export function totalsOf(state: State): Totals {
  let files = 0
  for (const group of state.groups.values()) files += group.files.size
  return { users: state.users.size, groups: state.groups.size, files }
}

function standingOf(group: Group, user: string): Standing {
  if (ownerOf(group) === user) return 'owner'
  if (group.members.has(user)) return 'member'
  return group.requests.has(user) ? 'requested' : 'none'
}

function usersOf(users: ReadonlySet<string>, after: string | undefined): UserPage {
  const page = pageInOrder(users, after)
  return { users: page.entries, more: page.more }
}
