// Rules for accounts that end, by their users or by an operator.

import { dropRequest, removeAccount } from './changes.ts'
import type { DeleteAccount, RemoveUser } from './commands.ts'
import type { Effect } from './effects.ts'
import { takeOut } from './groups.ts'
import { done, no, type Decision } from './outcomes.ts'
import { remember } from './remembered.ts'
import type { Account, Group, State } from './state.ts'

export function deleteAccount(
  state: State,
  command: DeleteAccount,
  by: Account,
  effects: Effect[],
): Decision {
  if (state.level < 2) return no('not-yet')
  return () => {
    leave(state, by, effects)
    remember(state.departures, departureId(command), done, 0)
  }
}

export function removeUser(state: State, { user, account: id }: RemoveUser, effects: Effect[]): Decision {
  if (state.level < 2) return no('not-yet')
  const account = state.accounts.get(user)
  if (account?.id !== id) return no('no-such-user', user)
  return () => leave(state, account, effects)
}

/** A deletion is remembered by all accounts together, under user and id. */
export function departureId({ by, id }: DeleteAccount): string {
  return `${by} ${id}`
}

/** Its groups pass on, its shares and requests go, its logins end; then nothing is left that names it. */
function leave(state: State, account: Account, effects: Effect[]): void {
  const { id, name, epoch } = account
  for (const group of groupsOf(state, account)) {
    if (group.members.has(account)) takeOut(state, group, account, effects)
    else dropRequest(state, group, account)
  }
  removeAccount(state, account)
  state.departures.lastAt = state.position
  // Last, so that its clients hear of their groups before.
  effects.push({
    kind: 'logins_ended',
    user: name,
    account: id,
    epoch: epoch + 1,
    spared: undefined,
    why: 'account-deleted',
  })
}

/**
 * Groups that it is in or asks to join, in the order of names. Accounts do not list their groups, which would take
 * memory for everybody; so this walks through all, until it has found as many as there are.
 */
function groupsOf({ groups }: State, account: Account): Group[] {
  const found: Group[] = []
  const count = account.memberships + account.requests
  for (const group of groups.values()) {
    if (found.length === count) break
    if (group.members.has(account) || group.requests.has(account)) found.push(group)
  }
  return found
}
