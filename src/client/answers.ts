// Answers that a client gives without asking a tracker.

import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { passwordBytesMax } from '../common/limits.ts'
import { refuse, type Answer } from '../common/refusal.ts'

/** Why the password is not acceptable, as a sentence; undefined when it is. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'a password has at least one character'
  if (Buffer.byteLength(password) > passwordBytesMax)
    return `a password has at most ${passwordBytesMax} bytes`
  return undefined
}

export function notLoggedIn(): Answer<never> {
  return refuse('login-first', 'log in first')
}

/** Another user is, at this client. */
export function alreadyLoggedIn(user: string): Answer<never> {
  return refuse('already-logged-in', `${user} is logged in here; log out first: logout`)
}

export function noSuchGroup(group: string): Answer<never> {
  return refuse('no-such-group', `there is no group ${group}`)
}

export function beginsAnew(group: string, name: string): Answer<never> {
  return refuse('busy', `${name} from ${group} is just being downloaded again; wait a moment`)
}

export function alreadyFetched(group: string, name: string, isPaused: boolean): Answer<never> {
  const how = isPaused
    ? 'paused; continue it with resume_download, or give it up with cancel_download'
    : 'already being downloaded'
  return refuse('local-file', `${name} from ${group} is ${how}`)
}

/** The user logged out while it was about to begin. */
export function goesOnAfterLogin(name: string): Answer<never> {
  return refuse('cancelled', `you logged out; ${name} will be downloaded after your next login`)
}

export function noSuchDownload(group: string, name: string): Answer<never> {
  return refuse('no-such-download', `there is no download of ${name} from ${group}`)
}

export function neitherSharedNorDownloaded(group: string, name: string): Answer<never> {
  return refuse(
    'not-shared',
    `you neither share nor download ${name} in ${group}; list_files ${group} lists what there is`,
  )
}

/**
 * A failure, such as a lost tracker, as a refusal; undefined for a bug. A system error is no bug either, although a
 * better-worded failure should have replaced it.
 */
export function refusalOf(error: unknown): Answer<never> | undefined {
  const isFailure = error instanceof Failure
  if (!isFailure && systemCode(error) === undefined) return undefined
  const isLocal = !isFailure || error.code === 'file' || error.code === 'data'
  return refuse(isLocal ? 'local-file' : 'unavailable', sentenceOf(error))
}

/** Why this is no code of an operator, for a new password or a registration: those are 128 bits in hex. */
export function codeProblem(code: string): string | undefined {
  if (/^[0-9a-f]{32}$/i.test(code)) return undefined
  return 'a code has 32 digits and letters from a to f; copy all of it'
}
