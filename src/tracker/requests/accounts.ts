// Requests about identity: hello, registering, logging in and out.

import { randomBytes } from 'node:crypto'
import { scramIterations, sessionLifetimeMs } from '../../common/limits.ts'
import { accept, refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import { checkLoginKey, makeNonce, type LoginChallenge } from '../../common/security/challenge.ts'
import { madeUpCredentials, parseClientFirst, serverFirstMessage } from '../../common/security/scram.ts'
import { readSession, sessionVerifier, verifierKeyOf, type Session } from '../../common/security/session.ts'
import { protocolVersion, version } from '../../common/version.ts'
import { hashOfCode } from '../admission/codes.ts'
import { mayAdvertise, placeOf, type Where } from './advertised.ts'
import { change } from './changes.ts'
import { answerChallenge, tooManyAttempts } from './password-proof.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Params, Result } from '../../common/wire/methods.ts'
import type { HandlersOf, RefusedLogin, Services } from './services.ts'
import { nothing } from './services.ts'
import type { Requester, Standing } from './requester.ts'
import { sessionOf } from './session-of.ts'
import type { Account, State } from '../state/state.ts'

type Accounts = HandlersOf<
  'hello' | 'ping' | 'register' | 'login_start' | 'login_finish' | 'resume_login' | 'logout'
>

const proofFailed = refuse('proof-failed', 'the proof of the key is wrong')
const loginEnded = refuse('login-ended', 'the password was changed, or the account has ended; log in again')
const unreachable = refuse(
  'usage',
  'others cannot reach this client at the address that it advertises; see --advertise',
)
const alreadyLoggedIn = refuse('already-logged-in', 'somebody is logged in on this connection; log out first')

export function accountHandlers(services: Services): Accounts {
  const { presence } = services
  return {
    hello: (params, from) => hello(services, params, from),
    ping: () => accept({ timeMs: Date.now() }),
    register: (params, from) => register(services, params, from),
    login_start: ({ clientFirst }, from) => startLogin(services, clientFirst, from),
    login_finish: (params, from) => finishLogin(services, params, from),
    resume_login: (params, from) => resumeLogin(services, params, from),
    logout: (_params, from) => {
      const login = from.logOut()
      if (login !== undefined) presence.onLogout(login)
      return nothing
    },
  }
}

function hello(
  services: Services,
  { protocol, capabilities = [] }: Params<TrackerProtocol, 'hello'>,
  from: Requester,
): ReturnType<Accounts['hello']> {
  if (protocol !== protocolVersion) {
    return refuse(
      'protocol-version',
      protocol < protocolVersion
        ? `this tracker speaks version ${protocolVersion} of the protocol, and this client version ${protocol}; update the client`
        : `this tracker speaks version ${protocolVersion} of the protocol, and this client version ${protocol}; update the tracker`,
    )
  }
  // A second hello changes nothing: the nonce that a login may be signing right now stays good.
  if (from.nonce === '') {
    from.nonce = makeNonce()
    from.knowsFolders = capabilities.includes('folders')
    from.takesCalls = capabilities.includes('calls')
  }
  return accept({
    protocol: protocolVersion,
    program: `coterie-tracker/${version}`,
    capabilities: ['folders', 'calls'],
    cluster: services.sequencer.state.community,
    key: services.identity.publicKey,
    nonce: from.nonce,
    timeMs: services.nowMs(),
  })
}

/** Trying out which names are taken, or codes, counts as a failed attempt to get in. */
function register(
  services: Services,
  { id, user, again, invite, ...credentials }: Params<TrackerProtocol, 'register'>,
  from: Requester,
): ReturnType<Accounts['register']> {
  const { attempts, nowMs } = services
  if (attempts.isHostBlocked(from.host, nowMs())) return tooManyAttempts
  // Older trackers of the log know no such field, and ask for no code.
  const invited = invite === undefined ? {} : { invite: hashOfCode(invite) }
  const answer = change(services, { kind: 'register', id, user, credentials, ...invited, again }, from)
  const note = (answer: Answer<object>): Answer<object> => {
    if (!answer.ok && isGuess(answer.refusal.code)) attempts.onHostFailed(from.host, nowMs())
    return answer
  }
  return answer instanceof Promise ? answer.then(note) : note(answer)
}

function isGuess(code: RefusalCode): boolean {
  return code === 'user-taken' || code === 'wrong-code'
}

function startLogin(
  services: Services,
  clientFirst: string,
  from: Requester,
): Answer<{ serverFirst: string }> {
  const first = parseClientFirst(clientFirst, from.secure?.binding)
  if (first === undefined) return refuse('invalid-params', 'this is not the first message of a SCRAM login')
  const { accounts, secret } = services.sequencer.state
  // Made up in any case, so that the time it takes does not reveal whether the user exists.
  const madeUp = madeUpCredentials(secret, first.user, scramIterations)
  const account = accounts.get(first.user)
  const credentials = account?.credentials ?? madeUp
  const serverFirst = serverFirstMessage(first.nonce, randomBytes(18).toString('base64'), credentials)
  from.begin({
    user: first.user,
    clientFirstBare: first.bare,
    serverFirst,
    credentials,
    // A copy: the account may change until the answer comes.
    account: account === undefined ? undefined : { id: account.id, epoch: account.epoch },
  })
  return accept({ serverFirst })
}

function finishLogin(
  services: Services,
  params: Params<TrackerProtocol, 'login_finish'>,
  from: Requester,
): Answer<Result<TrackerProtocol, 'login_finish'>> {
  if (from.isLoggedIn) return alreadyLoggedIn
  if (!isReachable(params.host, from)) return unreachable
  const login = from.pendingLogin
  // One answer to one challenge, right or wrong.
  from.pendingLogin = undefined
  if (login === undefined) return refuse('invalid-request', 'a login begins with login_start')
  const { sequencer, identity, attempts, nowMs } = services
  const { user } = login
  // A name that nobody has may be a password in the wrong place.
  const note = (why: RefusedLogin): void =>
    services.onLoginRefused(from.host, sequencer.state.accounts.has(user) ? user : undefined, why)
  const isOwner = (): boolean => ownsKey(params, user, from, identity.publicKey)
  // A client that has logged in with this key before is not locked out by others who guess.
  if (attempts.isBlocked(user, from.host, nowMs()) && !(attempts.isKnown(user, params.key) && isOwner())) {
    note('too-many-attempts')
    return tooManyAttempts
  }
  const proved = answerChallenge(sequencer, login, params.clientFinal, from)
  if (!proved.ok) {
    attempts.onFailed(user, from.host, nowMs())
    note('login-failed')
    return proved
  }
  if (!isOwner()) {
    note('proof-failed')
    return proofFailed
  }
  attempts.onLoggedIn(user, params.key)
  logIn(services, from, user, proved.value.account, params.key, params)
  const session = sessionOf(services, from.login)
  return accept({
    serverFinal: proved.value.serverFinal,
    trackers: [...sequencer.state.trackers.keys()],
    session,
    seen: from.login.outside,
  })
}

function logIn(
  { presence, reach, advertised }: Services,
  from: Requester,
  user: string,
  standing: Standing,
  key: string,
  where: Where,
): void {
  const place = placeOf(where, from.host, advertised)
  const login = from.logIn(user, standing, key, place)
  presence.onLogin(login)
  reach.probes.onLogin(login, place.ignored)
}

/** No failure here counts as an attempt: nobody guesses a signature, and old sessions come back honestly. */
function resumeLogin(
  services: Services,
  { session: text, nonce, proof, ...where }: Params<TrackerProtocol, 'resume_login'>,
  from: Requester,
): ReturnType<Accounts['resume_login']> {
  if (from.isLoggedIn) return alreadyLoggedIn
  if (!isReachable(where.host, from)) return unreachable
  const { sequencer, identity, attempts, nowMs } = services
  const { state } = sequencer
  const read = readSession(text, state.trackers, identity)
  if (!read.ok) return read
  const { user, key, expiresMs } = read.value
  if (expiresMs < nowMs())
    return refuse('ticket-lapsed', 'this session has expired; log in with the password')
  const account = state.accounts.get(user)
  const ended = whyEnded(state, account, read.value)
  if (ended !== undefined || account === undefined) return ended ?? loginEnded
  if (!ownsKey({ key, proof }, user, from, identity.publicKey))
    return refuse('proof-failed', 'the proof of the key is wrong')
  attempts.onLoggedIn(user, key)
  logIn(services, from, user, account, key, where)
  const isOld = expiresMs - nowMs() < sessionLifetimeMs / 2
  const challenge = challengeOf(user, from, identity.publicKey)
  return accept({
    verifier: sessionVerifier(verifierKeyOf(account.credentials.serverKey, key), nonce, challenge),
    trackers: [...state.trackers.keys()],
    seen: from.login.outside,
    ...(isOld && { session: sessionOf(services, from.login) }),
  })
}

function isReachable(advertised: string | undefined, { host }: Requester): boolean {
  return advertised === undefined || mayAdvertise(advertised, host)
}

/** Numbers and epochs only go up, so a tracker that is behind the others sees that it is. */
function whyEnded(
  { shelves }: State,
  account: Account | undefined,
  session: Session,
): Answer<never> | undefined {
  const isSame = account?.id === session.account
  if (isSame && account.epoch === session.epoch) return undefined
  const isBehind = isSame ? account.epoch < session.epoch : session.account >= shelves.accounts.nextId
  return isBehind ? refuse('unavailable', 'this tracker is behind the others; try again') : loginEnded
}

function challengeOf(user: string, { nonce, secure }: Requester, trackerKey: string): LoginChallenge {
  return { trackerNonce: nonce, trackerKey, user, binding: secure?.binding }
}

/** Whether the client has the key that it logs in with, at this end of this connection. */
function ownsKey(
  { key, proof }: { key: string; proof: string },
  user: string,
  from: Requester,
  trackerKey: string,
): boolean {
  return checkLoginKey(key, proof, challengeOf(user, from, trackerKey))
}
