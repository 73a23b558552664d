// What a client answers without asking a tracker.

import { passwordBytesMax } from '../common/limits.ts'
import { refuse, type Answer } from '../common/refusal.ts'

/** Why a password cannot be one, as a sentence; undefined when it can. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'a password has at least one character'
  if (Buffer.byteLength(password) > passwordBytesMax)
    return `a password has at most ${passwordBytesMax} bytes`
  return undefined
}

export function notLoggedIn(): Answer<never> {
  return refuse('login-first', 'log in first')
}

export function noSuchGroup(group: string): Answer<never> {
  return refuse('no-such-group', `there is no group ${group}`)
}
