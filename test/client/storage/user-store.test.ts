import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import {
  UserStore,
  type RememberedDownload,
  type RememberedShare,
  type UserStoreEvents,
} from '../../../src/client/storage/user-store.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const fileId = 'ab'.repeat(32)
const otherId = 'cd'.repeat(32)
const ignored: UserStoreEvents = {
  onTrouble: () => undefined,
  onUnused: () => Promise.resolve(),
}

function aShare(name: string): RememberedShare {
  return { group: 'g1', name, fileId, sizeBytes: 1000, path: `/somewhere/${name}`, stamp: '1:2:3:4:5' }
}

function aDownload(name: string): RememberedDownload {
  return {
    group: 'g1',
    name,
    fileId,
    sizeBytes: 1000,
    destination: `/elsewhere/${name}`,
    overwrite: false,
    paused: true,
    unshared: false,
  }
}

interface Place {
  readonly folder: string
  readonly path: string
  readonly troubles: string[]
  /** Contents that nothing is remembered of any more, in the order in which the store said so. */
  readonly unused: string[]
  /** Names whose upload limits were forgotten with them. */
  readonly unlimited: string[]
  readonly open: () => Promise<UserStore>
}

function place(): Place {
  const folder = temporaryFolder()
  const troubles: string[] = []
  const unused: string[] = []
  const unlimited: string[] = []
  const events: UserStoreEvents = {
    onTrouble: (sentence) => troubles.push(sentence),
    onUnused: async (id) => void unused.push(id),
    onUnlimited: ({ name }) => unlimited.push(name),
  }
  return {
    folder,
    troubles,
    unused,
    unlimited,
    path: join(folder, 'users', 'c1', 'ann.json'),
    open: () => UserStore.open(folder, 'c1', 'ann', events),
  }
}

test('what was remembered is there after a restart, in its order', async () => {
  const { open } = place()
  const store = await open()
  expect([store.shares(), store.downloads()]).toEqual([[], []])
  await Promise.all(['b', 'a', 'c'].map((name) => store.rememberShare(aShare(name))))
  await store.rememberDownload(aDownload('d'))
  await store.forgetShare(aShare('a'))
  expect((await open()).shares()).toEqual([aShare('b'), aShare('c')])
  expect((await open()).downloads()).toEqual([aDownload('d')])
})

test('names of any kind come back as they were', async () => {
  const { open } = place()
  const names = ['__proto__', 'constructor', '-rf', 'grüße "1".txt', '%2e%2e', 'a b']
  const store = await open()
  for (const name of names) await store.rememberShare(aShare(name))
  expect((await open()).shares()).toEqual(names.map(aShare))
})

test('a change is durable when its promise resolves', async () => {
  const { open } = place()
  const store = await open()
  for (const name of ['a', 'b', 'c']) {
    await store.rememberShare(aShare(name))
    expect((await open()).shares()).toEqual(store.shares())
  }
})

test('changes in a hurry are all kept, and saved() says when', async () => {
  const { open } = place()
  const store = await open()
  for (let each = 0; each < 100; each++) void store.rememberShare(aShare(`f${each}`))
  for (let each = 0; each < 99; each++) void store.forgetShare(aShare(`f${each}`))
  await store.saved()
  expect((await open()).shares()).toEqual([aShare('f99')])
})

test('forgetting what is not remembered changes nothing', async () => {
  const { open, path } = place()
  const store = await open()
  await store.forgetShare(aShare('a'))
  await store.forgetDownload(aDownload('a'))
  expect(() => readFileSync(path)).toThrow('ENOENT')
})

test('a content is unused when the last share or download with it is forgotten, and that is durable', async () => {
  const { open, unused } = place()
  const store = await open()
  await store.rememberShare(aShare('a'))
  await store.rememberShare({ ...aShare('other'), fileId: otherId })
  await store.rememberDownload(aDownload('d'))
  await store.forgetShare(aShare('a'))
  expect(unused).toEqual([])
  await store.forgetDownload(aDownload('d'))
  expect(unused).toEqual([fileId])
  expect((await open()).shares()).toEqual([{ ...aShare('other'), fileId: otherId }])
  await store.forgetDownload(aDownload('d'))
  expect(unused).toEqual([fileId])
})

test('a content is unused when another version takes its place, and the same one again changes nothing', async () => {
  const { open, unused } = place()
  const store = await open()
  await store.rememberShare(aShare('a'))
  await store.rememberShare({ ...aShare('a'), stamp: '5:4:3:2:1' })
  expect(unused).toEqual([])
  await store.rememberShare({ ...aShare('a'), fileId: otherId })
  expect(unused).toEqual([fileId])
  await store.rememberDownload(aDownload('d'))
  await store.rememberDownload({ ...aDownload('d'), fileId: otherId })
  expect(unused).toEqual([fileId, fileId])
})

test('a content that is remembered again while it is being forgotten is not unused', async () => {
  const { open, unused } = place()
  const store = await open()
  await store.rememberShare(aShare('a'))
  await Promise.all([store.forgetShare(aShare('a')), store.rememberShare(aShare('b'))])
  expect(unused).toEqual([])
})

test('a download that becomes a share keeps its content in use', async () => {
  const { open, unused } = place()
  const store = await open()
  await store.rememberDownload(aDownload('a'))
  await store.downloadBecomesShare(aShare('a'))
  expect(unused).toEqual([])
  await store.forgetShare(aShare('a'))
  expect(unused).toEqual([fileId])
})

test('a download that becomes a share is never lost, nor both, in any state of the file', async () => {
  const { open } = place()
  const store = await open()
  await store.rememberDownload(aDownload('a'))
  const changing = store.downloadBecomesShare(aShare('a'))
  // Whenever a crash comes: the file holds the old or the new, never neither.
  for (let looks = 0, done = false; !done; looks++) {
    const seen = await open()
    expect(seen.shares().length + seen.downloads().length).toBe(1)
    done = seen.shares().length === 1
    if (looks > 10_000) throw new Error('it never became durable')
    await new Promise((turn) => setImmediate(turn))
  }
  await changing
  expect((await open()).shares()).toEqual([aShare('a')])
})

test('the upload limit of an entry outlives restarts, and goes with its last share or download', async () => {
  const { open, unlimited } = place()
  const store = await open()
  for (const name of ['a', 'b', 'c']) await store.rememberShare(aShare(name))
  await store.rememberDownload(aDownload('d'))
  for (const name of ['a', 'b', 'c', 'd']) await store.limitUploads({ group: 'g1', name }, 1000)
  await store.limitUploads({ group: 'g1', name: 'a' }, undefined)
  const again = await open()
  const names = (): string[] => again.uploadLimits().map(({ name }) => name)
  expect(names()).toEqual(['b', 'c', 'd'])
  expect(again.uploadLimit(aShare('b'))).toBe(1000)
  // Its download becomes a share, and the share another version: the limit stays.
  await again.downloadBecomesShare(aShare('d'))
  await again.rememberShare({ ...aShare('d'), fileId: otherId })
  await again.rememberWithdrawal(aShare('b'))
  expect([names(), unlimited]).toEqual([['c', 'd'], ['b']])
  await again.forgetShare(aShare('c'))
  expect([(await open()).uploadLimits(), unlimited]).toMatchObject([[{ name: 'd' }], ['b', 'c']])
})

test('users and communities are kept apart', async () => {
  const { folder, open } = place()
  await (await open()).rememberShare(aShare('a'))
  const others = [
    await UserStore.open(folder, 'c1', 'bob', ignored),
    await UserStore.open(folder, 'c2', 'ann', ignored),
  ]
  expect(others.flatMap((store) => store.shares())).toEqual([])
})

test('the name of a community leads nowhere else', async () => {
  const { folder } = place()
  const store = await UserStore.open(folder, '../../outside', 'ann', ignored)
  await store.rememberShare(aShare('a'))
  expect(readdirSync(folder)).toEqual(['users'])
  expect(readdirSync(join(folder, 'users'))).toEqual(['______outside'])
})

test.each([
  ['empty', ''],
  ['junk', 'junk'],
  ['cut off', '{"version":1,"shares":[{"group":"g1"'],
  ['of another shape', '{"version":1,"shares":{},"downloads":[]}'],
  ['of another version', '{"version":2,"shares":[],"downloads":[]}'],
  ['naming a file that cannot be', '{"version":1,"shares":[{"group":"g1","name":"../a"}],"downloads":[]}'],
])('a file that is %s is a failure that names it, and stays as it is', async (_, text) => {
  const { open, path } = place()
  await (await open()).rememberShare(aShare('a'))
  writeFileSync(path, text)
  const failure = expect.objectContaining({
    code: 'data',
    message: expect.stringContaining(`${path} is damaged`),
  })
  await expect(open()).rejects.toThrow(failure)
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('a file that cannot be read is a failure too', async () => {
  const { open, path } = place()
  mkdirSync(path, { recursive: true })
  await expect(open()).rejects.toThrow(expect.objectContaining({ code: 'data' }))
})

test('what cannot be written is said, and the next change writes it after all', async () => {
  const { open, path, folder, troubles } = place()
  const store = await open()
  rmSync(join(folder, 'users'), { recursive: true })
  await store.rememberShare(aShare('a'))
  expect(troubles).toEqual([expect.stringContaining(path)])
  mkdirSync(join(folder, 'users', 'c1'), { recursive: true })
  await store.rememberShare(aShare('b'))
  expect((await open()).shares()).toEqual([aShare('a'), aShare('b')])
})

test('a withdrawal is remembered with the share forgotten, until it is told or shared again', async () => {
  const { open } = place()
  const store = await open()
  await store.rememberShare(aShare('a'))
  await Promise.all([store.rememberWithdrawal(aShare('a')), store.rememberWithdrawal(aShare('b'))])
  const next = await open()
  expect([next.shares(), next.withdrawals()]).toEqual([
    [],
    [
      { group: 'g1', name: 'a' },
      { group: 'g1', name: 'b' },
    ],
  ])
  await next.forgetWithdrawal(aShare('b'))
  await next.rememberShare(aShare('a'))
  const last = await open()
  expect([last.shares(), last.withdrawals(), last.isWithdrawn(aShare('a'))]).toEqual([
    [aShare('a')],
    [],
    false,
  ])
})

test('a file that an earlier version wrote has no withdrawals', async () => {
  const { open, path } = place()
  await (await open()).rememberShare(aShare('a'))
  writeFileSync(path, JSON.stringify({ version: 1, shares: [aShare('b')], downloads: [] }))
  const store = await open()
  expect([store.shares(), store.withdrawals()]).toEqual([[aShare('b')], []])
})

test('thousands of records are read, each checked, without stopping the loop', async () => {
  const { open, path } = place()
  await (await open()).rememberShare(aShare('a'))
  const shares = Array.from({ length: 2000 }, (_, each) => aShare(`f${each}`))
  writeFileSync(path, JSON.stringify({ version: 1, shares, downloads: [] }))
  let turns = 0
  let isOpen = false
  const count = (): void => {
    turns++
    if (!isOpen) setImmediate(count)
  }
  setImmediate(count)
  const store = await open()
  isOpen = true
  expect(store.shares()).toEqual(shares)
  expect(turns).toBeGreaterThanOrEqual(shares.length / 500)
  writeFileSync(path, JSON.stringify({ version: 1, shares: [...shares, { name: '../a' }], downloads: [] }))
  await expect(open()).rejects.toThrow('is damaged')
})

test('a download of a part of a folder is one of its own, and keeps the upload limit of the entry', async () => {
  const at = place()
  const store = await at.open()
  await store.rememberDownload(aDownload('f'))
  await store.rememberDownload({ ...aDownload('f'), within: 'a/b', selectedBytes: 7, destination: '/b' })
  await store.limitUploads({ group: 'g1', name: 'f' }, 1000)
  await store.forgetDownload({ group: 'g1', name: 'f' })
  expect([store.isKnown({ group: 'g1', name: 'f' }), at.unlimited, at.unused]).toEqual([true, [], []])
  const again = await at.open()
  expect(again.downloads()).toMatchObject([{ name: 'f', within: 'a/b', selectedBytes: 7 }])
  await again.forgetDownload({ group: 'g1', name: 'f', within: 'a/b' })
  expect([again.downloads(), at.unlimited, at.unused]).toEqual([[], ['f'], [fileId]])
})

test('of thousands of records, each change is there when its promise resolves, in the order of all', async () => {
  const { open, path } = place()
  const store = await open()
  const names = Array.from({ length: 600 }, (_, each) => `f${each}`)
  await Promise.all(names.map((name) => store.rememberShare(aShare(name))))
  const { size } = statSync(path)
  const check = async (): Promise<void> => {
    const seen = await open()
    expect(seen.shares()).toEqual(store.shares())
    expect([seen.downloads(), seen.withdrawals()]).toEqual([store.downloads(), store.withdrawals()])
    expect([seen.requests(), seen.uploadLimits()]).toEqual([store.requests(), store.uploadLimits()])
  }
  await store.rememberWithdrawal(aShare('f0'))
  await check()
  await store.rememberShare({ ...aShare('f1'), stamp: '5:4:3:2:1' })
  await store.limitUploads(aShare('f1'), 1000)
  await store.limitUploads(aShare('f2'), 1000)
  await store.limitUploads(aShare('f2'), undefined)
  await store.rememberRequest('g2')
  await store.rememberRequest('g3')
  await store.forgetRequest('g2')
  await check()
  await store.rememberShare(aShare('f0'))
  await store.rememberDownload({ ...aDownload('d'), within: 'a/*' })
  await store.rememberDownload(aDownload('d'))
  await store.rememberDownload(aDownload('e'))
  await store.forgetDownload({ group: 'g1', name: 'd', within: 'a/*' })
  await store.downloadBecomesShare(aShare('d'))
  await check()
  expect(statSync(path).size).toBe(size)
  const last = await open()
  expect([last.isUsed(fileId), last.shares().length, last.downloads().length]).toEqual([true, 601, 1])
  await store.close()
  await check()
  expect(readdirSync(join(path, '..'))).toEqual(['ann.json'])
})

test('a change in a journal that cannot be understood is a failure that names the file', async () => {
  const { open, path } = place()
  const store = await open()
  await Promise.all(Array.from({ length: 600 }, (_, each) => store.rememberShare(aShare(`f${each}`))))
  await store.rememberShare(aShare('a'))
  const journal = path.replace('.json', '.journal')
  const [first = ''] = readFileSync(journal, 'utf8').split('\n')
  for (const json of [
    '[{"put":"cats","record":{}}]',
    '[{"drop":"cats","which":"g"}]',
    '[{"put":"shares"}]',
    '[7]',
  ]) {
    writeFileSync(journal, `${first}\n${crc32(json).toString(16)} ${json}\n`)
    await expect(open()).rejects.toThrow(`${path} is damaged`)
  }
  await store.close()
})
