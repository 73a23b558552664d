// The exit codes of scripts: what kind of no was the first. Pure.

import type { RefusalCode } from '../../common/refusal.ts'

export const exitCodes = {
  refused: 1,
  usage: 2,
  noTracker: 3,
  login: 4,
  notAllowed: 5,
  nothingThere: 6,
  exists: 7,
  disk: 8,
  integrity: 9,
  timeout: 10,
} as const

const codes: Readonly<Record<RefusalCode, (typeof exitCodes)[keyof typeof exitCodes]>> = {
  'parse-error': exitCodes.refused,
  'invalid-request': exitCodes.refused,
  'unknown-method': exitCodes.refused,
  'invalid-params': exitCodes.usage,
  'hello-first': exitCodes.refused,
  'protocol-version': exitCodes.refused,
  'login-first': exitCodes.login,
  'already-logged-in': exitCodes.login,
  'login-failed': exitCodes.login,
  'login-ended': exitCodes.login,
  'too-many-attempts': exitCodes.login,
  'user-taken': exitCodes.exists,
  'no-such-user': exitCodes.nothingThere,
  'no-such-group': exitCodes.nothingThere,
  'group-taken': exitCodes.exists,
  'already-member': exitCodes.exists,
  'already-requested': exitCodes.exists,
  'no-such-request': exitCodes.nothingThere,
  'not-a-member': exitCodes.notAllowed,
  'not-the-owner': exitCodes.notAllowed,
  'no-such-file': exitCodes.nothingThere,
  'name-taken': exitCodes.exists,
  'not-shared': exitCodes.nothingThere,
  'bad-name': exitCodes.usage,
  busy: exitCodes.refused,
  unavailable: exitCodes.noTracker,
  'ticket-invalid': exitCodes.notAllowed,
  'ticket-lapsed': exitCodes.notAllowed,
  'proof-failed': exitCodes.notAllowed,
  'piece-missing': exitCodes.nothingThere,
  'file-changed': exitCodes.integrity,
  cancelled: exitCodes.refused,
  usage: exitCodes.usage,
  'local-file': exitCodes.disk,
  'no-such-download': exitCodes.nothingThere,
  'over-quota': exitCodes.notAllowed,
  'wrong-code': exitCodes.notAllowed,
  'not-invited': exitCodes.notAllowed,
  'registration-closed': exitCodes.notAllowed,
  'timed-out': exitCodes.timeout,
}

export function exitCodeFor(code: RefusalCode): number {
  return codes[code]
}
