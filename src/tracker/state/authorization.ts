// Who may do what with a group: the one table by which every rule and every question decides. How far a connection
// must have come before it may ask at all is in the table of the protocol (`stage`).

import type * as v from 'valibot'
import type { Standing } from '../../common/protocol/listings.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { found, no, type Found, type Reason } from './outcomes.ts'
import { ownerOf, type Account, type Group, type State } from './state.ts'

type Requests = TrackerProtocol['requests']
type Asked<M extends keyof Requests> = v.InferOutput<Requests[M]['params']>
type NamesGroup = {
  [M in keyof Requests]: Asked<M> extends { group: string } | { files: { group: string }[] } ? M : never
}[keyof Requests]

/**
 * The requests that need a right in a group, by the names of their methods; the compiler says which one the table
 * lacks. Left out are those that any login may make: the group is not there yet (`create_group`), or they only end what
 * this login began itself.
 */
type Deed = Exclude<NamesGroup, 'create_group' | 'forget_file' | 'unfollow_group' | 'retract'>

/** For each standing in the group: `may`, or the reason against it, which names the group. */
type Rights = Readonly<Record<Standing, 'may' | Against>>
type Against = Extract<Reason, 'you-are-member' | 'already-requested' | 'you-are-no-member' | 'not-the-owner'>

const forMembers: Rights = {
  owner: 'may',
  member: 'may',
  requested: 'you-are-no-member',
  none: 'you-are-no-member',
}
const forOwner: Rights = {
  owner: 'may',
  member: 'not-the-owner',
  requested: 'not-the-owner',
  none: 'not-the-owner',
}
const forOthers: Rights = {
  owner: 'you-are-member',
  member: 'you-are-member',
  requested: 'already-requested',
  none: 'may',
}

/** For commands it is part of the rules: another answer to one needs a new level (see levels.ts). */
export const authorization: Readonly<Record<Deed, Rights>> = {
  join_group: forOthers,
  list_requests: forOwner,
  accept_request: forOwner,
  reject_request: forOwner,
  leave_group: forMembers,
  list_members: forMembers,
  remove_member: forOwner,
  share_file: forMembers,
  unshare_file: forMembers,
  list_files: forMembers,
  list_versions: forMembers,
  follow_group: forMembers,
  find_file: forMembers,
  announce: forMembers,
  call_peer: forMembers,
}

/** The group of this name, if this account may do this there; else the reason against it. */
export function groupFor(state: State, deed: Deed, name: string, account: Account | undefined): Found<Group> {
  const group = state.groups.get(name)
  if (group === undefined) return no('no-such-group', name)
  const answer = authorization[deed][standingOf(group, account)]
  return answer === 'may' ? found(group) : no(answer, name)
}

/** Whoever has left or was removed has no standing, like one who never asked. */
export function standingOf(group: Group, account: Account | undefined): Standing {
  if (account === undefined) return 'none'
  if (ownerOf(group) === account) return 'owner'
  if (group.members.has(account)) return 'member'
  return group.requests.has(account) ? 'requested' : 'none'
}
