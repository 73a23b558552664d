// Rules for groups: founding, asking, deciding, leaving, removing.

import { groupFor } from './authorization.ts'
import { addGroup, addMember, addRequest, dropMember, dropRequest, removeGroup } from './changes.ts'
import type { CreateGroup, DecideRequest, JoinGroup, LeaveGroup, RemoveMember } from './commands.ts'
import type { Effect } from './effects.ts'
import { withdrawShare } from './entries.ts'
import { no, type Decision, type No } from './outcomes.ts'
import { overQuota, type QuotaName } from './quotas.ts'
import { ownerOf, type Account, type Group, type State } from './state.ts'

export function createGroup(state: State, command: CreateGroup, by: Account): Decision {
  if (state.groups.has(command.group)) return no('group-taken', command.group)
  const isHidden = command.hidden === true
  // A tracker of then would list it.
  if (isHidden && state.level < 2) return no('not-yet')
  const against =
    quota(state, 'groups', () => state.groups.size) ??
    quota(state, 'groups_of_account', () => by.owned) ??
    quota(state, 'memberships_of_account', () => by.memberships)
  return against ?? (() => addMember(state, addGroup(state, command.group, isHidden), by))
}

export function joinGroup(state: State, command: JoinGroup, by: Account, effects: Effect[]): Decision {
  const found = groupFor(state, command.kind, command.group, by)
  if (!found.ok) return found
  const group = found.value
  const against =
    quota(state, 'requests_of_account', () => by.requests) ??
    quota(state, 'requests_of_group', () => group.requests.size)
  if (against !== undefined) return against
  return () => {
    addRequest(state, group, by)
    effects.push({ kind: 'join_requested', group: group.name, user: by.name, owner: ownerOf(group).name })
  }
}

export function decideRequest(
  state: State,
  command: DecideRequest,
  by: Account,
  effects: Effect[],
): Decision {
  const found = groupFor(state, command.kind, command.group, by)
  if (!found.ok) return found
  const group = found.value
  const asker = state.accounts.get(command.user)
  if (asker === undefined) return no(tellsWhoExists(state) ?? 'no-such-request', command.user, command.group)
  if (group.members.has(asker)) return no('is-member', command.user, command.group)
  if (!group.requests.has(asker)) return no('no-such-request', command.user, command.group)
  const accepted = command.kind === 'accept_request'
  const against = accepted
    ? (quota(state, 'members_of_group', () => group.members.size) ??
      quota(state, 'memberships_of_account', () => asker.memberships))
    : undefined
  if (against !== undefined) return against
  return () => {
    dropRequest(state, group, asker)
    if (accepted) addMember(state, group, asker)
    effects.push({ kind: 'request_decided', group: group.name, user: asker.name, accepted })
  }
}

export function leaveGroup(state: State, command: LeaveGroup, by: Account, effects: Effect[]): Decision {
  const found = groupFor(state, command.kind, command.group, by)
  return found.ok ? () => takeOut(state, found.value, by, effects) : found
}

export function removeMember(state: State, command: RemoveMember, by: Account, effects: Effect[]): Decision {
  const found = groupFor(state, command.kind, command.group, by)
  if (!found.ok) return found
  const group = found.value
  const member = state.accounts.get(command.user)
  if (member === by) return no('you-own-it', command.group)
  if (member === undefined) return no(tellsWhoExists(state) ?? 'is-no-member', command.user, command.group)
  if (!group.members.has(member)) return no('is-no-member', command.user, command.group)
  return () => takeOut(state, group, member, effects)
}

/** Removes a member and everything it shared here; with the last member the group ends. */
export function takeOut(state: State, group: Group, user: Account, effects: Effect[]): void {
  const owner = ownerOf(group)
  for (const entry of group.holdings.of(user)) withdrawShare(state, entry, user, effects)
  dropMember(state, group, user)
  effects.push({ kind: 'member_left', group: group.name, user: user.name, members: group.members })
  if (group.members.size === 0) {
    // Nobody is left to decide, so those who wait are rejected.
    for (const asker of group.requests) {
      effects.push({ kind: 'request_decided', group: group.name, user: asker.name, accepted: false })
    }
    removeGroup(state, group)
  } else if (user === owner) {
    effects.push({ kind: 'owner_changed', group: group.name, owner: ownerOf(group).name })
  }
}

/** From level 2 on a user that does not exist is refused like one that does: everybody may own a group, and ask. */
function tellsWhoExists({ level }: State): 'no-such-user' | undefined {
  return level < 2 ? 'no-such-user' : undefined
}

function quota(state: State, name: QuotaName, count: () => number): No | undefined {
  return state.level < 2 ? undefined : overQuota(state.quotas, name, count())
}
