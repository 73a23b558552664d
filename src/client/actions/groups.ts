// What a client does about groups.

import { plainNameProblem } from '../../common/names.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { noSuchGroup, notLoggedIn } from '../answers.ts'
import type { GroupOperations } from '../operations.ts'
import type { Change, ChangeParams } from '../tracker-link/tracker-link.ts'
import type { Core } from './core.ts'
import { allGroups, allUsers } from '../tracker-link/listing.ts'

export function groupActions(core: Core): GroupOperations {
  const { link, session, leaving } = core
  return {
    // Older trackers know no such field.
    createGroup: (group, hidden = false) =>
      changeGroup(core, 'create_group', hidden ? { group, hidden } : { group }),
    listGroups: async () => (session() === undefined ? notLoggedIn() : allGroups(link)),
    async joinGroup(group) {
      const ask = (): Promise<Answer<void>> => changeGroup(core, 'join_group', { group })
      return session()?.requests.asking(group, ask) ?? ask()
    },
    listRequests: (group) => users(core, 'list_requests', group),
    acceptRequest: (group, user) => changeGroup(core, 'accept_request', { group, user }),
    rejectRequest: (group, user) => changeGroup(core, 'reject_request', { group, user }),
    async leaveGroup(group) {
      const before = session()
      if (leaving.has(group)) return refuse('busy', `you are already leaving ${group}`)
      leaving.add(group)
      try {
        const left = await changeGroup(core, 'leave_group', { group })
        if (left.ok) await before?.forgetGroup(group)
        return left
      } finally {
        leaving.delete(group)
      }
    },
    listMembers: (group) => users(core, 'list_members', group),
    removeMember: (group, user) => changeGroup(core, 'remove_member', { group, user }),
  }
}

async function changeGroup<M extends Change>(
  { link, session }: Core,
  method: M,
  params: ChangeParams<M> & { group: string; user?: string },
): Promise<Answer<void>> {
  if (session() === undefined) return notLoggedIn()
  const problem = plainNameProblem('group', params.group)
  if (problem !== undefined)
    return method === 'create_group' ? refuse('bad-name', problem) : noSuchGroup(params.group)
  if (params.user !== undefined && plainNameProblem('user', params.user) !== undefined)
    return refuse('no-such-user', `there is no user ${params.user}`)
  return link.change(method, params)
}

async function users(
  { link, session }: Core,
  method: 'list_requests' | 'list_members',
  group: string,
): Promise<Answer<string[]>> {
  if (session() === undefined) return notLoggedIn()
  if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
  return allUsers(link, method, group)
}
