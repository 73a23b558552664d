// Rules for groups: founding, asking, deciding, leaving, removing.

import { refuse } from '../../common/refusal.ts'
import type { CreateGroup, DecideRequest, JoinGroup, LeaveGroup, RemoveMember } from './commands.ts'
import type { Effect } from './effects.ts'
import { withdrawShare } from './files.ts'
import { done, groupForMember, groupForOwner, noSuchGroup } from './outcomes.ts'
import { ownerOf, type Group, type Outcome, type State } from './state.ts'

export function createGroup(state: State, command: CreateGroup): Outcome {
  const { group, by } = command
  if (state.groups.has(group)) return refuse('group-taken', `there is already a group ${group}`)
  state.groups.set(group, { members: new Set([by]), requests: new Set(), files: new Map() })
  return done
}

export function joinGroup(state: State, command: JoinGroup, effects: Effect[]): Outcome {
  const { by } = command
  const group = state.groups.get(command.group)
  if (group === undefined) return noSuchGroup(command.group)
  if (group.members.has(by)) return refuse('already-member', `you are already a member of ${command.group}`)
  if (group.requests.has(by))
    return refuse('already-requested', `you have already asked to join ${command.group}`)
  group.requests.add(by)
  effects.push({ kind: 'join_requested', group: command.group, user: by, owner: ownerOf(group) })
  return done
}

export function acceptRequest(state: State, command: DecideRequest, effects: Effect[]): Outcome {
  const taken = takeRequest(state, command)
  if (!taken.ok) return taken
  taken.value.members.add(command.user)
  effects.push({ kind: 'request_decided', group: command.group, user: command.user, accepted: true })
  return done
}

export function rejectRequest(state: State, command: DecideRequest, effects: Effect[]): Outcome {
  const taken = takeRequest(state, command)
  if (!taken.ok) return taken
  effects.push({ kind: 'request_decided', group: command.group, user: command.user, accepted: false })
  return done
}

export function leaveGroup(state: State, command: LeaveGroup, effects: Effect[]): Outcome {
  const found = groupForMember(state, command.group, command.by)
  if (!found.ok) return found
  takeOut(state, command.group, found.value, command.by, effects)
  return done
}

export function removeMember(state: State, command: RemoveMember, effects: Effect[]): Outcome {
  const found = groupForOwner(state, command.group, command.by)
  if (!found.ok) return found
  if (command.user === command.by)
    return refuse('usage', `you own ${command.group}; to leave it, use leave_group`)
  if (!found.value.members.has(command.user)) {
    return state.users.has(command.user)
      ? refuse('not-a-member', `${command.user} is not a member of ${command.group}`)
      : refuse('no-such-user', `there is no user ${command.user}`)
  }
  takeOut(state, command.group, found.value, command.user, effects)
  return done
}

/** Takes a request off the list for the owner to decide it; the group it was for. */
function takeRequest(state: State, command: DecideRequest): ReturnType<typeof groupForOwner> {
  const { user } = command
  const found = groupForOwner(state, command.group, command.by)
  if (!found.ok) return found
  if (found.value.requests.delete(user)) return found
  if (!state.users.has(user)) return refuse('no-such-user', `there is no user ${user}`)
  if (found.value.members.has(user))
    return refuse('already-member', `${user} is already a member of ${command.group}`)
  return refuse('no-such-request', `${user} has not asked to join ${command.group}`)
}

/** A member goes, and with it everything it shared here. The last one takes the group along. */
function takeOut(state: State, name: string, group: Group, user: string, effects: Effect[]): void {
  const owner = ownerOf(group)
  for (const file of group.files.keys()) withdrawShare(name, group, file, user, effects)
  group.members.delete(user)
  effects.push({ kind: 'member_left', group: name, user, members: [...group.members] })
  if (group.members.size === 0) {
    state.groups.delete(name)
    // Nobody is left to decide: whoever waits is told no.
    for (const asker of group.requests) {
      effects.push({ kind: 'request_decided', group: name, user: asker, accepted: false })
    }
  } else if (user === owner) {
    effects.push({ kind: 'owner_changed', group: name, owner: ownerOf(group) })
  }
}
