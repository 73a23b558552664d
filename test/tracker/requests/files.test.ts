// Shares, announces and swarms over real sockets.

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { readTicket } from '../../../src/common/security/ticket.ts'
import { AnsweredHere } from '../../../src/tracker/requests/answered-here.ts'
import { fileHandlers } from '../../../src/tracker/requests/files.ts'
import { done } from '../../../src/tracker/state/outcomes.ts'
import type { Services } from '../../../src/tracker/requests/services.ts'
import type { Requester } from '../../../src/tracker/requests/requester.ts'
import { groupOf, share } from '../state/world.ts'
import { TestClient } from '../support/test-client.ts'
import { runTracker, runTrackerWith } from '../support/test-tracker.ts'

const fileId = createHash('sha256').update('a').digest('hex')
const otherId = createHash('sha256').update('b').digest('hex')
const file = { group: 'g', name: 'a file.png', fileId }
const shared = { ...file, sizeBytes: 1000 }

/** Ann owns the group g, bob is a member. */
async function annAndBob(address: Address): Promise<{ ann: TestClient; bob: TestClient }> {
  const ann = await TestClient.loggedIn(address, 'ann', 4001)
  const bob = await TestClient.loggedIn(address, 'bob', 4002)
  await ann.change('create_group', { group: 'g' })
  await bob.change('join_group', { group: 'g' })
  await ann.change('accept_request', { group: 'g', user: 'bob' })
  return { ann, bob }
}

async function seeders(client: TestClient): Promise<unknown> {
  const answer = await client.request('list_files', { group: 'g' })
  return answer.ok ? answer.value.files : answer.refusal.code
}

test('a seeder counts once it announces, and no more when its connection closes', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  expect(await seeders(bob)).toEqual([{ name: file.name, sizeBytes: 1000, seeders: 0 }])
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  expect(await seeders(bob)).toEqual([{ name: file.name, sizeBytes: 1000, seeders: 1 }])
  await bob.request('find_file', { group: 'g', name: file.name })
  ann.caller.close()
  expect(await bob.hears('swarm_changed')).toEqual({ ...file, joined: [], left: [ann.identity.publicKey] })
  expect(await seeders(bob)).toEqual([{ name: file.name, sizeBytes: 1000, seeders: 0 }])
})

test('logging out ends seeding too, and a partial copy is a peer but no seeder', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await bob.request('announce', { files: [{ ...file, complete: false }] })
  expect(await seeders(bob)).toMatchObject([{ seeders: 1 }])
  expect(await ann.request('logout', {})).toMatchObject({ ok: true })
  expect(await seeders(bob)).toMatchObject([{ seeders: 0 }])
  expect(await ann.request('list_groups', {})).toMatchObject({ refusal: { code: 'login-first' } })
})

test('find_file names the other peers by their observed address and gives a ticket for the asker', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await bob.request('announce', { files: [{ ...file, complete: false }] })
  const answer = await bob.request('find_file', { group: 'g', name: file.name })
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  expect(answer.value).toMatchObject({ fileId, sizeBytes: 1000 })
  const annPeer = { user: 'ann', host: '127.0.0.1', port: 4001, key: ann.identity.publicKey, complete: true }
  expect(answer.value.peers).toEqual([annPeer])
  const ticket = readTicket(answer.value.ticket, new Set([bob.trackerKey]))
  expect(ticket).toMatchObject({ value: { user: 'bob', group: 'g', key: bob.identity.publicKey } })
})

test('whoever asked for a file hears of peers that come, until it forgets the file', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await bob.request('find_file', { group: 'g', name: file.name })
  await ann.request('announce', { files: [{ ...file, complete: false }] })
  expect(await bob.hears('swarm_changed')).toMatchObject({ joined: [{ user: 'ann', complete: false }] })
  await bob.request('forget_file', { group: 'g', name: file.name })
  await ann.request('retract', { files: [file] })
  // Another file's news are the proof that those of the first did not come.
  const other = { ...shared, name: 'other' }
  await ann.change('share_file', other)
  await bob.request('find_file', { group: 'g', name: 'other' })
  await ann.request('announce', { files: [{ group: 'g', name: 'other', fileId, complete: true }] })
  expect(await bob.hears('swarm_changed')).toMatchObject({ name: 'other' })
})

test('only what is shared in a group of the announcer can be announced', async () => {
  const { address } = await runTracker()
  const { ann } = await annAndBob(address)
  const eve = await TestClient.loggedIn(address, 'eve')
  await ann.change('share_file', shared)
  const files = [
    { ...file, complete: true },
    { ...file, name: 'unknown', complete: true },
    { ...file, fileId: otherId, complete: true },
  ]
  const refused = [
    { group: 'g', name: 'unknown' },
    { group: 'g', name: file.name },
  ]
  expect(await ann.request('announce', { files })).toEqual({ ok: true, value: { refused } })
  expect(await eve.request('announce', { files: [{ ...file, complete: true }] })).toMatchObject({
    value: { refused: [{ group: 'g', name: file.name }] },
  })
  expect(await eve.request('find_file', { group: 'g', name: file.name })).toMatchObject({
    refusal: { code: 'not-a-member' },
  })
  expect(await eve.request('list_files', { group: 'g' })).toMatchObject({ refusal: { code: 'not-a-member' } })
})

test('a new version ends the swarm of the old one for those who share it or asked for it', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await bob.request('find_file', { group: 'g', name: file.name })
  await ann.change('share_file', { ...shared, fileId: otherId, sizeBytes: 5 })
  expect(await ann.hears('file_gone')).toEqual(file)
  expect(await bob.hears('file_gone')).toEqual(file)
  expect(await seeders(bob)).toEqual([{ name: file.name, sizeBytes: 5, seeders: 0 }])
})

test('withdrawing one of two shares takes that peer off the list, withdrawing the last takes the file', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  for (const client of [ann, bob]) {
    await client.change('share_file', shared)
    await client.request('announce', { files: [{ ...file, complete: true }] })
  }
  expect(await seeders(bob)).toMatchObject([{ seeders: 2 }])
  await ann.change('unshare_file', { group: 'g', name: file.name })
  expect(await seeders(bob)).toMatchObject([{ seeders: 1 }])
  await bob.change('unshare_file', { group: 'g', name: file.name })
  expect(await bob.hears('file_gone')).toEqual(file)
  expect(await seeders(bob)).toEqual([])
})

test('a removed member is out of every swarm of the group at once, and hears no more of them', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await bob.request('announce', { files: [{ ...file, complete: false }] })
  await ann.request('find_file', { group: 'g', name: file.name })
  await bob.request('find_file', { group: 'g', name: file.name })
  await ann.change('remove_member', { group: 'g', user: 'bob' })
  expect(await ann.hears('swarm_changed')).toEqual({ ...file, joined: [], left: [bob.identity.publicKey] })
  await ann.request('retract', { files: [file] })
  await bob.request('ping', {})
  expect(bob.told.filter((told) => told.method === 'swarm_changed')).toEqual([])
})

test('leaving a group ends nothing in another', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await bob.change('create_group', { group: 'h' })
  await bob.change('share_file', { ...shared, group: 'h' })
  await bob.request('announce', { files: [{ ...file, group: 'h', complete: true }] })
  await bob.change('leave_group', { group: 'g' })
  await ann.hears('member_left')
  expect(await bob.request('list_files', { group: 'h' })).toMatchObject({
    value: { files: [{ seeders: 1 }] },
  })
})

test('withdrawing a share leaves the download of the same user on another machine listed', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  const work = await TestClient.loggedIn(address, 'ann', 4003)
  for (const client of [ann, bob]) await client.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await work.request('announce', { files: [{ ...file, complete: false }] })
  await ann.change('unshare_file', { group: 'g', name: file.name })
  expect(await bob.request('find_file', { group: 'g', name: file.name })).toMatchObject({
    value: { peers: [{ port: 4003 }] },
  })
})

test('a client that reconnects before its old connection is gone is never said to have left', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  await bob.request('find_file', { group: 'g', name: file.name })
  const again = await TestClient.loggedIn(address, 'ann', 4001, ann.identity)
  await again.request('announce', { files: [{ ...file, complete: true }] })
  ann.caller.close()
  expect(await bob.hears('swarm_changed')).toMatchObject({ joined: [{ user: 'ann' }], left: [] })
})

test('a name that is not drawn as it is spelt is refused, unless the group has it from before', async () => {
  const { address } = await runTracker()
  const { ann } = await annAndBob(address)
  expect(await ann.change('share_file', { ...shared, name: 'so\u00adft.png' })).toMatchObject({
    refusal: {
      code: 'bad-name',
      sentence:
        'character 3 of "so\u00adft.png" is invisible (U+00AD, soft hyphen); rename the file without it',
    },
  })
  const { state } = groupOf('ann').done(share('ann', fileId, 'so\u00adft.png'))
  const submitted: unknown[] = []
  const submit = (command: unknown): Promise<unknown> => {
    submitted.push(command)
    return Promise.resolve(done)
  }
  const sequencer = { state, submit, isCurrent: true }
  const services = { sequencer, answeredHere: new AnsweredHere(), nowMs: () => 0 }
  const { share_file } = fileHandlers(services as unknown as Services)
  const again = { id: 'i'.repeat(16), ...shared, name: 'so\u00adft.png', fileId: otherId }
  const login = { user: 'ann', account: 1, epoch: 0 }
  await share_file(again, { login, host: '127.0.0.1' } as Requester, 1)
  const by = { by: 'ann', account: 1, epoch: 0 }
  expect(submitted).toEqual([{ kind: 'share_file', ...by, ...again }])
  // To others the group does not tell what it has.
  const zoe = { login: { ...login, user: 'zoe' }, host: '127.0.0.1' } as Requester
  expect(await share_file(again, zoe, 2)).toMatchObject({ refusal: { code: 'bad-name' } })
})

test('others are sent where a client may say that they reach it; a place that is no machine’s is refused', async () => {
  const { address } = await runTrackerWith({ advertised: 'any' })
  const { ann, bob } = await annAndBob(address)
  await ann.request('logout', {})
  ann.advertised = '224.0.0.251'
  expect(await ann.login('ann', 'secret', 4003)).toEqual(
    refuse('usage', 'others cannot reach this client at the address that it advertises; see --advertise'),
  )
  ann.advertised = '192.0.2.7'
  expect(await ann.login('ann', 'secret', 4003)).toMatchObject({ ok: true })
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  expect(await bob.request('find_file', { group: 'g', name: file.name })).toMatchObject({
    value: { peers: [{ user: 'ann', host: '192.0.2.7', port: 4003 }] },
  })
})

test('a client whose advertised address is not passed on is told so, and others are sent where it comes from', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.request('logout', {})
  ann.advertised = '192.0.2.7'
  expect(await ann.login('ann', 'secret', 4003)).toMatchObject({ ok: true })
  expect(await ann.hears('reachability')).toEqual({
    host: '127.0.0.1',
    port: 4003,
    reachable: false,
    why: expect.stringContaining('can allow 192.0.2.7 by --advertised'),
  })
  await ann.change('share_file', shared)
  await ann.request('announce', { files: [{ ...file, complete: true }] })
  expect(await bob.request('find_file', { group: 'g', name: file.name })).toMatchObject({
    value: { peers: [{ user: 'ann', host: '127.0.0.1', port: 4003 }] },
  })
})
