// The one place where hard state changes. Pure: the same state and the same command always give the
// same outcome, the same effects and the same next state, on every tracker and on every replay.

import { refuse } from '../../common/refusal.ts'
import { register, trackerStarted } from './accounts.ts'
import { retryKey, type Command } from './commands.ts'
import type { Effect } from './effects.ts'
import { shareFile, unshareFile } from './files.ts'
import { acceptRequest, createGroup, joinGroup, leaveGroup, rejectRequest, removeMember } from './groups.ts'
import type { Outcome, State } from './state.ts'

export interface Applied {
  readonly outcome: Outcome
  readonly effects: readonly Effect[]
}

const noEffects: readonly Effect[] = []

/**
 * Decides the command, refusals included, and changes `state` accordingly. A command whose id was
 * seen before changes nothing and has the outcome of the first time.
 */
export function apply(state: State, command: Command): Applied {
  const key = retryKey(command)
  const before = key === undefined ? undefined : state.outcomes.get(key)
  if (before !== undefined) return { outcome: before, effects: noEffects }
  const effects: Effect[] = []
  const outcome = decide(state, command, effects)
  if (key !== undefined) state.outcomes.add(key, outcome)
  return { outcome, effects }
}

/** Every rule checks first and changes afterwards: a refused command has changed nothing. */
function decide(state: State, command: Command, effects: Effect[]): Outcome {
  if ('by' in command && !state.users.has(command.by))
    return refuse('no-such-user', `there is no user ${command.by}`)
  switch (command.kind) {
    case 'tracker_started':
      return trackerStarted(state, command, effects)
    case 'register':
      return register(state, command)
    case 'create_group':
      return createGroup(state, command)
    case 'join_group':
      return joinGroup(state, command, effects)
    case 'accept_request':
      return acceptRequest(state, command, effects)
    case 'reject_request':
      return rejectRequest(state, command, effects)
    case 'leave_group':
      return leaveGroup(state, command, effects)
    case 'remove_member':
      return removeMember(state, command, effects)
    case 'share_file':
      return shareFile(state, command, effects)
    case 'unshare_file':
      return unshareFile(state, command, effects)
    default:
      return command satisfies never
  }
}
