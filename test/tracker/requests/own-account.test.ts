// Another password, and the end of an account: for one's own account, with the password, at every tracker of the log.

import { expect, test } from 'vitest'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { credentialsOf } from '../../../src/common/security/scram.ts'
import { failedAttemptsOfPairPerMinute } from '../../../src/tracker/limits.ts'
import type { Tracker } from '../../../src/tracker/tracker.ts'
import { keysOf, TestClient } from '../support/test-client.ts'
import { commandId, runTracker, temporaryFolder } from '../support/test-tracker.ts'

async function twoTrackers(): Promise<[Tracker, Tracker]> {
  const folder = temporaryFolder()
  return [await runTracker(folder, 1), await runTracker(folder, 2)]
}

async function greeted({ address }: Tracker): Promise<TestClient> {
  const client = await TestClient.connect(address)
  await client.hello()
  return client
}

test('with a new password the old one is no good, at any tracker', async () => {
  const [one, two] = await twoTrackers()
  const ann = await TestClient.loggedIn(one.address, 'ann')
  expect(await ann.changePassword('ann', 'secret', 'better')).toMatchObject({ ok: true })
  const other = await greeted(two)
  expect(await other.login('ann', 'secret')).toMatchObject({ refusal: { code: 'login-failed' } })
  expect(await other.login('ann', 'better')).toMatchObject({ ok: true })
})

test('with a new password all other clients are told, and lose their login; the one that asked goes on', async () => {
  const [one, two] = await twoTrackers()
  const identity = makeIdentity()
  const ann = await TestClient.loggedIn(one.address, 'ann', 4000, identity)
  const annThere = await TestClient.loggedIn(two.address, 'ann', 4000, identity)
  const strangers = [
    await TestClient.loggedIn(one.address, 'ann', 4001),
    await TestClient.loggedIn(two.address, 'ann', 4002),
  ]
  const bob = await TestClient.loggedIn(two.address, 'bob')
  await ann.changePassword('ann', 'secret', 'better')
  for (const stranger of strangers) {
    const why = 'the password of ann was changed; log in again'
    expect(await stranger.hears('login_ended')).toEqual({ user: 'ann', why })
    await stranger.hearsClosed()
  }
  for (const [index, client] of [ann, annThere].entries())
    expect(await client.change('create_group', { group: `g${index}` })).toMatchObject({ ok: true })
  expect(await bob.request('list_groups', {})).toMatchObject({ ok: true })
})

test('nobody changes a password, or deletes an account, with a wrong one, and guesses are counted', async () => {
  const tracker = await runTracker()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const wrong = { refusal: { code: 'login-failed' } }
  for (let guess = 1; guess < failedAttemptsOfPairPerMinute; guess++)
    expect(await ann.changePassword('ann', 'guess', 'mine')).toMatchObject(wrong)
  expect(await ann.deleteAccount('ann', 'guess')).toMatchObject(wrong)
  const tooMany = { refusal: { code: 'too-many-attempts' } }
  expect(await ann.changePassword('ann', 'secret', 'mine')).toMatchObject(tooMany)
  expect(await ann.deleteAccount('ann', 'secret')).toMatchObject(tooMany)
})

test('strangers who guess do not keep the owner from a new password', async () => {
  const tracker = await runTracker()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const guesser = await greeted(tracker)
  for (let guess = 0; guess < failedAttemptsOfPairPerMinute; guess++)
    expect(await guesser.changePassword('ann', 'guess', 'mine')).toMatchObject({
      refusal: { code: 'login-failed' },
    })
  expect(await guesser.changePassword('ann', 'secret', 'mine')).toMatchObject({
    refusal: { code: 'too-many-attempts' },
  })
  expect(await ann.changePassword('ann', 'secret', 'better')).toMatchObject({ ok: true })
})

test('a proof is good for one request, and for its user', async () => {
  const tracker = await runTracker()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  await (await greeted(tracker)).register('bob', 'secret')
  const credentials = credentialsOf(await keysOf('mine'))
  const proof = await ann.proof('bob', 'secret')
  const request = { user: 'ann', clientFinal: proof, ...credentials }
  const first = { refusal: { code: 'invalid-request' } }
  expect(await ann.change('change_password', request)).toMatchObject(first)
  expect(await ann.change('change_password', { ...request, user: 'bob' })).toMatchObject(first)
  expect(await ann.change('change_password', { user: 'ann', ...credentials })).toMatchObject(first)
})

test('a login that was begun with the old password does not end with it', async () => {
  const tracker = await runTracker()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const late = await greeted(tracker)
  late.beforeFinish = async () => {
    await ann.changePassword('ann', 'secret', 'better')
  }
  expect(await late.login('ann', 'secret')).toMatchObject({ refusal: { code: 'unavailable' } })
  late.beforeFinish = () => Promise.resolve()
  expect(await late.login('ann', 'secret')).toMatchObject({ refusal: { code: 'login-failed' } })
})

test('a change whose answer was lost is told as done at another tracker, without another proof', async () => {
  const [one, two] = await twoTrackers()
  const ann = await TestClient.loggedIn(one.address, 'ann')
  const other = await greeted(two)
  const again = { user: 'ann', again: true, ...credentialsOf(await keysOf('better')) }
  const [first, second] = [commandId(), commandId()]
  expect(await other.request('change_password', { id: first, ...again })).toMatchObject({
    refusal: { code: 'invalid-request' },
  })
  await ann.changePassword('ann', 'secret', 'better', first)
  expect(await other.request('change_password', { id: first, ...again })).toEqual({ ok: true, value: {} })
  await ann.deleteAccount('ann', 'better', second)
  expect(await other.request('delete_account', { id: second, user: 'ann', again: true })).toEqual({
    ok: true,
    value: {},
  })
})

test('an account that is deleted leaves its groups, and its clients are told at every tracker', async () => {
  const [one, two] = await twoTrackers()
  const ann = await TestClient.loggedIn(one.address, 'ann')
  const bob = await TestClient.loggedIn(two.address, 'bob')
  const annThere = await TestClient.loggedIn(two.address, 'ann', 4001)
  await ann.change('create_group', { group: 'g' })
  await bob.change('join_group', { group: 'g' })
  await ann.change('accept_request', { group: 'g', user: 'bob' })
  const file = { group: 'g', name: 'f', fileId: '1'.repeat(64), sizeBytes: 1 }
  await ann.change('share_file', file)
  await bob.change('create_group', { group: 'h' })
  await ann.change('join_group', { group: 'h' })
  expect(await ann.deleteAccount('ann', 'secret')).toEqual({ ok: true, value: {} })
  for (const client of [ann, annThere]) {
    expect(await client.hears('login_ended')).toEqual({ user: 'ann', why: 'the account ann was deleted' })
    await client.hearsClosed()
  }
  expect(await bob.hears('member_left')).toMatchObject({ group: 'g', user: 'ann' })
  expect(await bob.hears('owner_changed')).toEqual({ group: 'g', owner: 'bob' })
  expect(await bob.request('list_files', { group: 'g' })).toMatchObject({ value: { files: [] } })
  expect(await bob.request('list_requests', { group: 'h' })).toMatchObject({ value: { users: [] } })
})

test('whoever takes the name of a deleted account gets nothing of it', async () => {
  const [one, two] = await twoTrackers()
  const ann = await TestClient.loggedIn(one.address, 'ann')
  await TestClient.loggedIn(one.address, 'bob').then(async (bob) => {
    await bob.change('create_group', { group: 'g' })
    await ann.change('join_group', { group: 'g' })
    await bob.change('accept_request', { group: 'g', user: 'ann' })
  })
  const id = commandId()
  await ann.deleteAccount('ann', 'secret', id)
  const next = await greeted(two)
  expect(await next.register('ann', 'other')).toMatchObject({ ok: true })
  expect(await next.login('ann', 'secret')).toMatchObject({ refusal: { code: 'login-failed' } })
  expect(await next.login('ann', 'other')).toMatchObject({ ok: true })
  expect(await next.request('list_groups', {})).toMatchObject({
    value: { groups: [{ group: 'g', standing: 'none' }] },
  })
  // A copy of the deletion that comes late is about the account of then.
  expect(await next.request('delete_account', { id, user: 'ann', again: true })).toMatchObject({ ok: true })
  expect(await next.request('list_groups', {})).toMatchObject({ ok: true })
})
