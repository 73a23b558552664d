// Outcomes that several rules share, so that the same "no" is always the same sentence.

import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { ownerOf, type Group, type Outcome, type State } from './state.ts'

export const done: Outcome = accept({})

export function noSuchGroup(group: string): Outcome & { ok: false } {
  return refuse('no-such-group', `there is no group ${group}`)
}

/** The group, for one of its members only. */
export function groupForMember(state: State, name: string, user: string): Answer<Group> {
  const group = state.groups.get(name)
  if (group === undefined) return noSuchGroup(name)
  if (!group.members.has(user)) return refuse('not-a-member', `you are not a member of ${name}`)
  return accept(group)
}

/** The group, for its owner only. */
export function groupForOwner(state: State, name: string, user: string): Answer<Group> {
  const group = state.groups.get(name)
  if (group === undefined) return noSuchGroup(name)
  if (ownerOf(group) !== user) return refuse('not-the-owner', `only the owner of ${name} may do this`)
  return accept(group)
}
