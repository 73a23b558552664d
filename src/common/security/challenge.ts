// Proofs of identity keys, between two clients and to a tracker. Both ends of a peer connection sign both nonces and
// both keys, so a proof is valid for that connection, peer and role only; with TLS also what only its two ends share.

import { randomBytes } from 'node:crypto'
import { verifySignature, type Identity } from './identity.ts'

/** The values that both ends sign. */
export interface Challenge {
  readonly callerNonce: string
  readonly responderNonce: string
  readonly callerKey: string
  readonly responderKey: string
  /** What both ends of an encrypted connection share (`Secure.binding`); undefined for a plain one. */
  readonly binding: string | undefined
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

/** What a client signs at a login. `binding`: see `Challenge`. */
export interface LoginChallenge {
  readonly trackerNonce: string
  readonly trackerKey: string
  readonly user: string
  readonly binding: string | undefined
}

/** A client's proof of its key to a tracker. */
export function proveLoginKey(identity: Identity, challenge: LoginChallenge): string {
  return identity.sign(loginContext, ...loginParts(challenge))
}

export function checkLoginKey(key: string, proof: string, challenge: LoginChallenge): boolean {
  return verifySignature(key, proof, loginContext, ...loginParts(challenge))
}

const probeContext = 'coterie probe 1'

/** What a client answers to a tracker that looks for it from outside: good for this `nonce` only. */
export function proveProbed(identity: Identity, nonce: string): string {
  return identity.sign(probeContext, nonce, identity.publicKey)
}

export function checkProbed(key: string, signature: string, nonce: string): boolean {
  return verifySignature(key, signature, probeContext, nonce, key)
}

function loginParts({ trackerNonce, trackerKey, user, binding }: LoginChallenge): string[] {
  return [trackerNonce, trackerKey, user, ...boundTo(binding)]
}

/** One part more for an encrypted connection: a proof of one kind is never good for the other. */
function boundTo(binding: string | undefined): string[] {
  return binding === undefined ? [] : [binding]
}

function contextOf(role: Role): string {
  return `coterie peer ${role} 1`
}

function partsOf({ callerNonce, responderNonce, callerKey, responderKey, binding }: Challenge): string[] {
  return [callerNonce, responderNonce, callerKey, responderKey, ...boundTo(binding)]
}
