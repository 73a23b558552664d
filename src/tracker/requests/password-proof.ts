// The proof that somebody knows a password: the answer to the challenge of `login_start`.

import { refuse } from '../../common/refusal.ts'
import { checkClientFinal } from '../../common/security/scram.ts'
import type { State } from '../state/state.ts'
import type { PendingLogin, Requester, Standing } from './requester.ts'

/** One sentence for a wrong password and for a user that does not exist, so that nobody learns who has an account. */
export const loginFailed = refuse('login-failed', 'wrong user name or password')
export const tooManyAttempts = refuse('too-many-attempts', 'too many failed attempts; wait a minute')

interface Proved {
  readonly serverFinal: string
  readonly account: Standing
}

/** Undefined when the answer is wrong, or the account has gone or got another password since the challenge. */
export function answerChallenge(
  { accounts }: State,
  { user, clientFirstBare, serverFirst, credentials, account }: PendingLogin,
  clientFinal: string,
  { secure }: Requester,
): Proved | undefined {
  const serverFinal = checkClientFinal(
    clientFirstBare,
    serverFirst,
    clientFinal,
    credentials,
    secure?.binding,
  )
  const now = accounts.get(user)
  if (serverFinal === undefined || account === undefined || now?.id !== account.id) return undefined
  return now.epoch === account.epoch ? { serverFinal, account } : undefined
}
