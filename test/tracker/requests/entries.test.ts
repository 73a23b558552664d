// Folders, versions, and news of what a group has, over real sockets.

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import { TestClient } from '../support/test-client.ts'
import { runTracker, temporaryFolder } from '../support/test-tracker.ts'

const idOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const file = { group: 'g', name: 'notes.txt', fileId: idOf('a'), sizeBytes: 1000 }
const folder = { group: 'g', name: 'photos', fileId: idOf('b'), sizeBytes: 5000, files: 12 }

/** Ann owns the group g, bob is a member. */
async function annAndBob(address: Address): Promise<{ ann: TestClient; bob: TestClient }> {
  const ann = await TestClient.loggedIn(address, 'ann', 4001)
  const bob = await TestClient.loggedIn(address, 'bob', 4002)
  await ann.change('create_group', { group: 'g' })
  await join(ann, bob)
  return { ann, bob }
}

async function join(ann: TestClient, bob: TestClient): Promise<void> {
  await bob.change('join_group', { group: 'g' })
  await ann.change('accept_request', { group: 'g', user: 'bob' })
}

test('a listing says which entry is a folder, and with details which version, of whom and of when', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  const before = Date.now()
  await ann.change('share_file', file)
  await ann.change('share_file', folder)
  const plain = [
    { name: 'notes.txt', sizeBytes: 1000, seeders: 0 },
    { name: 'photos', sizeBytes: 5000, seeders: 0, files: 12 },
  ]
  expect(await bob.request('list_files', { group: 'g' })).toEqual({
    ok: true,
    value: { files: plain, more: false },
  })
  const detailed = await bob.request('list_files', { group: 'g', details: true })
  const details = { version: 1, by: 'ann', atMs: expect.any(Number) }
  expect(detailed).toEqual({
    ok: true,
    value: {
      files: [
        { ...plain[0], details: { ...details, fileId: file.fileId } },
        { ...plain[1], details: { ...details, fileId: folder.fileId } },
      ],
      more: false,
    },
  })
  const { atMs = 0 } = (detailed.ok && detailed.value.files[0]?.details) || {}
  expect(atMs).toBeGreaterThanOrEqual(before)
  expect(atMs).toBeLessThanOrEqual(Date.now())
})

test('a name that was shared again lists both versions, and is found with the number of the last', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', file)
  await ann.change('share_file', { ...folder, name: file.name })
  const origin = { by: 'ann', atMs: expect.any(Number) }
  expect(await bob.request('list_versions', { group: 'g', name: file.name })).toEqual({
    ok: true,
    value: {
      versions: [
        { fileId: folder.fileId, sizeBytes: 5000, files: 12, version: 2, ...origin },
        { fileId: file.fileId, sizeBytes: 1000, version: 1, ...origin },
      ],
    },
  })
})

test('a client that knows no folders lists one, and is told to update when it asks for it', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await ann.change('share_file', folder)
  expect(await bob.request('find_file', { group: 'g', name: 'photos' })).toEqual({
    ok: false,
    refusal: { code: 'protocol-version', sentence: 'photos is a folder; update this client to fetch it' },
  })
  const newer = await TestClient.connect(address)
  newer.capabilities = ['folders']
  await newer.hello()
  await newer.login('bob', 'secret')
  expect(await newer.request('find_file', { group: 'g', name: 'photos' })).toMatchObject({
    value: { fileId: folder.fileId, sizeBytes: 5000, files: 12, version: 1 },
  })
})

test('whoever follows a group hears of new names and contents at every tracker, and others do not', async () => {
  const data = temporaryFolder()
  const [one, two] = [await runTracker(data, 1), await runTracker(data, 2)]
  const { ann, bob } = await annAndBob(one.address)
  const elsewhere = await TestClient.connect(two.address)
  await elsewhere.hello()
  await elsewhere.login('bob', 'secret')
  for (const client of [bob, elsewhere])
    expect(await client.request('follow_group', { group: 'g' })).toMatchObject({ value: { changed: true } })
  await ann.change('share_file', file)
  const { group, name, fileId, sizeBytes } = file
  const news = { group, name, fileId, sizeBytes, version: 1, position: expect.any(Number) }
  expect(await bob.hears('entry_changed')).toEqual(news)
  expect(await elsewhere.hears('entry_changed')).toEqual(news)
  await bob.request('unfollow_group', { group: 'g' })
  await ann.change('share_file', { ...folder, name })
  const second = { ...news, fileId: folder.fileId, sizeBytes: 5000, files: 12, version: 2 }
  expect(await elsewhere.hears('entry_changed')).toEqual(second)
  // What is told in the order of the log has been told when this is answered.
  await bob.request('list_files', { group: 'g' })
  for (const client of [ann, bob])
    expect(client.told.filter(({ method }) => method === 'entry_changed')).toEqual([])
})

test('one who was away hears whether anything changed since, also over a removal and a restart', async () => {
  const data = temporaryFolder()
  const tracker = await runTracker(data)
  const { ann, bob } = await annAndBob(tracker.address)
  await ann.change('share_file', file)
  const first = await bob.request('follow_group', { group: 'g' })
  const after = first.ok ? first.value.position : 0
  await ann.change('create_group', { group: 'elsewhere' })
  const changed = async (client: TestClient): Promise<unknown> => {
    const answer = await client.request('follow_group', { group: 'g', after })
    return answer.ok ? answer.value.changed : answer.refusal.code
  }
  expect(await changed(bob)).toBe(false)
  await ann.change('unshare_file', { group: 'g', name: file.name })
  expect(await changed(bob)).toBe(true)
  await tracker.close()
  const again = await runTracker(data)
  const back = await TestClient.connect(again.address)
  await back.hello()
  await back.login('bob', 'secret')
  expect(await changed(back)).toBe(true)
})

test('a member who was removed hears no more of the group, and has to follow it anew when back', async () => {
  const { address } = await runTracker()
  const { ann, bob } = await annAndBob(address)
  await bob.request('follow_group', { group: 'g' })
  await ann.change('remove_member', { group: 'g', user: 'bob' })
  await ann.change('share_file', file)
  await bob.hears('member_left')
  expect(await bob.request('follow_group', { group: 'g' })).toMatchObject({
    refusal: { code: 'not-a-member' },
  })
  await join(ann, bob)
  await ann.change('share_file', folder)
  await bob.request('list_files', { group: 'g' })
  expect(bob.told.filter(({ method }) => method === 'entry_changed')).toEqual([])
})
