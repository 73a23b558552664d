// What is said to one tracker to log in: with a password (SCRAM), or with the session of an earlier login. Both ends prove
// that they are genuine.

import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { makeNonce, proveLoginKey } from '../../common/security/challenge.ts'
import type { Identity } from '../../common/security/identity.ts'
import { ScramClient, type KeySource } from '../../common/security/scram.ts'
import { isSameVerifier, sessionVerifier } from '../../common/security/session.ts'
import type { Method, Params, Result } from '../../common/wire/methods.ts'
import { Failure } from '../../common/failure.ts'
import type { Greeting } from './tracker-greeting.ts'
import type { Where } from './whereabouts.ts'

/** The user to log in as, and the source of the keys. */
export interface Credentials {
  readonly user: string
  readonly keys: KeySource
  /** False where there is only a session. */
  readonly hasPassword?: boolean
  /** The session of an earlier login, and what shows that a tracker knows the user. */
  readonly session?: { readonly text: string; readonly verifierKey: string } | undefined
  /** A newer session; undefined when the last one is of no use any more. */
  readonly onSession?: (text: string | undefined) => void
}

/** The connection to log in on. */
export interface LoggingIn {
  /** Undefined when there is none. */
  readonly greeting: Greeting | undefined
  /** What binds the proofs to the connection, where it is encrypted. */
  readonly binding: string | undefined
  readonly identity: Identity
  /** Where others are told to reach this client. */
  readonly where: (greeting: Greeting) => Promise<Where>
  readonly request: <M extends Method<TrackerProtocol>>(
    method: M,
    params: Params<TrackerProtocol, M>,
    timeoutMs?: number,
  ) => Promise<Answer<Result<TrackerProtocol, M>>>
  readonly close: (why: string) => void
}

/** What a tracker tells whoever has logged in. */
export type LoggedIn = Result<TrackerProtocol, 'login_finish'> | Result<TrackerProtocol, 'resume_login'>

export const notGenuine = refuse(
  'login-failed',
  'the tracker may be an impostor: it could not prove that it knows you',
)

const noSession = refuse('login-first', 'there is no session')
/** The proof that the user's password is this one, for one request on this connection. */
export async function provePassword(
  connection: LoggingIn,
  credentials: Credentials,
  timeoutMs?: number,
): Promise<Answer<string>> {
  const begun = await beginScram(connection, credentials, timeoutMs)
  return begun.ok ? accept(begun.value.clientFinal) : begun
}

async function beginScram(
  { binding, request }: LoggingIn,
  { user, keys }: Credentials,
  timeoutMs?: number,
): Promise<Answer<{ scram: ScramClient; clientFinal: string }>> {
  const scram = new ScramClient(user, makeNonce(), binding)
  const challenge = await request('login_start', { clientFirst: scram.clientFirst }, timeoutMs)
  if (!challenge.ok) return challenge
  return accept({ scram, clientFinal: await scram.clientFinal(challenge.value.serverFirst, keys) })
}

/** See `TrackerConnection.login`. */
export async function loginByPassword(
  connection: LoggingIn,
  credentials: Credentials,
  timeoutMs?: number,
): Promise<Answer<LoggedIn>> {
  const { greeting, binding, identity, where, request, close } = connection
  if (greeting === undefined) throw new Failure('connection-lost', 'not connected')
  const begun = await beginScram(connection, credentials, timeoutMs)
  if (!begun.ok) return begun
  const { scram, clientFinal } = begun.value
  const { user } = credentials
  const { nonce: trackerNonce, key: trackerKey } = greeting
  const proof = proveLoginKey(identity, { trackerNonce, trackerKey, user, binding })
  const answer = { clientFinal, key: identity.publicKey, proof, ...(await where(greeting)) }
  const finished = await request('login_finish', answer, timeoutMs)
  if (!finished.ok || scram.isServerGenuine(finished.value.serverFinal)) return finished
  close('not genuine')
  return notGenuine
}

/** Refused where the password has to be used, unless the login has ended. */
export async function loginBySession(
  { greeting, binding, identity, where, request, close }: LoggingIn,
  credentials: Credentials,
): Promise<Answer<LoggedIn>> {
  const { user, session } = credentials
  if (session === undefined || greeting === undefined) return noSession
  const challenge = { trackerNonce: greeting.nonce, trackerKey: greeting.key, user, binding }
  const nonce = makeNonce()
  const proof = proveLoginKey(identity, challenge)
  const { text, verifierKey } = session
  const resumed = await request('resume_login', { session: text, nonce, proof, ...(await where(greeting)) })
  if (!resumed.ok) {
    const { code } = resumed.refusal
    // Others may take it: this is an older tracker, say, or one that is behind.
    const isOver = code === 'ticket-invalid' || code === 'ticket-lapsed' || code === 'proof-failed'
    if (isOver && credentials.session?.text === text) credentials.onSession?.(undefined)
    return resumed
  }
  if (isSameVerifier(resumed.value.verifier, sessionVerifier(verifierKey, nonce, challenge))) return resumed
  close('not genuine')
  return notGenuine
}
