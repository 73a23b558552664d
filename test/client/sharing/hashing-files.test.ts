// Files that are being hashed: how far they are, and their end before its time.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { expect, test, vi } from 'vitest'
import { HashingFiles } from '../../../src/client/sharing/hashing-files.ts'
import { stampAt } from '../../../src/client/sharing/file-stamp.ts'
import type { HashOptions, HashPool } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary } from './one-library.ts'

/** A file of three pieces, and a pool that hashes it when told. */
async function hashingOne() {
  const path = join(temporaryFolder(), 'f.bin')
  writeFileSync(path, Buffer.alloc(3 * pieceBytes))
  const begun: HashOptions[] = []
  const hashFile = (_path: string, _size: number, options: HashOptions): Promise<Buffer> => {
    begun.push(options)
    return new Promise((_resolve, reject) =>
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)),
    )
  }
  const files = new HashingFiles({ hashFile } as unknown as HashPool, pLimit(1))
  const stamp = await stampAt(path)
  if (stamp === undefined) throw new Error('the file is there')
  return { files, begun, hash: (name: string) => files.hash({ group: 'g', name, path }, stamp) }
}

test('one is seen with what is done of it, and the next as waiting', async () => {
  const { files, begun, hash } = await hashingOne()
  const hashing = [hash('a'), hash('b')]
  await vi.waitFor(() => expect(begun).toHaveLength(1))
  begun[0]?.onProgress?.(2, 0)
  expect(files.views()).toMatchObject([
    { name: 'a', sizeBytes: 3 * pieceBytes, bytesDone: 2 * pieceBytes },
    { name: 'b', bytesDone: 0, bytesPerSecond: 0 },
  ])
  files.close('you logged out')
  expect(await Promise.all(hashing)).toMatchObject([{ ok: false }, { ok: false }])
  expect(files.views()).toEqual([])
})

test('one that is cancelled ends at once, also while it waits for its turn', async () => {
  const { files, begun, hash } = await hashingOne()
  const [first, second] = [hash('a'), hash('b')]
  await vi.waitFor(() => expect(begun).toHaveLength(1))
  files.cancel('g', 'b')
  expect(await second).toMatchObject({ ok: false })
  files.cancel('other', 'a')
  expect(files.views()).toHaveLength(1)
  files.cancel('g', 'a')
  expect(await first).toMatchObject({ ok: false })
})

test('nothing begins after the end', async () => {
  const { files, begun, hash } = await hashingOne()
  files.close('you logged out')
  expect(await hash('a')).toMatchObject({ ok: false, refusal: { sentence: 'you logged out' } })
  expect(begun).toEqual([])
})

test('stop_share of a file that is being hashed ends that, and it is not shared', async () => {
  const { library, hashing, store } = await oneLibrary()
  const path = join(temporaryFolder(), 'f.bin')
  writeFileSync(path, Buffer.alloc(100_000))
  let free = (): void => undefined
  void hashing(() => new Promise<void>((resolve) => (free = resolve)))
  const uploading = library.upload(path, 'g')
  await vi.waitFor(() => expect(library.hashing()).toHaveLength(1))
  expect(await library.stop('g', 'f.bin')).toMatchObject({ ok: true })
  expect(await uploading).toMatchObject({ ok: false, refusal: { code: 'cancelled' } })
  expect(library.hashing()).toEqual([])
  free()
  expect(store.share({ group: 'g', name: 'f.bin' })).toBeUndefined()
})

test('a small file waits for no turn: hashing it takes less time than a turn', async () => {
  const { library, hashing } = await oneLibrary()
  const folder = temporaryFolder()
  let free = (): void => undefined
  void hashing(() => new Promise<void>((resolve) => (free = resolve)))
  const share = async (name: string, sizeBytes: number) => {
    writeFileSync(join(folder, name), Buffer.alloc(sizeBytes))
    return library.upload(join(folder, name), 'g')
  }
  const large = share('large', 100_000)
  expect(await share('small', 1000)).toMatchObject({ ok: true })
  expect(library.hashing()).toMatchObject([{ name: 'large' }])
  free()
  expect(await large).toMatchObject({ ok: true })
})
