// What is in a folder is asked of whoever has it, and none of its files.

import { expect, onTestFinished, test } from 'vitest'
import { ConnectTurns } from '../../../src/client/downloading/connect-turns.ts'
import { FolderReader } from '../../../src/client/downloading/folder-reader.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { Precedence } from '../../../src/client/downloading/precedence.ts'
import type { FoundFile } from '../../../src/client/downloading/swarm-lookup.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { StorePool } from '../../../src/client/workers/store-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { encodeTree } from '../../../src/common/tree/tree.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { routesHere } from '../routes-here.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { FakeSeeder, type Behaviour } from './fake-seeder.ts'
import { entriesOf, folderSample, type Contents } from './folder-sample.ts'
import type { Sample } from './one-download.ts'

const contents: Contents = {
  'run.sh': Buffer.alloc(9, 'exit 0\n'),
  'photos/one.jpg': Buffer.alloc(2 * pieceBytes, 'one'),
  'photos/empty': undefined,
}
/** So many that the tree has several pieces. */
const many: Contents = Object.fromEntries(
  Array.from({ length: 40_000 }, (_, index) => [`${index} ${'long'.repeat(10)} ${index}`, Buffer.alloc(0)]),
)

interface Reading {
  readonly reader: FolderReader
  readonly manifests: ManifestStore
  readonly sample: Sample
  readonly seeder: (behaviour?: Behaviour) => Promise<FakeSeeder>
  readonly found: () => FoundFile
}

function reading(sample = folderSample(contents), patienceMs = 10_000): Reading {
  const identity = makeIdentity()
  const manifests = new ManifestStore(temporaryFolder())
  const network = {
    identity,
    routes: routesHere(new Protection(identity.forTls, 'beyond')),
    changes: new NetworkChanges(),
    bucket: new TokenBucket(undefined),
    turns: new ConnectTurns(),
    precedence: new Precedence(),
  }
  const patience = { manifestMs: patienceMs, silenceMs: patienceMs }
  const reader = new FolderReader({ network, manifests, storing: new StorePool() }, patience)
  onTestFinished(() => reader.close())
  const seeders: FakeSeeder[] = []
  const { fileId, sizeBytes, folder } = sample.manifest
  return {
    reader,
    manifests,
    sample,
    async seeder(behaviour = {}) {
      const seeder = await FakeSeeder.start('ann', sample.content, sample.manifest, behaviour)
      onTestFinished(() => seeder.stop())
      seeders.push(seeder)
      return seeder
    },
    found: () => ({
      fileId,
      sizeBytes,
      files: folder?.files,
      peers: seeders.map(({ peer }) => peer),
      ticket: identity.publicKey,
      expiresMs: Date.now() + 600_000,
    }),
  }
}

const entry = { group: 'g', name: 'holiday' }

test('the list of its files comes from a peer, who is asked for the pieces of the tree alone', async () => {
  const { reader, seeder, found } = reading()
  const ann = await seeder()
  expect(await reader.read(entry, found())).toMatchObject({
    ok: true,
    value: { entries: entriesOf(contents) },
  })
  expect(ann.asked).toEqual([0])
})

test('a tree of several pieces comes whole, also beside a peer that sends bad ones', async () => {
  const { reader, seeder, found } = reading(folderSample(many))
  await seeder({ piece: ({ right, send }) => send(Buffer.alloc(right.length)) })
  await seeder()
  const read = await reader.read(entry, found())
  expect(read.ok && read.value.tree.length).toBeGreaterThan(2 * pieceBytes)
  expect(read.ok && read.value.entries.length).toBe(40_000)
})

test('what is kept here is read here', async () => {
  const { reader, manifests, sample, found } = reading()
  await manifests.save(sample.manifest)
  await manifests.saveTree(sample.manifest.fileId, encodeTree(entriesOf(contents)))
  expect(await reader.read(entry, found())).toMatchObject({
    ok: true,
    value: { entries: entriesOf(contents) },
  })
})

test('what is kept here and damaged is fetched', async () => {
  const { reader, manifests, sample, seeder, found } = reading()
  await seeder()
  await manifests.save(sample.manifest)
  await manifests.saveTree(sample.manifest.fileId, encodeTree(entriesOf({ other: undefined })))
  expect(await reader.read(entry, found())).toMatchObject({
    ok: true,
    value: { entries: entriesOf(contents) },
  })
})

const refused = (code: string, sentence: string): unknown => ({ ok: false, refusal: { code, sentence } })

test('without anybody who has it, or for a file, it is refused', async () => {
  const { reader, found } = reading()
  expect(await reader.read(entry, found())).toEqual(
    refused('not-shared', 'nobody who has holiday is online; try again later'),
  )
  expect(await reader.read(entry, { ...found(), files: undefined })).toEqual(
    refused('no-such-file', 'holiday is a file, not a folder'),
  )
})

test.each([
  ['says nothing', { silent: true }],
  ['sends no piece', { piece: () => undefined }],
])('one who %s is not waited for longer than a while', async (_what, behaviour) => {
  const { reader, seeder, found } = reading(undefined, 300)
  await seeder(behaviour)
  expect(await reader.read(entry, found())).toEqual(
    refused('timed-out', 'nobody who has holiday answers in time; try again later'),
  )
})

test('a folder that has not the size that the trackers were told is refused', async () => {
  const { reader, seeder, found } = reading()
  await seeder()
  expect(await reader.read(entry, { ...found(), sizeBytes: 1 })).toMatchObject({
    refusal: {
      code: 'unavailable',
      sentence: expect.stringContaining('holiday: it does not have the size that the tracker was told'),
    },
  })
})

test('a logout ends it', async () => {
  const { reader, seeder, found } = reading()
  const ann = await seeder({ piece: () => reader.close() })
  expect(await reader.read(entry, found())).toEqual(refused('cancelled', 'you logged out'))
  expect(ann.asked.length).toBeGreaterThan(0)
})

test('a tree that is none is refused by what is wrong with it', async () => {
  const safe = entriesOf(contents)
  const bad = safe.map((each) => (each.path === 'run.sh' ? { ...each, path: '../x.s' } : each))
  const { reader, seeder, found } = reading(folderSample(contents, safe, encodeTree(bad)))
  await seeder()
  expect(await reader.read(entry, found())).toEqual(
    refused('unavailable', 'holiday: it cannot be fetched: ../x.s is not a path within a folder'),
  )
})
