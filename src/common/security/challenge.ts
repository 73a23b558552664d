// Proofs of identity keys, between two clients and to a tracker. Both ends of a peer connection sign both nonces and
// both keys, so a proof is valid for that connection, peer and role only.

import { randomBytes } from 'node:crypto'
import { verifySignature, type Identity } from './identity.ts'

/** The values that both ends sign. */
export interface Challenge {
  readonly callerNonce: string
  readonly responderNonce: string
  readonly callerKey: string
  readonly responderKey: string
}

export type Role = 'caller' | 'responder'

export function makeNonce(): string {
  return randomBytes(24).toString('base64url')
}

export function proveKey(identity: Identity, role: Role, challenge: Challenge): string {
  return identity.sign(contextOf(role), ...partsOf(challenge))
}

export function checkProof(role: Role, challenge: Challenge, proof: string): boolean {
  const key = role === 'caller' ? challenge.callerKey : challenge.responderKey
  return verifySignature(key, proof, contextOf(role), ...partsOf(challenge))
}

const loginContext = 'coterie login 1'

/** A client's proof of its key to a tracker, over the tracker's nonce and key and the user logging in. */
export function proveLoginKey(
  identity: Identity,
  trackerNonce: string,
  trackerKey: string,
  user: string,
): string {
  return identity.sign(loginContext, trackerNonce, trackerKey, user)
}

export function checkLoginKey(
  key: string,
  proof: string,
  trackerNonce: string,
  trackerKey: string,
  user: string,
): boolean {
  return verifySignature(key, proof, loginContext, trackerNonce, trackerKey, user)
}

function contextOf(role: Role): string {
  return `coterie peer ${role} 1`
}

function partsOf(challenge: Challenge): string[] {
  return [challenge.callerNonce, challenge.responderNonce, challenge.callerKey, challenge.responderKey]
}
