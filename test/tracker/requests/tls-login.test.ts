// Logins on encrypted connections: each is good on the connection that it was made for, and with its key.

import { expect, test } from 'vitest'
import { proveLoginKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { TestClient } from '../support/test-client.ts'
import { runTracker } from '../support/test-tracker.ts'

async function registered(): Promise<{ one: TestClient; other: TestClient }> {
  const { address } = await runTracker(undefined, 1, undefined, 'always')
  const [one, other] = [
    await TestClient.connect(address, undefined, true),
    await TestClient.connect(address, undefined, true),
  ]
  for (const client of [one, other]) await client.hello()
  await one.register('ann', 'secret')
  return { one, other }
}

test('a login works, and the key of the tracker is that of its end of the connection', async () => {
  const { one } = await registered()
  expect(await one.login('ann', 'secret')).toMatchObject({ ok: true })
  expect(one.caller.channel.secure?.peerKey).toBe(one.trackerKey)
})

// Somebody in between has a connection to each end: what one of them signs must be worth nothing on the other.
test('what was made for one connection logs nobody in on another', async () => {
  const { one, other } = await registered()
  const proof = proveLoginKey(other.identity, {
    trackerNonce: other.nonce,
    trackerKey: other.trackerKey,
    user: 'ann',
    binding: one.binding,
  })
  expect(await other.login('ann', 'secret', 4000, proof)).toMatchObject({ refusal: { code: 'proof-failed' } })
  expect(await other.login('ann', 'secret', 4000, undefined, one.binding)).toMatchObject({
    refusal: { code: 'login-failed' },
  })
  expect(await other.login('ann', 'secret')).toMatchObject({ ok: true })
})

test('nobody can leave the binding away', async () => {
  const { one } = await registered()
  const first = { clientFirst: 'n,,n=ann,r=0123456789abcdef' }
  expect(await one.request('login_start', first)).toMatchObject({ refusal: { code: 'invalid-params' } })
})

test('a client logs in with a key that it proves on this connection, and with no other', async () => {
  const { one } = await registered()
  const [own, others] = [one.identity, makeIdentity()]
  const challenge = {
    trackerNonce: one.nonce,
    trackerKey: one.trackerKey,
    user: 'ann',
    binding: one.binding,
  }
  Object.defineProperty(one, 'identity', { value: { publicKey: others.publicKey } })
  expect(await one.login('ann', 'secret', 4000, proveLoginKey(own, challenge))).toMatchObject({
    refusal: { code: 'proof-failed' },
  })
  const plain = proveLoginKey(others, { ...challenge, binding: undefined })
  expect(await one.login('ann', 'secret', 4000, plain)).toMatchObject({ refusal: { code: 'proof-failed' } })
  expect(await one.login('ann', 'secret', 4000, proveLoginKey(others, challenge))).toMatchObject({ ok: true })
})
