// Rules for passwords: changing one, and setting a new one with a code from an operator. Each ends earlier logins.

import type { Credentials } from '../../common/security/scram.ts'
import { touchAccount } from './changes.ts'
import type { At, ChangePassword, IssueReset, ResetPassword } from './commands.ts'
import type { Effect } from './effects.ts'
import { done, no, type Decision } from './outcomes.ts'
import { remember } from './remembered.ts'
import type { Account, State } from './state.ts'

/** Part of the rules: how long a code for a new password is good. */
export const resetCodeMs = 24 * 60 * 60_000

export function changePassword(
  state: State,
  { credentials, key }: ChangePassword,
  by: Account,
  effects: Effect[],
): Decision {
  if (state.level < 2) return no('not-yet')
  return () => setPassword(state, by, credentials, key, effects)
}

/** A newer code replaces an older one. */
export function issueReset(
  state: State,
  { user, account: id, codeHash }: IssueReset,
  { atMs }: At,
): Decision {
  if (state.level < 2) return no('not-yet')
  const account = state.accounts.get(user)
  if (account?.id !== id) return no('no-such-user', user)
  return () => {
    account.reset = { codeHash, untilMs: atMs + resetCodeMs }
    touchAccount(state, account)
  }
}

/**
 * Only what is done is remembered: anybody may try codes for anybody, and should push nothing out of an account's
 * memory. A copy of a refused try is refused again, since nobody knows a code before it is issued.
 */
export function resetPassword(state: State, command: ResetPassword, at: At, effects: Effect[]): Decision {
  if (state.level < 2) return no('not-yet')
  const account = state.accounts.get(command.user)
  const reset = account?.reset
  // The same words for a user that does not exist.
  if (account === undefined || reset?.codeHash !== command.codeHash || reset.untilMs < at.atMs)
    return no('wrong-code')
  return () => {
    setPassword(state, account, command.credentials, undefined, effects)
    remember(account, command.id, done, at.position)
  }
}

/** A code that waits is of no use any more: whoever has the password has changed it since. */
function setPassword(
  state: State,
  account: Account,
  credentials: Credentials,
  spared: string | undefined,
  effects: Effect[],
): void {
  account.credentials = credentials
  account.epoch++
  account.reset = undefined
  touchAccount(state, account)
  const { id, name, epoch } = account
  effects.push({ kind: 'logins_ended', user: name, account: id, epoch, spared, why: 'password-changed' })
}
