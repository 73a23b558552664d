// Who may do something with a group.

import { found, no, type Found } from './outcomes.ts'
import { ownerOf, type Account, type Group, type State } from './state.ts'

/** The group, for one of its members only. */
export function groupForMember(state: State, name: string, user: Account | undefined): Found<Group> {
  const group = state.groups.get(name)
  if (group === undefined) return no('no-such-group', name)
  if (user === undefined || !group.members.has(user)) return no('you-are-no-member', name)
  return found(group)
}

/** The group, for its owner only. */
export function groupForOwner(state: State, name: string, user: Account | undefined): Found<Group> {
  const group = state.groups.get(name)
  if (group === undefined) return no('no-such-group', name)
  if (ownerOf(group) !== user) return no('not-the-owner', name)
  return found(group)
}
