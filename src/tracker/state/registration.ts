// Rules for who may register: everybody, who has an invitation, or nobody. Part of the state, so that all trackers agree.

import type { AddInvite, At, Register, SetRegistration } from './commands.ts'
import { done, no, type Decision, type No } from './outcomes.ts'
import type { State } from './state.ts'

/** Part of the rules: how long an invitation is good, and how many may wait at once. */
export const inviteMs = 7 * 24 * 60 * 60_000
export const invitesMax = 1_000

export function setRegistration(state: State, { mode }: SetRegistration): Decision {
  if (state.level < 2) return no('not-yet')
  if (state.registration.mode === mode) return done
  return () => {
    state.registration.mode = mode
  }
}

/** Codes that have lapsed make room. */
export function addInvite(state: State, { codeHash }: AddInvite, { atMs }: At): Decision {
  if (state.level < 2) return no('not-yet')
  const { invites } = state.registration
  const lapsed = [...invites].filter(([, untilMs]) => untilMs < atMs).map(([hash]) => hash)
  if (invites.size - lapsed.length >= invitesMax) return no('too-many-invites', invitesMax)
  return () => {
    for (const hash of lapsed) invites.delete(hash)
    invites.set(codeHash, atMs + inviteMs)
  }
}

/** A reason against a registration. Comes before the question whether the name is taken, which is not for strangers. */
export function notAdmitted({ registration }: State, { invite }: Register, { atMs }: At): No | undefined {
  const { mode, invites } = registration
  if (mode === 'open') return undefined
  if (mode === 'closed') return no('registration-closed')
  if (invite === undefined) return no('not-invited')
  return (invites.get(invite) ?? -Infinity) < atMs ? no('wrong-code') : undefined
}
