// Rules for users.

import { networkOf } from '../../common/networks.ts'
import { addAccount } from './changes.ts'
import type { At, Register } from './commands.ts'
import { remember } from './remembered.ts'
import { done, no, type Decision, type No } from './outcomes.ts'
import { overQuota } from './quotas.ts'
import { notAdmitted } from './registration.ts'
import type { State } from './state.ts'

const dayMs = 24 * 60 * 60_000

export function register(state: State, command: Register, at: At): Decision {
  const { user, credentials } = command
  const against = state.level < 2 ? undefined : notAdmitted(state, command, at)
  if (against !== undefined) return against
  if (state.accounts.has(user)) return no('user-taken', user)
  if (state.level < 2) return () => void addAccount(state, user, credentials)
  const network = networkOf(at.from ?? '')
  const over = overRegistrationQuota(state, network, dayOf(at))
  if (over !== undefined) return over
  return () => {
    countRegistration(state, network, dayOf(at))
    if (command.invite !== undefined) state.registration.invites.delete(command.invite)
    // So that a repeated request is not refused because the name is taken.
    remember(addAccount(state, user, credentials), command.id, done, 0)
  }
}

function overRegistrationQuota(state: State, network: string, day: number): No | undefined {
  const { registrations, quotas, accounts } = state
  const today = day !== registrations.day ? 0 : (registrations.byNetwork.get(network) ?? 0)
  return overQuota(quotas, 'accounts', accounts.size) ?? overQuota(quotas, 'accounts_of_address', today)
}

function countRegistration(state: State, network: string, day: number): void {
  const { registrations } = state
  // Also an earlier day begins anew: one tracker with its clock far ahead would otherwise end all counting, and what
  // was counted by then would stay.
  if (day !== registrations.day) {
    registrations.day = day
    registrations.byNetwork.clear()
  }
  registrations.changedAt = state.position
  registrations.byNetwork.set(network, (registrations.byNetwork.get(network) ?? 0) + 1)
}

function dayOf({ atMs }: At): number {
  return Math.floor(atMs / dayMs)
}
