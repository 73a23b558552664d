// The one place where hard state changes. Pure: the same state and the same command always give the
// same outcome, the same effects and the same next state, on every tracker and on every replay.

import { register } from './accounts.ts'
import { touchAccount } from './changes.ts'
import {
  legacyKey,
  type At,
  type Change,
  type ChangePassword,
  type Command,
  type DeleteAccount,
} from './commands.ts'
import { deleteAccount, departureId, removeUser } from './leaving.ts'
import { changePassword, issueReset, resetPassword } from './passwords.ts'
import type { Effect } from './effects.ts'
import { shareFile, unshareFile } from './entries.ts'
import { createGroup, decideRequest, joinGroup, leaveGroup, removeMember } from './groups.ts'
import { done, no, type Decision, type No, type Outcome } from './outcomes.ts'
import { mayBeForgotten, remember, remembered } from './remembered.ts'
import { addInvite, setRegistration } from './registration.ts'
import type { Account, State } from './state.ts'
import { raiseLevel, revokeTracker, setQuota, trackerStarted } from './trackers.ts'

export interface Applied {
  readonly outcome: Outcome
  readonly effects: readonly Effect[]
}

const noEffects: readonly Effect[] = []

/**
 * Decides the command, refusals included, and changes `state` accordingly. A command whose id was seen before changes
 * nothing, and has the same outcome again.
 */
export function apply(state: State, command: Command, at: At): Applied {
  const before = knownOutcome(state, command)
  state.position = at.position
  if (before !== undefined) return { outcome: before, effects: noEffects }
  const invalid = isTooLate(state, command, at) ? no('too-late') : endedLogin(state, command)
  if (invalid !== undefined) return { outcome: invalid, effects: noEffects }
  const effects: Effect[] = []
  const decision = decide(state, command, effects, at)
  const outcome = typeof decision === 'function' ? done : decision
  if (typeof decision === 'function') decision()
  rememberOutcome(state, command, outcome, at.position)
  return { outcome, effects }
}

/**
 * The outcome of `apply`, for a command that was not seen before, if that changes nothing: a refusal, or already done;
 * undefined if it changes the state.
 */
export function foresee(state: State, command: Command, at: At): Outcome | undefined {
  const decision = endedLogin(state, command) ?? decide(state, command, [], at)
  return typeof decision === 'function' ? undefined : decision
}

/** Every rule only checks, and returns a function that makes the change: a refused command has changed nothing. */
function decide(state: State, command: Command, effects: Effect[], at: At): Decision {
  if ('by' in command) return decideChange(state, command, effects, at)
  switch (command.kind) {
    case 'tracker_started':
      return trackerStarted(state, command, effects)
    case 'revoke_tracker':
      return revokeTracker(state, command, effects)
    case 'raise_level':
      return raiseLevel(state, command)
    case 'set_quota':
      return setQuota(state, command)
    case 'set_registration':
      return setRegistration(state, command)
    case 'add_invite':
      return addInvite(state, command, at)
    case 'register':
      return register(state, command, at)
    case 'reset_password':
      return resetPassword(state, command, at, effects)
    case 'issue_reset':
      return issueReset(state, command, at)
    case 'remove_user':
      return removeUser(state, command, effects)
    default:
      return command satisfies never
  }
}

function decideChange(
  state: State,
  command: Change | ChangePassword | DeleteAccount,
  effects: Effect[],
  at: At,
): Decision {
  const by = state.accounts.get(command.by)
  if (by === undefined) return no('no-such-user', command.by) satisfies No
  switch (command.kind) {
    case 'create_group':
      return createGroup(state, command, by)
    case 'join_group':
      return joinGroup(state, command, by, effects)
    case 'accept_request':
    case 'reject_request':
      return decideRequest(state, command, by, effects)
    case 'leave_group':
      return leaveGroup(state, command, by, effects)
    case 'remove_member':
      return removeMember(state, command, by, effects)
    case 'share_file':
      return shareFile(state, command, by, at, effects)
    case 'unshare_file':
      return unshareFile(state, command, by, effects)
    case 'change_password':
      return changePassword(state, command, by, effects)
    case 'delete_account':
      return deleteAccount(state, command, by, effects)
    default:
      return command satisfies never
  }
}

/** The outcome of a command that was seen before; undefined for any other. */
export function knownOutcome(state: State, command: Command): Outcome | undefined {
  if (state.level < 2) {
    const key = legacyKey(command)
    return key === undefined ? undefined : state.outcomes.get(key)
  }
  if (command.kind === 'delete_account') {
    const gone = remembered(state.departures, departureId(command))
    if (gone !== undefined) return gone
  }
  const account = accountOf(state, command)
  return account !== undefined && 'id' in command ? remembered(account, command.id) : undefined
}

/**
 * A tracker that is cut off may hold a command for as long as it takes, while its user repeats it elsewhere and goes
 * on. Once the outcome is forgotten, the late copy would be done a second time.
 */
function isTooLate(state: State, command: Command, { after = Infinity }: At): boolean {
  if (state.level < 2) return false
  // Its name may be free again, and it would make an account that has just been deleted.
  if (command.kind === 'register') return after < state.departures.lastAt
  if (!('by' in command)) return false
  const by = state.accounts.get(command.by)
  return by !== undefined && mayBeForgotten(by, after)
}

/**
 * A command of an account that is gone, though another may have its name, or of a login that ended with the password
 * of then. Never remembered: the same command may come again with a login that holds.
 */
function endedLogin(state: State, command: Command): No | undefined {
  if (state.level < 2 || !('by' in command)) return undefined
  const { account, epoch } = command
  const by = state.accounts.get(command.by)
  const holds = (account ?? by?.id) === by?.id && (epoch ?? by?.epoch) === by?.epoch
  return holds ? undefined : no('login-ended')
}

function rememberOutcome(state: State, command: Command, outcome: Outcome, position: number): void {
  if (state.level < 2) {
    const key = legacyKey(command)
    if (key !== undefined) state.outcomes.add(key, outcome)
    return
  }
  // A registration is remembered with the account that it makes.
  const account = 'by' in command ? state.accounts.get(command.by) : undefined
  if (account === undefined || !('by' in command)) return
  remember(account, command.id, outcome, position)
  touchAccount(state, account)
}

function accountOf(state: State, command: Command): Account | undefined {
  if (command.kind === 'register' || command.kind === 'reset_password')
    return state.accounts.get(command.user)
  return 'by' in command ? state.accounts.get(command.by) : undefined
}
