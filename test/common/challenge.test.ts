import { expect, test } from 'vitest'
import {
  checkLoginKey,
  checkProof,
  makeNonce,
  proveKey,
  proveLoginKey,
  type Challenge,
} from '../../src/common/security/challenge.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'

const caller = makeIdentity()
const responder = makeIdentity()
const challenge: Challenge = {
  callerNonce: makeNonce(),
  responderNonce: makeNonce(),
  callerKey: caller.publicKey,
  responderKey: responder.publicKey,
  binding: undefined,
}

test('each end proves its own key', () => {
  expect(checkProof('caller', challenge, proveKey(caller, 'caller', challenge))).toBe(true)
  expect(checkProof('responder', challenge, proveKey(responder, 'responder', challenge))).toBe(true)
})

test('a proof for one connection is none for another: any other nonce or key makes it void', () => {
  const proof = proveKey(caller, 'caller', challenge)
  const others: Partial<Challenge>[] = [
    { callerNonce: makeNonce() },
    { responderNonce: makeNonce() },
    { responderKey: makeIdentity().publicKey },
    { callerKey: makeIdentity().publicKey },
    { callerNonce: challenge.responderNonce, responderNonce: challenge.callerNonce },
  ]
  for (const other of others) expect(checkProof('caller', { ...challenge, ...other }, proof)).toBe(false)
})

test('a proof cannot be handed back as that of the other end', () => {
  // The same identity on both ends: only the role tells the two proofs apart.
  const mirror = { ...challenge, responderKey: caller.publicKey }
  const proof = proveKey(caller, 'caller', mirror)
  expect(checkProof('caller', mirror, proof)).toBe(true)
  expect(checkProof('responder', mirror, proof)).toBe(false)
})

test('somebody without the key proves nothing', () => {
  expect(checkProof('caller', challenge, proveKey(makeIdentity(), 'caller', challenge))).toBe(false)
  expect(checkProof('caller', challenge, '')).toBe(false)
})

test('a key is proved to one tracker, for one user and one connection', () => {
  const shown = { trackerNonce: 'nonce', trackerKey: 'tracker', user: 'abc', binding: undefined }
  const proof = proveLoginKey(caller, shown)
  expect(checkLoginKey(caller.publicKey, proof, shown)).toBe(true)
  expect(checkLoginKey(responder.publicKey, proof, shown)).toBe(false)
  for (const other of [{ trackerNonce: 'other' }, { trackerKey: 'other' }, { user: 'def' }])
    expect(checkLoginKey(caller.publicKey, proof, { ...shown, ...other })).toBe(false)
})

test('nonces do not repeat', () => {
  expect(new Set(Array.from({ length: 1000 }, makeNonce)).size).toBe(1000)
})
