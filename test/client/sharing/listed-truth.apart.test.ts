// What a listing says stays true while files are stopped, removed and replaced, while users leave, and while the
// trackers are in trouble. Real clients, in this process.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { fetches, Sharers, type Member } from './two-sharers.ts'
import { sampleBytes } from './sample-file.ts'

vi.mock('../../../src/common/limits.ts', async (original) => {
  const limits = await original<Record<string, unknown>>()
  // Passwords are not what is tested here, and each of these takes a microsecond.
  return { ...limits, scramIterations: 1000, scramIterationsMin: 1000 }
})

const bytes = sampleBytes(3000)

interface World {
  readonly sharers: Sharers
  readonly ann: Member
  readonly ben: Member
}

/** Ann and ben, both members of g. */
async function world(): Promise<World> {
  const sharers = await Sharers.start()
  const [ann, ben] = [await sharers.member('ann'), await sharers.member('ben')]
  await sharers.group('g', ann, ben)
  return { sharers, ann, ben }
}

async function share(member: Member, name: string, content = bytes): Promise<string> {
  const path = member.path('files', name)
  writeFileSync(path, content)
  expect(await member.client.operations.uploadFile(path, 'g')).toMatchObject({ ok: true })
  return path
}

/** Downloads to this path, and resolves when it is complete. */
async function download(member: Member, name: string, path: string, overwrite = false): Promise<void> {
  const complete = untilComplete(member, name)
  expect(await member.client.operations.downloadFile('g', name, path, { overwrite })).toMatchObject({
    ok: true,
  })
  await complete
}

function untilComplete(member: Member, name: string): Promise<void> {
  return new Promise((resolve) => {
    member.onEvent = (event) => {
      if (event.kind === 'download-complete' && event.name === name) resolve()
    }
  })
}

describe('of two names with the same bytes, one of which', () => {
  const ends: Record<string, (world: World, path: string) => Promise<unknown>> = {
    'is stopped': ({ ann }) => ann.client.operations.stopShare('g', 'one'),
    'is removed': async ({ ann, ben }, path) => {
      rmSync(path)
      await ben.lists('g', 'one', 0)
      await ann.tells(/one cannot be read/)
    },
    'is overwritten': async ({ ann }, path) => {
      writeFileSync(path, 'other content')
      await ann.tells(/one changed on disk/)
    },
    'is replaced by another file': async ({ ann }, path) => {
      writeFileSync(`${path}.new`, 'other content')
      renameSync(`${path}.new`, path)
      await ann.tells(/one was removed or replaced/)
    },
    'is shared anew with other bytes': ({ ann }) => share(ann, 'one', sampleBytes(5, 9)),
  }

  test.each(Object.entries(ends))('%s, the other can be fetched', async (_what, end) => {
    const all = await world()
    const path = await share(all.ann, 'one')
    await share(all.ann, 'other')
    await end(all, path)
    await all.ben.lists('g', 'other', 1)
    expect(await fetches(all.ben, 'g', 'other', bytes)).toBe(true)
  })

  test('is being downloaded a second time and cancelled, the other can be fetched', async () => {
    const { sharers, ann, ben } = await world()
    await share(ann, 'one')
    await share(ben, 'other')
    // Nobody to fetch it from any more: the download waits.
    const cat = await sharers.member('cat')
    await cat.client.operations.joinGroup('g')
    await ann.client.operations.acceptRequest('g', 'cat')
    await share(cat, 'one')
    await ann.client.operations.logout()
    expect(
      await ben.client.operations.downloadFile('g', 'one', ben.path('files', 'second'), { overwrite: false }),
    ).toMatchObject({ ok: true })
    await ben.client.operations.cancelDownload('g', 'one')
    await cat.lists('g', 'other', 1)
    expect(await fetches(cat, 'g', 'other', bytes)).toBe(true)
  })
})

describe('in the moment in which a download completes,', () => {
  const moments: Record<string, (ben: Member, act: () => void) => void> = {
    'when its user hears of it': (ben, act) => {
      ben.onEvent = (event) => event.kind === 'download-complete' && act()
    },
    'a turn later': (ben, act) => {
      ben.onEvent = (event) => event.kind === 'download-complete' && setImmediate(act)
    },
    'two turns later': (ben, act) => {
      ben.onEvent = (event) => event.kind === 'download-complete' && setImmediate(() => setImmediate(act))
    },
  }

  test.each(Object.entries(moments))('stop_share and leave_group leave nothing listed, %s', async (_, at) => {
    const { sharers, ann, ben } = await world()
    for (const name of ['stopped', 'left']) {
      await share(ann, name)
      const acted = new Promise((resolve) =>
        at(ben, () =>
          resolve(
            name === 'stopped'
              ? ben.client.operations.stopShare('g', name)
              : ben.client.operations.leaveGroup('g'),
          ),
        ),
      )
      await ben.client.operations.downloadFile('g', name, ben.path('files', `${name}-copy`), {
        overwrite: false,
      })
      expect(await acted).toMatchObject({ ok: true })
    }
    // Ann is the only one left who can keep these names alive.
    for (const name of ['stopped', 'left']) await ann.client.operations.stopShare('g', name)
    await ann.lists('g', 'stopped', undefined)
    expect(await ann.list('g')).toEqual([])
    // Nothing comes back with the next login.
    await sharers.again(ben)
    expect(await ann.list('g')).toEqual([])
  })
})

test.each([true, false])(
  'stop_share on a second machine ends what the first one shares (another user shares it too: %s)',
  async (isSharedOn) => {
    const { sharers, ann, ben } = await world()
    await share(ann, 'f')
    if (isSharedOn) await download(ben, 'f', ben.path('files', 'copy'))
    if (isSharedOn) await ben.lists('g', 'f', 2)
    const second = await sharers.member('ann', ann)
    expect(await second.client.operations.stopShare('g', 'f')).toEqual({ ok: true, value: { isTold: true } })
    await ann.tells(/f in g was replaced or withdrawn; you no longer share it/)
    await ben.lists('g', 'f', isSharedOn ? 1 : undefined)
    // Also not from the next login on.
    await sharers.again(ann)
    await ben.lists('g', 'f', isSharedOn ? 1 : undefined)
    expect(await second.client.operations.stopShare('g', 'f')).toMatchObject({
      refusal: { code: 'not-shared' },
    })
  },
)

test('shares are kept while the tracker cannot save, and registered as soon as it can', async () => {
  const { sharers, ann, ben } = await world()
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) await share(ann, name)
  await ann.client.operations.logout()
  ann.events.length = 0
  sharers.isTroubled = true
  await ann.login()
  await sharers.refused(names.length)
  expect((await ben.list('g')).map(({ seeders }) => seeders)).toEqual([0, 0, 0, 0])
  sharers.isTroubled = false
  for (const name of names) await ben.lists('g', name, 1)
  expect(ann.events).toEqual([])
  const next = await sharers.again(ann)
  for (const name of names) await ben.lists('g', name, 1)
  expect(next.events).toEqual([])
})

test('a share of a group that its user was removed from meanwhile is forgotten, and that is told', async () => {
  const { ann, ben, sharers } = await world()
  await share(ben, 'f')
  await ben.client.operations.logout()
  expect(await ann.client.operations.removeMember('g', 'ben')).toMatchObject({ ok: true })
  await ben.login()
  await ben.tells(/^f is no longer shared in g/)
  const next = await sharers.again(ben)
  expect(await ann.list('g')).toEqual([])
  expect(next.events).toEqual([])
})

test('thousands of shares are back after a login, over one connection', async () => {
  const { sharers, ann, ben } = await world()
  const path = await share(ann, 'f')
  await ann.client.close()
  const [cluster = ''] = readdirSync(ann.path('data', 'users'))
  const memory = ann.path('data', 'users', cluster, 'ann.json')
  const remembered = JSON.parse(readFileSync(memory, 'utf8'))
  const [first] = remembered.shares
  const names = Array.from({ length: 3500 }, (_, each) => `f${each} ${'long '.repeat(30)}name`)
  remembered.shares = names.map((name) => ({ ...first, name, path }))
  writeFileSync(memory, JSON.stringify(remembered))
  const next = await sharers.again(ann)
  await vi.waitFor(
    async () => {
      const seeded = (await ben.list('g')).filter(({ seeders }) => seeders === 1)
      if (seeded.length !== names.length) throw new Error(`${seeded.length} have a seeder`)
    },
    // A listing of thousands is work, too: whoever asks often holds up what it waits for.
    { timeout: 50_000, interval: 400 },
  )
  // Neither "trackers lost", nor a share that was forgotten.
  expect(next.events).toEqual([])
})

test('an upload under a name that its user shares from another folder says what it replaces', async () => {
  const { ann } = await world()
  const path = await share(ann, 'big.bin')
  mkdirSync(ann.path('other'))
  const other = join(ann.path('other'), 'big.bin')
  writeFileSync(other, sampleBytes(700, 2))
  expect(await ann.client.operations.uploadFile(other, 'g')).toMatchObject({
    ok: true,
    value: { replaces: { path, sizeBytes: statSync(path).size, isElsewhere: true } },
  })
  // The same file again replaces nothing, and a new version of it is not from elsewhere.
  const again = await ann.client.operations.uploadFile(other, 'g')
  expect(again).toMatchObject({ ok: true, value: { name: 'big.bin' } })
  expect(again).not.toHaveProperty('value.replaces.path')
  writeFileSync(other, sampleBytes(800, 3))
  expect(await ann.client.operations.uploadFile(other, 'g')).toMatchObject({
    value: { replaces: { isElsewhere: false } },
  })
})

test('a file that is removed while nobody asks for it is withdrawn, and shared again when it is back', async () => {
  const { ann, ben } = await world()
  const path = await share(ann, 'f')
  await ben.lists('g', 'f', 1)
  renameSync(path, `${path}.away`)
  await ben.lists('g', 'f', 0)
  await ann.tells(/f cannot be read \(.*\); it is shared again as soon as it can be read/)
  renameSync(`${path}.away`, path)
  await ben.lists('g', 'f', 1)
  await ann.tells(/f can be read again, and is shared/)
  expect(await fetches(ben, 'g', 'f', bytes)).toBe(true)
})

test('a file that is away at the login is shared as soon as it is back', async () => {
  const { sharers, ann, ben } = await world()
  const path = await share(ann, 'f')
  renameSync(path, `${path}.away`)
  const next = await sharers.again(ann)
  await next.tells(/f is not shared in g at the moment: .* is not there/)
  renameSync(`${path}.away`, path)
  await ben.lists('g', 'f', 1)
  expect(await fetches(ben, 'g', 'f', bytes)).toBe(true)
})

test('of a file that is back with other content its user is told', async () => {
  const { ann, ben } = await world()
  const path = await share(ann, 'f')
  rmSync(path)
  await ben.lists('g', 'f', 0)
  writeFileSync(path, sampleBytes(3000, 7))
  await ann.tells(/f is not shared in g at the moment: .* changed; upload it again/)
  expect(await ben.seeders('g', 'f')).toBe(0)
})

test.each([
  [true, true],
  [true, false],
  [false, true],
  [false, false],
])(
  'a stop_share without a tracker is told when one answers (gone: %s, restarted: %s)',
  async (isGone, isAnew) => {
    const { sharers, ann, ben } = await world()
    await share(ann, 'f')
    await share(ann, 'kept')
    sharers.isGone = isGone
    sharers.isTroubled = true
    expect(await ann.client.operations.stopShare('g', 'f')).toEqual({ ok: true, value: { isTold: false } })
    // Said again: it is still not told.
    expect(await ann.client.operations.stopShare('g', 'f')).toEqual({ ok: true, value: { isTold: false } })
    const now = isAnew ? await sharers.again(ann) : ann
    expect((await ben.list('g')).map(({ name }) => name)).toContain('f')
    sharers.isTroubled = false
    await ben.lists('g', 'f', undefined)
    await ben.lists('g', 'kept', 1)
    expect(await now.client.operations.stopShare('g', 'f')).toMatchObject({ refusal: { code: 'not-shared' } })
  },
)

test('an upload that is refused leaves the withdrawal before it to be told', async () => {
  const { sharers, ann, ben } = await world()
  const path = await share(ann, 'f')
  sharers.isTroubled = true
  await ann.client.operations.stopShare('g', 'f')
  expect(await ann.client.operations.uploadFile(path, 'g')).toMatchObject({
    refusal: { code: 'unavailable' },
  })
  sharers.isTroubled = false
  await ben.lists('g', 'f', undefined)
})
