// Logging in again with a session: at any tracker, with the key of then, until the password changes.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Answer } from '../../../src/common/refusal.ts'
import { loadIdentity, makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import { credentialsOf } from '../../../src/common/security/scram.ts'
import {
  readSession,
  sessionVerifier,
  signSession,
  verifierKeyOf,
} from '../../../src/common/security/session.ts'
import type { Tracker } from '../../../src/tracker/tracker.ts'
import { keysOf, TestClient } from '../support/test-client.ts'
import { runTracker, temporaryFolder } from '../support/test-tracker.ts'

async function greeted({ address }: Tracker, identity?: Identity, isSecure?: boolean): Promise<TestClient> {
  const client = await TestClient.connect(address, identity, isSecure)
  await client.hello()
  return client
}

function sessionIn(answer: Answer<object>): string {
  const { session } = answer.ok ? (answer.value as { session?: string }) : {}
  if (session === undefined) throw new Error('no session')
  return session
}

/** Two trackers of a community, a client of the first, and what it got at its login. */
async function loggedIn(): Promise<{ one: Tracker; two: Tracker; ann: TestClient; session: string }> {
  const folder = temporaryFolder()
  const [one, two] = [await runTracker(folder, 1), await runTracker(folder, 2)]
  const ann = await greeted(one)
  await ann.register('ann', 'secret')
  return { one, two, ann, session: sessionIn(await ann.login('ann', 'secret')) }
}

test('a session logs in at another tracker, which proves that it knows the user', async () => {
  const { two, ann, session } = await loggedIn()
  const there = await greeted(two, ann.identity)
  const { nonce: trackerNonce, trackerKey } = there
  const serverKey = credentialsOf(await keysOf('secret')).serverKey
  const challenge = { trackerNonce, trackerKey, user: 'ann', binding: undefined }
  const answer = await there.resume(session, 'ann')
  expect(answer).toEqual({
    ok: true,
    value: {
      verifier: sessionVerifier(verifierKeyOf(serverKey, ann.identity.publicKey), 'n'.repeat(32), challenge),
      trackers: expect.arrayContaining([ann.trackerKey, there.trackerKey]),
      seen: { host: '127.0.0.1', port: expect.any(Number) },
    },
  })
  expect(await there.change('create_group', { group: 'g' })).toMatchObject({ ok: true })
  expect(await there.resume(session, 'ann')).toMatchObject({ refusal: { code: 'already-logged-in' } })
})

test('a session outlives its tracker, which starts again with the same data', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(folder)
  const ann = await greeted(tracker)
  await ann.register('ann', 'secret')
  const session = sessionIn(await ann.login('ann', 'secret'))
  await tracker.close()
  const again = await greeted(await runTracker(folder), ann.identity)
  expect(await again.resume(session, 'ann')).toMatchObject({ ok: true })
})

test('a session is worth nothing without its key, on another connection, or changed', async () => {
  const { two, ann, session } = await loggedIn()
  const there = await greeted(two, ann.identity)
  const proofFailed = { refusal: { code: 'proof-failed' } }
  expect(await there.resume(session, 'ann', makeIdentity())).toMatchObject(proofFailed)
  expect(await there.resume(session, 'ann', ann.identity, ann.nonce)).toMatchObject(proofFailed)
  const invalid = { refusal: { code: 'ticket-invalid' } }
  expect(await there.resume(`x${session}`, 'ann')).toMatchObject(invalid)
  const mine = makeIdentity()
  const fields = { user: 'ann', account: 1, epoch: 0, key: ann.identity.publicKey, expiresMs: 1e15 }
  expect(await there.resume(signSession(mine, fields), 'ann')).toMatchObject(invalid)
  expect(await there.resume(session, 'ann')).toMatchObject({ ok: true })
})

test('the tracker that signed takes its own session, and none that names it with another signature or fields', async () => {
  const { one, ann, session } = await loggedIn()
  const there = await greeted(one, ann.identity)
  const [payload = '', signature = ''] = session.split('.')
  const invalid = { refusal: { code: 'ticket-invalid' } }
  const changed = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  expect(await there.resume(`${payload}.${changed}`, 'ann')).toMatchObject(invalid)
  const fields = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const longer = Buffer.from(JSON.stringify({ ...fields, expiresMs: 1e15 })).toString('base64url')
  expect(await there.resume(`${longer}.${signature}`, 'ann')).toMatchObject(invalid)
  // Of another's key, for which it does not sign.
  const other = makeIdentity().sign('coterie session 1', payload)
  expect(await there.resume(`${payload}.${other}`, 'ann')).toMatchObject(invalid)
  expect(await there.resume(session, 'ann')).toMatchObject({ ok: true })
})

test('on an encrypted connection a session needs the key that it is for, and a proof made on that connection', async () => {
  const tracker = await runTracker(undefined, 1, undefined, 'always')
  const ann = await greeted(tracker, undefined, true)
  await ann.register('ann', 'secret')
  const session = sessionIn(await ann.login('ann', 'secret'))
  const proofFailed = { refusal: { code: 'proof-failed' } }
  const other = await greeted(tracker, makeIdentity(), true)
  expect(await other.resume(session, 'ann')).toMatchObject(proofFailed)
  const same = await greeted(tracker, ann.identity, true)
  expect(await same.resume(session, 'ann', ann.identity, same.nonce, ann.binding)).toMatchObject(proofFailed)
  expect(await same.resume(session, 'ann')).toMatchObject({ ok: true })
})

test('a new password ends sessions at every tracker, and the client that set it gets another', async () => {
  const { two, ann, session } = await loggedIn()
  const newer = sessionIn(await ann.changePassword('ann', 'secret', 'better'))
  const there = await greeted(two, ann.identity)
  expect(await there.resume(session, 'ann')).toMatchObject({ refusal: { code: 'login-ended' } })
  expect(await there.resume(newer, 'ann')).toMatchObject({ ok: true })
})

test('a session of an account that has gone is no good for the next one of its name', async () => {
  const { two, ann, session } = await loggedIn()
  await ann.deleteAccount('ann', 'secret')
  const there = await greeted(two, ann.identity)
  const ended = { refusal: { code: 'login-ended' } }
  expect(await there.resume(session, 'ann')).toMatchObject(ended)
  await there.register('ann', 'other')
  expect(await there.resume(session, 'ann')).toMatchObject(ended)
})

test('a session lapses, and is renewed in the second half of its life', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(folder)
  const ann = await greeted(tracker)
  await ann.register('ann', 'secret')
  const first = sessionIn(await ann.login('ann', 'secret'))
  const read = readSession(first, new Set([ann.trackerKey]), makeIdentity())
  if (!read.ok) throw new Error(read.refusal.sentence)
  const { tracker: _, expiresMs, ...fields } = read.value
  const dayMs = 24 * 60 * 60_000
  expect(Math.round((expiresMs - Date.now()) / dayMs)).toBe(30)
  const own = loadIdentity(join(folder, 'tracker-1'))
  const withDays = (days: number): string =>
    signSession(own, { ...fields, expiresMs: Date.now() + days * dayMs })
  const resumed = async (days: number): Promise<Answer<object>> =>
    (await greeted(tracker, ann.identity)).resume(withDays(days), 'ann')
  expect(await resumed(-1)).toMatchObject({ refusal: { code: 'ticket-lapsed' } })
  expect(await resumed(16)).not.toHaveProperty('value.session')
  expect(await resumed(14)).toHaveProperty('value.session')
})

test('a tracker that is behind the session says so, and does not say that it has ended', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(folder)
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const own = loadIdentity(join(folder, 'tracker-1'))
  const key = ann.identity.publicKey
  const later = { user: 'ann', account: 1, epoch: 1, key, expiresMs: Date.now() + 1e6 }
  const client = await greeted(tracker, ann.identity)
  const behind = { refusal: { code: 'unavailable' } }
  expect(await client.resume(signSession(own, later), 'ann')).toMatchObject(behind)
  const next = { ...later, user: 'bob', account: 2, epoch: 0 }
  expect(await client.resume(signSession(own, next), 'bob')).toMatchObject(behind)
})
