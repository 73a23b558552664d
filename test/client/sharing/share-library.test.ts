// What is shared again at the next login: the content that was shared, whatever has happened to the file.

import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { SharedFile } from '../../../src/client/operations.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary, type OneLibrary } from './one-library.ts'
import { manifestOf, sampleBytes } from './sample-file.ts'

const bytes = sampleBytes(2 * pieceBytes + 5)
const { fileId } = manifestOf(bytes)

interface Shared extends OneLibrary {
  readonly folder: string
  readonly path: string
}

/** A file that is shared in the group g. */
async function shared(): Promise<Shared> {
  const folder = temporaryFolder()
  const one = { ...(await oneLibrary(folder)), folder, path: join(folder, 'f.bin') }
  writeFileSync(one.path, bytes)
  expectShared(await one.library.upload(one.path, 'g'))
  return one
}

function expectShared(answer: Answer<SharedFile>): void {
  expect(answer).toMatchObject({ ok: true })
}

/** The program ends, this happens to the file, and the user logs in again. */
async function afterwards({ folder, path, library, store }: Shared, happens: (path: string) => void) {
  await library.close()
  await store.saved()
  happens(path)
  const next = await oneLibrary(folder)
  await next.library.resume()
  return next
}

async function readsWhole({ sources }: OneLibrary): Promise<boolean> {
  const source = sources.find('g', fileId)
  const buffer = Buffer.alloc(pieceBytes)
  const answer = await source?.read(1, buffer)
  return answer?.ok === true && buffer.equals(bytes.subarray(pieceBytes, 2 * pieceBytes))
}

describe('a file that was shared, and has the same content at the next login,', () => {
  test.each([
    ['was left alone', () => undefined],
    ['was touched', (path: string) => utimesSync(path, 1, 1)],
    ['has other permissions', (path: string) => chmodSync(path, 0o600)],
    [
      'was moved there and back',
      (path: string) => {
        renameSync(path, `${path}.away`)
        renameSync(`${path}.away`, path)
      },
    ],
    [
      'is a copy',
      (path: string) => {
        copyFileSync(path, `${path}.copy`)
        renameSync(`${path}.copy`, path)
      },
    ],
    ['was written again', (path: string) => writeFileSync(path, readFileSync(path))],
  ])('is shared again when it %s, and known by its stamp from then on', async (_what, happens) => {
    const one = await shared()
    const next = await afterwards(one, happens)
    expect(next.notices).toEqual([])
    expect(await readsWhole(next)).toBe(true)
    const [share] = next.store.shares()
    expect(share).toMatchObject({ fileId, stamp: expect.any(String) })
    const last = await afterwards({ ...one, ...next }, () => undefined)
    expect(last.store.shares()).toEqual([share])
    expect(await readsWhole(last)).toBe(true)
  })

  test('is shared again without its manifest too', async () => {
    const one = await shared()
    const next = await afterwards(one, () => rmSync(join(one.folder, 'manifests'), { recursive: true }))
    expect(next.notices).toEqual([])
    expect(await readsWhole(next)).toBe(true)
    expect(next.manifests.load(fileId)).toBeDefined()
  })
})

describe('a file that was shared, and has another content at the next login,', () => {
  test.each([
    ['as long', (path: string) => writeFileSync(path, Buffer.from(bytes).fill(7, bytes.length - 1))],
    ['longer', (path: string) => appendFileSync(path, 'more')],
    ['shorter', (path: string) => truncateSync(path, 5)],
    ['empty', (path: string) => truncateSync(path, 0)],
  ])('is not shared when it is %s; its user is told, and it stays remembered', async (_what, happens) => {
    const one = await shared()
    const [before] = one.store.shares()
    const next = await afterwards(one, happens)
    expect(next.notices).toEqual([
      `f.bin is not shared in g at the moment: ${one.path} changed; upload it again`,
    ])
    expect(next.sources.find('g', fileId)).toBeUndefined()
    expect(next.store.shares()).toEqual([before])
    // It may come back.
    const last = await afterwards({ ...one, ...next }, (path) => writeFileSync(path, bytes))
    expect(last.notices).toEqual([])
    expect(await readsWhole(last)).toBe(true)
  })
})

describe('the manifest of a file that is shared', () => {
  test('stays as long as another share has the same content, and goes with the last', async () => {
    const one = await shared()
    const twin = join(one.folder, 'twin.bin')
    copyFileSync(one.path, twin)
    expectShared(await one.library.upload(twin, 'g'))
    await one.library.stop('g', 'f.bin')
    expect(one.manifests.load(fileId)).toBeDefined()
    await one.library.stop('g', 'twin.bin')
    expect(one.manifests.load(fileId)).toBeUndefined()
  })

  test('stays while a download needs it', async () => {
    const one = await shared()
    const download = { group: 'h', name: 'f.bin', fileId, sizeBytes: bytes.length }
    const destination = join(one.folder, 'elsewhere.bin')
    await one.store.rememberDownload({
      ...download,
      destination,
      overwrite: false,
      paused: true,
      unshared: false,
    })
    await one.library.stop('g', 'f.bin')
    expect(one.manifests.load(fileId)).toBeDefined()
    await one.store.forgetDownload(download)
    expect(one.manifests.load(fileId)).toBeUndefined()
  })

  test('goes when the file is replaced by a new version', async () => {
    const one = await shared()
    writeFileSync(one.path, Buffer.alloc(bytes.length, 'the second version'))
    expectShared(await one.library.upload(one.path, 'g'))
    const [share] = one.store.shares()
    expect(one.manifests.load(share?.fileId ?? '')).toBeDefined()
    expect(one.manifests.load(fileId)).toBeUndefined()
  })
})

describe('a file of one piece', () => {
  const small = Buffer.from('a small file')
  const smallId = manifestOf(small).fileId

  /** Shared in the group g, beside the large one. */
  async function smallShared() {
    const one = await shared()
    const path = join(one.folder, 'small.txt')
    writeFileSync(path, small)
    expectShared(await one.library.upload(path, 'g'))
    return { ...one, path }
  }

  /** How many files the client hashes after this has happened to the file, and the library then. */
  async function hashedAfterwards(one: Shared, happens: () => void) {
    await one.library.close()
    await one.store.saved()
    happens()
    const hashes = new HashPool()
    const hashFile = vi.spyOn(hashes, 'hashFile')
    const next = await oneLibrary(one.folder, hashes)
    await next.library.resume()
    expect(next.notices).toEqual([])
    expect(next.sources.find('g', smallId)?.manifest).toEqual(manifestOf(small))
    return { ...next, count: hashFile.mock.calls.length }
  }

  /** Changes what is remembered of it. */
  function rewrite({ folder }: Shared, change: (record: Record<string, unknown>) => object): void {
    const path = join(folder, 'users', 'cluster', 'ann.json')
    const remembered = JSON.parse(readFileSync(path, 'utf8')) as { shares: Record<string, unknown>[] }
    const shares = remembered.shares.map((one) => (one['name'] === 'small.txt' ? change(one) : one))
    writeFileSync(path, JSON.stringify({ ...remembered, shares }))
  }

  test('has its manifest in the list of shares, and is shared again without being hashed', async () => {
    const one = await smallShared()
    expect(readdirSync(join(one.folder, 'manifests'))).toEqual([fileId])
    expect((await hashedAfterwards(one, () => undefined)).count).toBe(0)
  })

  test('has it in a file of its own where an earlier version of the program shared it', async () => {
    const one = await smallShared()
    await one.manifests.save(manifestOf(small))
    const earlier = (): void => rewrite(one, ({ manifest: _manifest, ...record }) => record)
    expect((await hashedAfterwards(one, earlier)).count).toBe(0)
  })

  test.each(['', 'AAAA', manifestOf(bytes).bytes.toString('base64')])(
    'is hashed again where it is damaged there (%s)',
    async (manifest) => {
      const one = await smallShared()
      const next = await hashedAfterwards(one, () => rewrite(one, (record) => ({ ...record, manifest })))
      expect(next.count).toBe(1)
      await next.store.saved()
      expect((await hashedAfterwards({ ...one, ...next }, () => undefined)).count).toBe(0)
    },
  )
})

test('a stop while a new version of the same name is hashed ends both', async () => {
  const one = await shared()
  let goOn = (): void => undefined
  void one.hashing(() => new Promise<void>((resolve) => (goOn = resolve)))
  writeFileSync(one.path, Buffer.alloc(bytes.length, 'the second version'))
  const uploading = one.library.upload(one.path, 'g')
  await vi.waitFor(() => expect(one.hashing.pendingCount).toBe(1))
  expect(await one.library.stop('g', 'f.bin')).toEqual({ ok: true, value: { isTold: true } })
  goOn()
  expect(await uploading).toMatchObject({ refusal: { code: 'cancelled' } })
  expect([one.store.shares(), one.store.withdrawals()]).toEqual([[], []])
  expect(one.announced).toHaveLength(1)
})

describe('a file that is uploaded again while it is resumed after a login', () => {
  /** The upload waits for the trackers while the resumption is as far as it comes. */
  async function both(answer: Answer<void>) {
    const one = await shared()
    await one.library.close()
    await one.store.saved()
    const next = await oneLibrary(one.folder)
    const answers: ((answer: Answer<void>) => void)[] = []
    const change = vi.fn<() => Promise<Answer<void>>>(() => new Promise((tell) => answers.push(tell)))
    Object.assign(next.link, { change })
    const uploading = next.library.upload(one.path, 'g')
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    const load = vi.spyOn(next.manifests, 'load')
    const resuming = next.library.resume()
    await vi.waitFor(() => expect(load).toHaveBeenCalled())
    await new Promise((turn) => setImmediate(turn))
    change.mockResolvedValue(accept(undefined))
    answers[0]?.(answer)
    const uploaded = await uploading
    await resuming
    return { ...next, uploaded }
  }

  test('is shared by the upload', async () => {
    const { uploaded, announced, notices } = await both(accept(undefined))
    expectShared(uploaded)
    expect([announced.length, notices]).toEqual([1, []])
  })

  test('is shared as before where the upload is refused', async () => {
    const next = await both(refuse('busy', 'the tracker has too much to do'))
    expect(next.uploaded).toMatchObject({ refusal: { code: 'busy' } })
    await vi.waitFor(() => expect(next.announced).toHaveLength(1))
    expect(await readsWhole(next)).toBe(true)
  })
})

// A version that was withdrawn by its last sharer while this client was logged out, or only registering its
// own copy, took that copy with it.
test('news of a version count only for a share that the trackers have accepted', async () => {
  const one = await shared()
  const version = { group: 'g', name: 'f.bin', fileId }
  one.library.onFileGone({ ...version, fileId: 'ab'.repeat(32) })
  expect(one.store.shares()).toHaveLength(1)
  one.library.onFileGone(version)
  expect(one.notices).toEqual(['f.bin in g was replaced or withdrawn; you no longer share it'])
  await one.store.saved()
  expect(one.store.shares()).toEqual([])
  // Adopted, and its registration not answered yet.
  const adopted = one.library.adopt(
    { ...version, sizeBytes: bytes.length, path: one.path },
    manifestOf(bytes),
    Promise.resolve(),
  )
  one.library.onFileGone(version)
  await adopted
  expect(one.store.shares()).toHaveLength(1)
})

test('a share that is stopped while a finished download is being taken over is not served', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'f.bin')
  writeFileSync(path, bytes)
  const { library, store, sources, announced } = await oneLibrary(folder)
  const file = { group: 'g', name: 'f.bin', fileId, sizeBytes: bytes.length, path }
  const adopted = library.adopt(file, manifestOf(bytes), Promise.resolve())
  const stopped = library.stop('g', 'f.bin')
  await adopted
  expect(await stopped).toEqual({ ok: true, value: { isTold: true } })
  expect([store.shares(), sources.find('g', fileId), announced]).toEqual([[], undefined, []])
})

describe('a file that was served until a new version came', () => {
  async function replaced() {
    const hashes = new HashPool()
    const folder = temporaryFolder()
    const one = await oneLibrary(folder, hashes)
    const path = join(folder, 'f.bin')
    writeFileSync(path, bytes)
    expectShared(await one.library.upload(path, 'g'))
    one.library.onFileGone({ group: 'g', name: 'f.bin', fileId })
    const hashFile = vi.spyOn(hashes, 'hashFile')
    const file = { group: 'g', name: 'f.bin', path }
    return { ...one, path, hashFile, look: () => one.library.contentAt(file) }
  }

  test('is known by its stamp when the download of that asks what is there', async () => {
    const { look, hashFile } = await replaced()
    expect(await look()).toMatchObject({ ok: true, value: { manifest: { fileId } } })
    expect(hashFile).not.toHaveBeenCalled()
  })

  test('is hashed when somebody wrote to it since', async () => {
    const { path, look, hashFile } = await replaced()
    const other = sampleBytes(bytes.length, 7)
    writeFileSync(path, other)
    expect(await look()).toMatchObject({ value: { manifest: { fileId: manifestOf(other).fileId } } })
    expect(hashFile).toHaveBeenCalledOnce()
  })

  test('is hashed when it is uploaded', async () => {
    const { library, path, hashFile } = await replaced()
    expectShared(await library.upload(path, 'g'))
    expect(hashFile).toHaveBeenCalledOnce()
  })
})
