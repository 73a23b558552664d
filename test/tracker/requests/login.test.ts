// Who gets in, and what those learn who do not.

import { expect, test } from 'vitest'
import { scramIterationsMin } from '../../../src/common/limits.ts'
import {
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfPairPerMinute,
} from '../../../src/tracker/limits.ts'
import { proveLoginKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { credentialsOf } from '../../../src/common/security/scram.ts'
import { keysOf, TestClient } from '../support/test-client.ts'
import { commandId, runTracker } from '../support/test-tracker.ts'

async function greeted(address: { host: string; port: number }): Promise<TestClient> {
  const client = await TestClient.connect(address)
  await client.hello()
  return client
}

test('the right password logs in, and the tracker proves that it knows the user', async () => {
  const { address, status } = await runTracker()
  const client = await greeted(address)
  expect(await client.register('ann', 'secret')).toMatchObject({ ok: true })
  expect(await client.login('ann', 'secret')).toMatchObject({ value: { trackers: [client.trackerKey] } })
  expect(status()).toContain('connected 1,')
})

test('a wrong password and an unknown user get the same answer, in the same shape', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  await client.register('ann', 'secret')
  const wrong = await client.login('ann', 'guess')
  const clientFirst = (user: string) => `n,,n=${user},r=abcdefghijklmnop`
  const first = await client.request('login_start', { clientFirst: clientFirst('nobody') })
  const again = await client.request('login_start', { clientFirst: clientFirst('nobody') })
  const real = await client.request('login_start', { clientFirst: clientFirst('ann') })
  if (!first.ok || !again.ok || !real.ok) throw new Error('a login can always begin')
  const shape = /^r=abcdefghijklmnop[A-Za-z0-9+/]{24},s=[A-Za-z0-9+/]{22}==,i=\d{6}$/
  expect(real.value.serverFirst).toMatch(shape)
  expect(first.value.serverFirst).toMatch(shape)
  // A salt that changed with every attempt would give the made-up ones away.
  const saltOf = (serverFirst: string) => /s=([^,]+)/.exec(serverFirst)?.[1]
  expect(saltOf(again.value.serverFirst)).toBe(saltOf(first.value.serverFirst))
  const unknown = await client.login('nobody', 'guess')
  expect(unknown).toEqual(wrong)
  expect(wrong).toMatchObject({ refusal: { code: 'login-failed' } })
})

// Clients knew its clock from `hello` only; a step of it made every ticket look lapsed until the next login.
test('a tracker says at every ping what time it is for it', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  const beforeMs = Date.now()
  const answer = await client.request('ping', {})
  expect(answer).toMatchObject({ ok: true, value: { timeMs: expect.any(Number) } })
  if (!answer.ok) return
  expect(answer.value.timeMs).toBeGreaterThanOrEqual(beforeMs)
  expect(answer.value.timeMs).toBeLessThanOrEqual(Date.now())
})

test('a login without a proof of the key that it names is refused', async () => {
  const { address, status } = await runTracker()
  const client = await greeted(address)
  await client.register('ann', 'secret')
  const stolen = proveLoginKey(makeIdentity(), {
    trackerNonce: client.nonce,
    trackerKey: client.trackerKey,
    user: 'ann',
    binding: undefined,
  })
  expect(await client.login('ann', 'secret', 4000, stolen)).toMatchObject({
    refusal: { code: 'proof-failed' },
  })
  const replayed = proveLoginKey(client.identity, {
    trackerNonce: 'another connection',
    trackerKey: client.trackerKey,
    user: 'ann',
    binding: undefined,
  })
  expect(await client.login('ann', 'secret', 4000, replayed)).toMatchObject({
    refusal: { code: 'proof-failed' },
  })
  expect(status()).toContain('connected 0,')
})

test('after some failed logins in a minute even the right password has to wait; others need not', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  await client.register('ann', 'secret')
  await client.register('bob', 'secret')
  for (let attempt = 0; attempt < failedAttemptsOfPairPerMinute; attempt++) {
    expect(await client.login('ann', 'guess')).toMatchObject({ refusal: { code: 'login-failed' } })
  }
  expect(await client.login('ann', 'secret')).toMatchObject({ refusal: { code: 'too-many-attempts' } })
  expect(await client.login('bob', 'secret')).toMatchObject({ ok: true })
})

// The block kept the owner of an account out, from the same address as whoever guesses.
test('somebody who guesses does not keep out a client that has logged in before', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  await ann.request('logout', {})
  const guesser = await greeted(address)
  for (let attempt = 0; attempt <= failedAttemptsOfPairPerMinute; attempt++)
    await guesser.login('ann', 'guess')
  expect(await guesser.login('ann', 'secret')).toMatchObject({ refusal: { code: 'too-many-attempts' } })
  expect(await ann.login('ann', 'secret')).toMatchObject({ ok: true })
  // Its key is no secret: whoever names it has to prove it.
  const proof = proveLoginKey(guesser.identity, {
    trackerNonce: guesser.nonce,
    trackerKey: guesser.trackerKey,
    user: 'ann',
    binding: undefined,
  })
  const pretender = { publicKey: ann.identity.publicKey, sign: () => '' }
  Object.assign(guesser, { identity: pretender })
  expect(await guesser.login('ann', 'secret', 4000, proof)).toMatchObject({
    refusal: { code: 'too-many-attempts' },
  })
})

// 1,320 names a second, each of them an entry in the log.
test('whoever tries which names are taken is stopped as whoever tries passwords, and fills no log', async () => {
  const { address, status } = await runTracker()
  const client = await greeted(address)
  await client.register('ann', 'secret')
  const position = /log position \d+/.exec(status())?.[0]
  let code = ''
  let tried = 0
  // While it tries, some of what it may is given back.
  for (; code !== 'too-many-attempts' && tried < 2 * failedAttemptsOfLoopbackPerMinute; tried++) {
    const answer = await client.register('ann', 'secret')
    code = answer.ok ? 'done' : answer.refusal.code
    expect(['user-taken', 'too-many-attempts']).toContain(code)
  }
  expect(code).toBe('too-many-attempts')
  expect(tried).toBeGreaterThan(failedAttemptsOfLoopbackPerMinute)
  expect(status()).toContain(position)
})

test('logins that were begun before do not get around the limit', async () => {
  const { address } = await runTracker()
  const clients = await Promise.all(
    Array.from({ length: failedAttemptsOfPairPerMinute * 2 }, () => greeted(address)),
  )
  const answers = await Promise.all(clients.map((client) => client.login('ann', 'guess')))
  const failed = answers.filter((answer) => !answer.ok && answer.refusal.code === 'login-failed')
  expect(failed).toHaveLength(failedAttemptsOfPairPerMinute)
})

test('a second login on a connection is refused until the first has logged out', async () => {
  const { address } = await runTracker()
  const client = await TestClient.loggedIn(address, 'ann')
  expect(await client.login('ann', 'secret')).toMatchObject({ refusal: { code: 'already-logged-in' } })
  await client.request('logout', {})
  expect(await client.login('ann', 'secret')).toMatchObject({ ok: true })
})

test('a challenge is good for one answer', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  const answer = {
    clientFinal: 'c=biws,r=x,p=AAAA',
    key: client.identity.publicKey,
    proof: proveLoginKey(client.identity, {
      trackerNonce: client.nonce,
      trackerKey: client.trackerKey,
      user: 'ann',
      binding: undefined,
    }),
    port: 4000,
  }
  await client.request('login_start', { clientFirst: 'n,,n=ann,r=abcdefghijklmnop' })
  expect(await client.request('login_finish', answer)).toMatchObject({ refusal: { code: 'login-failed' } })
  expect(await client.request('login_finish', answer)).toMatchObject({ refusal: { code: 'invalid-request' } })
})

test('a taken user name is refused, but a repeated registration is answered as the first time', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  const credentials = credentialsOf(await keysOf('secret'))
  const registration = { id: commandId(), user: 'ann', ...credentials }
  expect(await client.request('register', registration)).toEqual({ ok: true, value: {} })
  expect(await client.request('register', registration)).toEqual({ ok: true, value: {} })
  expect(await client.register('ann', 'other')).toMatchObject({
    refusal: { code: 'user-taken', sentence: 'there is already a user ann' },
  })
})

test('too few iterations and names that are none are refused at registration', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  const credentials = credentialsOf(await keysOf('secret'))
  for (const wrong of [
    { ...credentials, user: 'ann', iterations: scramIterationsMin - 1 },
    { ...credentials, user: '-ann' },
    { ...credentials, user: '../ann' },
  ]) {
    expect(await client.change('register', wrong)).toMatchObject({ refusal: { code: 'invalid-params' } })
  }
})

test('lines may be long after login, and only then', async () => {
  const { address } = await runTracker()
  const client = await TestClient.loggedIn(address, 'ann')
  const file = { group: 'g', name: 'n'.repeat(200), fileId: '0'.repeat(64), complete: true }
  const files = Array.from({ length: 100 }, () => file)
  expect(await client.request('announce', { files })).toMatchObject({ ok: true })
  await client.request('logout', {})
  await expect(client.request('announce', { files })).rejects.toThrow(/connection/)
})

test('a second hello changes nothing: a proof for the first nonce is good', async () => {
  const { address } = await runTracker()
  const client = await greeted(address)
  await client.register('ann', 'secret')
  const proof = proveLoginKey(client.identity, {
    trackerNonce: client.nonce,
    trackerKey: client.trackerKey,
    user: 'ann',
    binding: undefined,
  })
  await client.hello()
  expect(await client.login('ann', 'secret', 4000, proof)).toMatchObject({ ok: true })
})

test('nothing is served before hello, and no other version of the protocol', async () => {
  const { address } = await runTracker()
  const early = await TestClient.connect(address)
  expect(await early.request('ping', {})).toMatchObject({ refusal: { code: 'hello-first' } })
  await early.hearsClosed()
  const future = await TestClient.connect(address)
  expect(await future.request('hello', { protocol: 999, program: 'test' })).toMatchObject({
    refusal: { code: 'protocol-version' },
  })
  await future.hearsClosed()
})
