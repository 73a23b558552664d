// Groups over real sockets: who is told what, and by whom.

import { expect, test } from 'vitest'
import { readTicket } from '../../../src/common/security/ticket.ts'
import { TestClient } from '../support/test-client.ts'
import { commandId, runTracker } from '../support/test-tracker.ts'

test('a join request reaches the owner, its acceptance the asker, and both see the group', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const bob = await TestClient.loggedIn(address, 'bob')
  await ann.change('create_group', { group: 'g' })
  expect(await bob.change('join_group', { group: 'g' })).toEqual({ ok: true, value: {} })
  expect(await ann.hears('join_requested')).toEqual({ group: 'g', user: 'bob' })
  expect(await ann.request('list_requests', { group: 'g' })).toMatchObject({ value: { users: ['bob'] } })
  await ann.change('accept_request', { group: 'g', user: 'bob' })
  expect(await bob.hears('request_decided')).toEqual({ group: 'g', accepted: true })
  expect(await bob.request('list_groups', {})).toEqual({
    ok: true,
    value: { groups: [{ group: 'g', owner: 'ann', members: 2, standing: 'member' }], more: false },
  })
  expect(await bob.request('list_members', { group: 'g' })).toMatchObject({
    value: { users: ['ann', 'bob'] },
  })
})

test('a rejected asker is told, and may ask again', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const bob = await TestClient.loggedIn(address, 'bob')
  await ann.change('create_group', { group: 'g' })
  await bob.change('join_group', { group: 'g' })
  await ann.change('reject_request', { group: 'g', user: 'bob' })
  expect(await bob.hears('request_decided')).toEqual({ group: 'g', accepted: false })
  expect(await bob.change('join_group', { group: 'g' })).toMatchObject({ ok: true })
})

test('a removal stands in the log behind every ticket that was issued until then, and before those after it', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const bob = await TestClient.loggedIn(address, 'bob')
  const joins = async (): Promise<void> => {
    await bob.change('join_group', { group: 'g' })
    await ann.change('accept_request', { group: 'g', user: 'bob' })
  }
  await ann.change('create_group', { group: 'g' })
  await joins()
  await ann.change('share_file', { group: 'g', name: 'f', fileId: 'ab'.repeat(32), sizeBytes: 1 })
  const positionOfTicket = async (): Promise<number | undefined> => {
    const found = await bob.request('find_file', { group: 'g', name: 'f' })
    const ticket = found.ok ? readTicket(found.value.ticket, new Set([bob.trackerKey])) : undefined
    return ticket?.ok === true ? ticket.value.position : undefined
  }
  const before = await positionOfTicket()
  await ann.change('create_group', { group: 'h' })
  // The ticket of before, which saves a signature.
  expect(await positionOfTicket()).toBe(before)
  await ann.change('remove_member', { group: 'g', user: 'bob' })
  const { position } = (await bob.hears('member_left')) as { position: number }
  expect(before).toBeLessThan(position)
  expect(await positionOfTicket()).toBeUndefined()
  await joins()
  expect(await positionOfTicket()).toBeGreaterThan(position)
})

test('members and the one concerned hear that somebody left or was removed', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const bob = await TestClient.loggedIn(address, 'bob')
  const cid = await TestClient.loggedIn(address, 'cid')
  await ann.change('create_group', { group: 'g' })
  for (const [user, client] of [['bob', bob] as const, ['cid', cid] as const]) {
    await client.change('join_group', { group: 'g' })
    await ann.change('accept_request', { group: 'g', user })
  }
  await ann.change('remove_member', { group: 'g', user: 'cid' })
  for (const client of [ann, bob, cid]) {
    expect(await client.hears('member_left')).toEqual({
      group: 'g',
      user: 'cid',
      position: expect.any(Number),
    })
  }
  await ann.change('leave_group', { group: 'g' })
  expect(await bob.hears('member_left')).toEqual({ group: 'g', user: 'ann', position: expect.any(Number) })
  expect(await bob.hears('owner_changed')).toEqual({ group: 'g', owner: 'bob' })
})

test('a retry with the same command id is answered as the first time and changes nothing', async () => {
  const { address, status } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const id = commandId()
  const first = await ann.request('create_group', { id, group: 'g' })
  const retry = await ann.request('create_group', { id, group: 'g' })
  expect(retry).toEqual(first)
  expect(await ann.change('create_group', { group: 'g' })).toMatchObject({
    refusal: { code: 'group-taken', sentence: 'there is already a group g' },
  })
  expect(status()).toContain('groups 1,')
})

test('a user hears news on every machine it is logged in from', async () => {
  const { address } = await runTracker()
  const home = await TestClient.loggedIn(address, 'ann')
  const work = await TestClient.loggedIn(address, 'ann')
  const bob = await TestClient.loggedIn(address, 'bob')
  await home.change('create_group', { group: 'g' })
  await bob.change('join_group', { group: 'g' })
  expect(await home.hears('join_requested')).toEqual(await work.hears('join_requested'))
})

test('a long listing comes in pages', async () => {
  const { address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  const names = Array.from({ length: 205 }, (_, index) => `g${String(index).padStart(3, '0')}`)
  await Promise.all(names.toReversed().map((group) => ann.change('create_group', { group })))
  const listed: string[] = []
  for (let more = true; more;) {
    const after = listed.at(-1)
    const answer = await ann.request('list_groups', after === undefined ? {} : { after })
    if (!answer.ok) throw new Error(answer.refusal.sentence)
    listed.push(...answer.value.groups.map((entry) => entry.group))
    more = answer.value.more
  }
  expect(listed).toEqual(names)
})
