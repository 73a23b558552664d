// Requests of users about their accounts: another password, and an end. Each proves the password, or a code, on its own,
// also on a connection without a login: a client that lost the answer asks again on whichever it has by then.

import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Params } from '../../common/wire/methods.ts'
import { hashOfCode } from '../admission/codes.ts'
import { knownOutcome } from '../state/apply.ts'
import type { ChangePassword, DeleteAccount } from '../state/commands.ts'
import { no } from '../state/outcomes.ts'
import { change } from './changes.ts'
import { answerChallenge, tooManyAttempts } from './password-proof.ts'
import type { Requester, Standing } from './requester.ts'
import { answerOf, wordsOf } from './sentences.ts'
import { sessionOf } from './session-of.ts'
import type { HandlersOf, Services } from './services.ts'

type OwnAccount = HandlersOf<'change_password' | 'delete_account' | 'reset_password'>

const wrongPassword = refuse('login-failed', 'the password is wrong; type the one that you log in with')
const proofFirst = refuse('invalid-request', 'the password has to be proved, which begins with login_start')
const notYet = refuse(...wordsOf(no('not-yet')))

export function ownAccountHandlers(services: Services): OwnAccount {
  return {
    change_password: async ({ id, again, user, clientFinal, ...credentials }, from) => {
      // Its own connections stay; they have shown this key, so nobody else's do.
      const key = from.isLoggedIn && from.user === user ? from.login.key : undefined
      const command = { kind: 'change_password', id, by: user, credentials, key } as const
      const answer = await changeOwn(services, command, { again, clientFinal }, from)
      // Logged out meanwhile, or another user by now: then there is no session to go on with.
      const goesOn = answer.ok && key !== undefined && from.isLoggedIn && from.user === user
      return goesOn ? accept({ session: sessionOf(services, from.login) }) : answer
    },
    delete_account: ({ id, again, user, clientFinal }, from) =>
      changeOwn(services, { kind: 'delete_account', id, by: user }, { again, clientFinal }, from),
    reset_password: (params, from) => resetPassword(services, params, from),
  }
}

function changeOwn(
  services: Services,
  command: ChangePassword | DeleteAccount,
  { again, clientFinal }: { again: boolean | undefined; clientFinal: string | undefined },
  from: Requester,
): Answer<object> | Promise<Answer<object>> {
  const { state } = services.sequencer
  // Trackers of version 0.1 would end at such an entry of the log.
  if (state.level < 2) return notYet
  // Who knows the id has asked for it. Nothing could be proved with a password that no longer holds.
  const known = again === true ? knownOutcome(state, command) : undefined
  if (known !== undefined) return answerOf(known)
  if (clientFinal === undefined) return proofFirst
  const proved = provePassword(services, command.by, clientFinal, from)
  if (!proved.ok) return proved
  const { id: account, epoch } = proved.value
  return change(services, { ...command, account, epoch, again }, from)
}

/**
 * Wrong codes count for the address alone: nobody guesses one, and who has it should not have to wait because strangers
 * guess at the password.
 */
async function resetPassword(
  services: Services,
  { id, again, user, code, ...credentials }: Params<TrackerProtocol, 'reset_password'>,
  from: Requester,
): Promise<Answer<object>> {
  const { sequencer, attempts, nowMs } = services
  if (sequencer.state.level < 2) return notYet
  if (attempts.isHostBlocked(from.host, nowMs())) return tooManyAttempts
  const codeHash = hashOfCode(code)
  const answer = await change(
    services,
    { kind: 'reset_password', id, user, codeHash, credentials, again },
    from,
  )
  if (!answer.ok && answer.refusal.code === 'wrong-code') attempts.onHostFailed(from.host, nowMs())
  return answer
}

function provePassword(
  { sequencer, attempts, nowMs, onLoginRefused }: Services,
  user: string,
  clientFinal: string,
  from: Requester,
): Answer<Standing> {
  const login = from.pendingLogin
  from.pendingLogin = undefined
  if (login?.user !== user) return proofFirst
  const key = from.isLoggedIn && from.user === user ? from.login.key : undefined
  const isTooMany =
    key === undefined ? attempts.isBlocked(user, from.host, nowMs()) : attempts.isGuessing(user, key, nowMs())
  if (isTooMany) return tooManyAttempts
  const proved = answerChallenge(sequencer, login, clientFinal, from)
  if (proved.ok) return accept(proved.value.account)
  if (key === undefined) attempts.onFailed(user, from.host, nowMs())
  else attempts.onGuessed(user, key, nowMs())
  onLoginRefused(from.host, sequencer.state.accounts.has(user) ? user : undefined, 'login-failed')
  return proved.refusal.code === 'login-failed' ? wrongPassword : proved
}
