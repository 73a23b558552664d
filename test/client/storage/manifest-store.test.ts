import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { manifestOf, sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const manifest = manifestOf(sampleBytes(2 * pieceBytes + 5))

async function stored(): Promise<{ store: ManifestStore; path: string; folder: string }> {
  const folder = temporaryFolder()
  const store = new ManifestStore(folder)
  await store.save(manifest)
  return { store, folder, path: join(folder, 'manifests', manifest.fileId) }
}

test('a manifest is there after a restart', async () => {
  const { folder } = await stored()
  expect(new ManifestStore(folder).load(manifest.fileId)).toEqual(manifest)
})

test('an empty file has a manifest too', async () => {
  const { store } = await stored()
  const empty = manifestOf(Buffer.alloc(0))
  await store.save(empty)
  expect(store.load(empty.fileId)).toEqual(empty)
})

test('a manifest that nobody saved is not there', async () => {
  const { store } = await stored()
  expect(store.load('00'.repeat(32))).toBeUndefined()
})

test('a damaged manifest counts as missing, never as another', async () => {
  for (const damage of [
    (path: string) => truncateSync(path, 0),
    (path: string) => truncateSync(path, 60),
    (path: string) => writeFileSync(path, 'junk'),
    (path: string) => writeFileSync(path, readFileSync(path).fill(7, 20, 21)),
    (path: string) => writeFileSync(path, manifestOf(sampleBytes(5)).bytes),
  ]) {
    const { store, path } = await stored()
    damage(path)
    expect(store.load(manifest.fileId)).toBeUndefined()
    await store.save(manifest)
    expect(store.load(manifest.fileId)).toEqual(manifest)
  }
})

test('a manifest that was removed is gone, and may be removed again', async () => {
  const { store } = await stored()
  await store.remove(manifest.fileId)
  await store.remove(manifest.fileId)
  expect(store.load(manifest.fileId)).toBeUndefined()
})

test('the tree of a folder is there after a restart, and goes with its manifest', async () => {
  const { folder, store } = await stored()
  expect(store.loadTree(manifest.fileId)).toBeUndefined()
  await store.saveTree(manifest.fileId, Buffer.from('a tree'))
  expect(new ManifestStore(folder).loadTree(manifest.fileId)).toEqual(Buffer.from('a tree'))
  await store.remove(manifest.fileId)
  expect(readdirSync(join(folder, 'manifests'))).toEqual([])
})

// Nobody waits for most removals: a failure of one ended the program.
test('a manifest that cannot be removed is no failure', async () => {
  const { store, path } = await stored()
  rmSync(path)
  mkdirSync(join(path, 'in the way'), { recursive: true })
  await store.remove(manifest.fileId)
  expect(existsSync(path)).toBe(true)
})

test('nothing half written stays beside the manifests', async () => {
  const { folder } = await stored()
  expect(readdirSync(join(folder, 'manifests'))).toEqual([manifest.fileId])
})
