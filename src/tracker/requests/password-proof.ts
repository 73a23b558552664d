// The proof that somebody knows a password: the answer to the challenge of `login_start`.

import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { checkClientFinal } from '../../common/security/scram.ts'
import type { Sequencer } from '../sequencer.ts'
import type { PendingLogin, Requester, Standing } from './requester.ts'

/** One sentence for a wrong password and for a user that does not exist, so that nobody learns who has an account. */
const loginFailed = refuse('login-failed', 'wrong user name or password')
export const tooManyAttempts = refuse('too-many-attempts', 'too many failed attempts; wait a minute')
const cannotTell = refuse(
  'unavailable',
  'this tracker cannot tell yet whether the password is right; try again',
)

interface Proved {
  readonly serverFinal: string
  readonly account: Standing
}

/**
 * Refuses as unavailable where the tracker cannot know: it does not see the newest changes, or the account came or got
 * another password since the challenge. Else a tracker that is behind would call a right password wrong.
 */
export function answerChallenge(
  { state: { accounts }, isCurrent }: Pick<Sequencer, 'state' | 'isCurrent'>,
  { user, clientFirstBare, serverFirst, credentials, account }: PendingLogin,
  clientFinal: string,
  { secure }: Requester,
): Answer<Proved> {
  const serverFinal = checkClientFinal(
    clientFirstBare,
    serverFirst,
    clientFinal,
    credentials,
    secure?.binding,
  )
  const now = accounts.get(user)
  const isSame = now?.id === account?.id && now?.epoch === account?.epoch
  if (serverFinal !== undefined && account !== undefined && isSame) return accept({ serverFinal, account })
  return isCurrent && (isSame || now === undefined) ? loginFailed : cannotTell
}
