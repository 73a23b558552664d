// Operations on one download that are under way at the same time.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ConnectTurns } from '../../../src/client/downloading/connect-turns.ts'
import { Downloads } from '../../../src/client/downloading/downloads.ts'
import { FolderReader } from '../../../src/client/downloading/folder-reader.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { Precedence } from '../../../src/client/downloading/precedence.ts'
import { ShareLibrary } from '../../../src/client/sharing/share-library.ts'
import { SourceRegistry } from '../../../src/client/sharing/source-registry.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { UserStore } from '../../../src/client/storage/user-store.ts'
import type { TrackerLink } from '../../../src/client/tracker-link/tracker-link.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import { accept } from '../../../src/common/refusal.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { routesHere } from '../routes-here.ts'

/** The downloads of a user, with a file that nobody has at present. */
async function make(): Promise<{
  downloads: Downloads
  store: UserStore
  folder: string
  /** What the trackers were asked. */
  asked: string[]
}> {
  const folder = temporaryFolder()
  const asked: string[] = []
  const identity = makeIdentity()
  const found = {
    fileId: 'a'.repeat(64),
    sizeBytes: 1,
    files: 1,
    peers: [],
    ticket: 'ticket',
    expiresMs: Date.now() + 600_000,
  }
  const link = {
    ask: (method: string) => {
      asked.push(method)
      return Promise.resolve(accept(method === 'find_file' ? found : {}))
    },
    change: () => Promise.resolve(accept(undefined)),
  } as unknown as TrackerLink
  const store = await UserStore.open(folder, 'c', 'u', {
    onTrouble: () => undefined,
    onUnused: () => Promise.resolve(),
  })
  const manifests = new ManifestStore(folder)
  const parts = {
    link,
    store,
    manifests,
    hashes: new HashPool(),
    folders: new FolderPool(),
    sources: new SourceRegistry(),
  }
  const shares = new ShareLibrary({ ...parts, hashing: pLimit(1), onNotice: () => undefined })
  const network = {
    identity,
    routes: routesHere(new Protection(identity.forTls, 'beyond')),
    changes: new NetworkChanges(),
    bucket: new TokenBucket(undefined),
    turns: new ConnectTurns(),
    precedence: new Precedence(),
  }
  const storing = new StorePool()
  const downloads = new Downloads({
    ...parts,
    network,
    shares,
    folder,
    storing,
    reader: new FolderReader({ network, manifests, storing }),
    recipes: new RecipePool(),
    onEvent: () => undefined,
    onFailure: (error) => {
      throw error
    },
  })
  onTestFinished(() => downloads.close())
  return { downloads, store, folder, asked }
}

// The cancel removed the part file and the record of the download that had begun in the meantime.
test('a download that begins while the one before it is being cancelled is whole', async () => {
  const { downloads, store, folder } = await make()
  const destination = join(folder, 'f')
  await downloads.begin('g', 'f', destination, { overwrite: false })
  const cancelled = downloads.cancel('g', 'f')
  const begun = await downloads.begin('g', 'f', destination, { overwrite: false })
  expect(await cancelled).toMatchObject({ ok: true })
  expect(begun).toMatchObject({ ok: true })
  expect([...store.downloads()].map(({ name }) => name)).toEqual(['f'])
  expect(existsSync(`${destination}.part`)).toBe(true)
  expect(downloads.views()).toMatchObject([{ name: 'f', state: 'running' }])
})

// Both ran, one of them where nobody could stop it.
test('a failed download that begins again elsewhere cannot be resumed or cancelled meanwhile', async () => {
  const { downloads, folder } = await make()
  await downloads.begin('g', 'f', join(folder, 'one'), { overwrite: false })
  await downloads.failGroup('g')
  const begun = downloads.begin('g', 'f', join(folder, 'two'), { overwrite: false })
  expect(downloads.resumeOne('g', 'f')).toMatchObject({ ok: false, refusal: { code: 'busy' } })
  expect(await downloads.cancel('g', 'f')).toMatchObject({ ok: false, refusal: { code: 'busy' } })
  expect(await begun).toMatchObject({ ok: true })
  expect(downloads.views()).toMatchObject([{ destination: join(folder, 'two'), state: 'running' }])
})

test('the priority of a download is remembered with it, and seen', async () => {
  const { downloads, store, folder } = await make()
  await downloads.begin('g', 'f', join(folder, 'f'), { overwrite: false })
  expect(await downloads.prioritize('g', 'f')).toEqual(accept('normal'))
  expect(await downloads.prioritize('g', 'f', 'low')).toEqual(accept('low'))
  expect([downloads.views(), store.downloads()]).toMatchObject([[{ priority: 'low' }], [{ priority: 'low' }]])
  await downloads.pause('g', 'f')
  expect(await downloads.prioritize('g', 'f', 'high')).toEqual(accept('high'))
  expect(store.downloads()).toMatchObject([{ priority: 'high', paused: true }])
  await downloads.cancel('g', 'f')
  expect(await downloads.prioritize('g', 'f', 'high')).toMatchObject({
    refusal: { code: 'no-such-download' },
  })
  expect(store.downloads()).toEqual([])
})

test('the limit of one download is remembered with it, and goes when it is taken away', async () => {
  const { downloads, store, folder } = await make()
  await downloads.begin('g', 'f', join(folder, 'f'), { overwrite: false })
  expect(await downloads.limit('g', 'f', 1024)).toEqual(accept(undefined))
  const rule = { direction: 'download', bytesPerSecond: 1024, entry: { group: 'g', name: 'f' } }
  expect([downloads.limits(), store.downloads()]).toMatchObject([[rule], [{ bytesPerSecondMax: 1024 }]])
  await downloads.limit('g', 'f', undefined)
  expect([downloads.limits(), store.downloads()[0]?.bytesPerSecondMax]).toEqual([[], undefined])
  await downloads.cancel('g', 'f')
  // Else its record would come back.
  expect(await downloads.limit('g', 'f', 1024)).toMatchObject({ refusal: { code: 'no-such-download' } })
  expect(store.downloads()).toEqual([])
})

test('several parts of a folder and the whole are fetched at once, each under its own name', async () => {
  const { downloads, store, folder, asked } = await make()
  const begin = (to: string, within?: string): Promise<unknown> =>
    downloads.begin('g', 'f', join(folder, to), { overwrite: false, within })
  expect(await begin('whole')).toMatchObject({ ok: true })
  expect(await begin('one', 'a/*.txt')).toMatchObject({ ok: true })
  expect(await begin('two', 'b')).toMatchObject({ ok: true })
  expect(await begin('three', 'b')).toMatchObject({
    refusal: { sentence: 'f/b from g is already being downloaded' },
  })
  expect(await begin('two', 'c')).toMatchObject({
    refusal: { sentence: expect.stringContaining('the running download of f/b from g') },
  })
  const names = (): string[] => downloads.views().map(({ name }) => name)
  expect(names()).toEqual(['f', 'f/a/*.txt', 'f/b'])
  await downloads.pause('g', 'f/b')
  expect(store.downloads().map(({ within, paused }) => [within, paused])).toEqual([
    [undefined, false],
    ['a/*.txt', false],
    ['b', true],
  ])
  await downloads.cancel('g', 'f')
  await downloads.cancel('g', 'f/b')
  expect([names(), downloads.needsSwarm('g', 'f')]).toEqual([['f/a/*.txt'], true])
  expect(asked).not.toContain('forget_file')
  await downloads.cancel('g', 'f/a/*.txt')
  expect(asked).toContain('forget_file')
  expect([names(), store.downloads(), store.isKnown({ group: 'g', name: 'f' })]).toEqual([[], [], false])
})

test('a part is refused with --adopt, and where what is there would have to go', async () => {
  const { downloads, folder } = await make()
  const begin = (to: string, options = {}): Promise<unknown> =>
    downloads.begin('g', 'f', join(folder, to), { overwrite: false, within: 'a', ...options })
  expect(await begin('x', { adopt: true })).toMatchObject({ refusal: { code: 'usage' } })
  writeFileSync(join(folder, 'there'), '')
  expect(await begin('there')).toMatchObject({ refusal: { code: 'local-file' } })
  expect(await begin('none/there')).toMatchObject({ refusal: { code: 'local-file' } })
})

// A kill in between left a part file that nobody knew: whatever was to be fetched there was refused for ever.
test('a download is remembered before its part file is made, and forgotten where that cannot be', async () => {
  const { downloads, store, folder } = await make()
  const destination = join(folder, 'f')
  const remember = vi.spyOn(store, 'rememberDownload')
  remember.mockImplementationOnce(async () => expect(existsSync(`${destination}.part`)).toBe(false))
  await downloads.begin('g', 'f', destination, { overwrite: false })
  expect(remember.mock.calls.map(([{ part }]) => part === 'not made yet')).toEqual([true, false])
  writeFileSync(join(folder, 'other.part'), 'of somebody else')
  expect(await downloads.begin('g', 'h', join(folder, 'other'), { overwrite: false })).toMatchObject({
    ok: false,
  })
  expect(store.downloads().map(({ name }) => name)).toEqual(['f'])
})
