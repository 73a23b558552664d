// Sessions: a tracker's signed statement that a client has logged in with the password. With it and its key the client
// logs in again at any tracker of the community, without the password. Good until the account's epoch goes up.

import { createHmac, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import { UserName } from '../names.ts'
import { Count, PublicKey, TimeMs } from '../protocol/fields.ts'
import { refuse, type Answer } from '../refusal.ts'
import type { LoginChallenge } from './challenge.ts'
import type { Identity } from './identity.ts'
import { readStatement, signStatement } from './statement.ts'

const Session = v.strictObject({
  user: UserName,
  /** Number and epoch of the account. */
  account: Count,
  epoch: Count,
  /** The key that the bearer must prove. */
  key: PublicKey,
  expiresMs: TimeMs,
  /** The key of the tracker that signed. */
  tracker: PublicKey,
})
export type Session = v.InferOutput<typeof Session>

const context = 'coterie session 1'

export function signSession(tracker: Identity, session: Omit<Session, 'tracker'>): string {
  return signStatement(context, tracker, session)
}

/** Refused as `ticket-invalid` unless a trusted tracker signed it; `own` is the one that reads it. */
export function readSession(
  text: string,
  trustedTrackers: { has(key: string): boolean },
  own: Identity,
): Answer<Session> {
  const session = readStatement(context, Session, text, trustedTrackers, own)
  if (typeof session === 'string')
    return refuse(
      'ticket-invalid',
      'this session is not from a tracker of this community; log in with the password',
    )
  return { ok: true, value: session }
}

/**
 * The key of the verifiers for one client: with it nobody can pretend to another client of the user to be a tracker, so a
 * client may keep it on disk. `serverKey` is that of the user's credentials, `clientKey` that of the client; all base64.
 */
export function verifierKeyOf(serverKey: string, clientKey: string): string {
  const text = JSON.stringify(['coterie session key 1', clientKey])
  return createHmac('sha256', Buffer.from(serverKey, 'base64')).update(text).digest('base64')
}

/**
 * With this a tracker shows that it knows the user's credentials, as it does at a login with SCRAM. `nonce` is the
 * client's. No SCRAM message looks like it: those are no JSON.
 */
export function sessionVerifier(
  verifierKey: string,
  nonce: string,
  { trackerNonce, trackerKey, user, binding = '' }: LoginChallenge,
): string {
  const text = JSON.stringify(['coterie resumed 1', nonce, trackerNonce, trackerKey, user, binding])
  return createHmac('sha256', Buffer.from(verifierKey, 'base64')).update(text).digest('base64')
}

export function isSameVerifier(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
