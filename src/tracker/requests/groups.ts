// Requests about groups: changes go to the log, questions to the state.

import { accept } from '../../common/refusal.ts'
import { listGroups, listMembers, listRequests } from '../state/queries.ts'
import { changeBy } from './changes.ts'
import { answerOf } from './sentences.ts'
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

export function groupHandlers(services: Services): Groups {
  const { sequencer } = services
  return {
    create_group: (params, from) => changeBy(services, { kind: 'create_group', ...params }, from),
    join_group: (params, from) => changeBy(services, { kind: 'join_group', ...params }, from),
    accept_request: (params, from) => changeBy(services, { kind: 'accept_request', ...params }, from),
    reject_request: (params, from) => changeBy(services, { kind: 'reject_request', ...params }, from),
    leave_group: (params, from) => changeBy(services, { kind: 'leave_group', ...params }, from),
    remove_member: (params, from) => changeBy(services, { kind: 'remove_member', ...params }, from),

    list_groups: ({ after }, { user }) => accept(listGroups(sequencer.state, user, after)),
    list_requests: ({ group, after }, { user }) =>
      answerOf(listRequests(sequencer.state, user, group, after)),
    list_members: ({ group, after }, { user }) => answerOf(listMembers(sequencer.state, user, group, after)),
  }
}
