// Requests about groups: changes go to the sequencer, questions to the state.

import { accept } from '../../common/refusal.ts'
import { listGroups, listMembers, listRequests } from '../state/queries.ts'
import type { HandlersOf, Services } from './services.ts'

type Groups = HandlersOf<
  | 'create_group'
  | 'list_groups'
  | 'join_group'
  | 'list_requests'
  | 'accept_request'
  | 'reject_request'
  | 'leave_group'
  | 'list_members'
  | 'remove_member'
>

export function groupHandlers({ sequencer }: Services): Groups {
  return {
    create_group: ({ id, group }, { user: by }) => sequencer.submit({ kind: 'create_group', id, by, group }),
    join_group: ({ id, group }, { user: by }) => sequencer.submit({ kind: 'join_group', id, by, group }),
    accept_request: ({ id, group, user }, { user: by }) =>
      sequencer.submit({ kind: 'accept_request', id, by, group, user }),
    reject_request: ({ id, group, user }, { user: by }) =>
      sequencer.submit({ kind: 'reject_request', id, by, group, user }),
    leave_group: ({ id, group }, { user: by }) => sequencer.submit({ kind: 'leave_group', id, by, group }),
    remove_member: ({ id, group, user }, { user: by }) =>
      sequencer.submit({ kind: 'remove_member', id, by, group, user }),

    list_groups: ({ after }, { user }) => accept(listGroups(sequencer.state, user, after)),
    list_requests: ({ group, after }, { user }) => listRequests(sequencer.state, user, group, after),
    list_members: ({ group, after }, { user }) => listMembers(sequencer.state, user, group, after),
  }
}
