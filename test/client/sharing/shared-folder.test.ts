// A folder that is shared: what is served of it, what of it is withheld once files change, and what a restart takes up.

import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { verifyPiece } from '../../../src/client/hashing/piece-hash.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import type { RememberedShare } from '../../../src/client/storage/user-store.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { lengthOfPiece } from '../../../src/common/manifest.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { encodeTree, parseTree } from '../../../src/common/tree/tree.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary, type OneLibrary } from './one-library.ts'

const small = ['a.txt', 'b.txt', 'sub/c.txt']

/** Three small files in one piece, one of two pieces, one without bytes, and an empty folder. */
function madeFolder(): string {
  const root = join(temporaryFolder(), 'photos')
  mkdirSync(join(root, 'sub', 'empty'), { recursive: true })
  for (const path of small) writeFileSync(join(root, path), path.repeat(100))
  writeFileSync(join(root, 'large.bin'), Buffer.alloc(pieceBytes + 5, 'large'))
  writeFileSync(join(root, 'nothing'), '')
  return root
}
/** The pieces are: the tree, the small files, and those of the large one. */
const pieces = { tree: 0, small: 1, large: [2, 3] }

async function shared(one: OneLibrary, root: string): Promise<{ fileId: string; source: () => PieceSource }> {
  const answer = await one.library.upload(root, 'g')
  expect(answer).toMatchObject({ ok: true, value: { name: 'photos', files: 5, pieceCount: 4 } })
  const fileId = one.library.shareOf('g', 'photos')?.fileId ?? ''
  return { fileId, source: () => sourceOf(one, fileId) }
}

function sourceOf(one: OneLibrary, fileId: string): PieceSource {
  const source = one.sources.find('g', fileId)
  if (source === undefined) throw new Error('it is not served')
  return source
}

/** Of each piece, whether it is served and what it should be. */
async function servedPieces(source: PieceSource): Promise<boolean[]> {
  const served: boolean[] = []
  for (let index = 0; index < source.manifest.pieceCount; index++) {
    const buffer = Buffer.alloc(pieceBytes)
    const answer = await source.read(index, buffer)
    const piece = buffer.subarray(0, lengthOfPiece(source.manifest, index))
    // Whatever is served has to be right.
    if (answer.ok) expect(verifyPiece(source.manifest, index, piece)).toBe(true)
    served.push(answer.ok)
  }
  return served
}

async function restarted(folder: string): Promise<OneLibrary> {
  const one = await oneLibrary(folder)
  await one.library.resume()
  return one
}

test('every piece is served, its tree first, and the trackers are told how many files it has', async () => {
  const one = await oneLibrary()
  const root = madeFolder()
  const change = vi.spyOn(one.link, 'change')
  const { source, fileId } = await shared(one, root)
  expect(change.mock.calls).toEqual([
    ['share_file', { group: 'g', name: 'photos', fileId, sizeBytes: source().manifest.sizeBytes, files: 5 }],
  ])
  expect(await servedPieces(source())).toEqual([true, true, true, true])
  const buffer = Buffer.alloc(pieceBytes)
  await source().read(pieces.tree, buffer)
  const entries = parseTree(buffer.subarray(0, lengthOfPiece(source().manifest, 0)))
  expect(entries).toMatchObject(
    ['a.txt', 'b.txt', 'large.bin', 'nothing', 'sub/c.txt', 'sub/empty'].map((path) => ({ path })),
  )
  expect(one.notices).toEqual([])
})

test('an empty folder can be shared', async () => {
  const one = await oneLibrary()
  const root = join(temporaryFolder(), 'empty')
  mkdirSync(root)
  expect(await one.library.upload(root, 'g')).toMatchObject({ ok: true, value: { files: 0, sizeBytes: 0 } })
  const again = sourceOf(one, one.library.shareOf('g', 'empty')?.fileId ?? '')
  expect(await servedPieces(again)).toEqual([true])
})

test('a file that changes withholds the pieces it touches, is told once, and is named as evidence', async () => {
  const one = await oneLibrary()
  const root = madeFolder()
  const { source } = await shared(one, root)
  const announce = vi.spyOn(one.link, 'announce')
  writeFileSync(join(root, 'b.txt'), 'x'.repeat(500))
  appendFileSync(join(root, 'large.bin'), 'more')
  expect(await servedPieces(source())).toEqual([true, false, true, true])
  expect(source().have.count).toBe(3)
  expect(one.notices).toEqual([
    `${join(root, 'b.txt')} changed on disk; others get only its unchanged parts; to share the new version, upload ${root} again`,
  ])
  expect(await one.library.evidence({ group: 'g', name: 'photos' })).toMatchObject({
    file: 'changed',
    changed: ['b.txt', 'large.bin'],
    changedCount: 2,
  })
  // It does not have all any more.
  expect(announce.mock.calls).toEqual([[expect.objectContaining({ name: 'photos' }), false]])
})

test('a file that was only touched, or is replaced by the same bytes, is served on', async () => {
  const one = await oneLibrary()
  const root = madeFolder()
  const { source } = await shared(one, root)
  utimesSync(join(root, 'a.txt'), 0, 0)
  writeFileSync(join(root, 'new'), 'b.txt'.repeat(100))
  renameSync(join(root, 'new'), join(root, 'b.txt'))
  expect(await servedPieces(source())).toEqual([true, true, true, true])
})

test('a file that is removed, or has a link in its place, is withheld', async () => {
  const one = await oneLibrary()
  const root = madeFolder()
  const { source } = await shared(one, root)
  // The same bytes: it is the link that matters.
  renameSync(join(root, 'sub'), `${root}-sub`)
  symlinkSync(`${root}-sub`, join(root, 'sub'))
  rmSync(`${root}-sub/c.txt`)
  writeFileSync(`${root}-sub/c.txt`, 'sub/c.txt'.repeat(100))
  rmSync(join(root, 'large.bin'))
  expect(await servedPieces(source())).toEqual([true, false, false, false])
})

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['written to', (path: string) => writeFileSync(path, 'something')],
])('looking at each file in turn finds one that was %s', async (_how, change) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const one = await oneLibrary()
  const root = madeFolder()
  await shared(one, root)
  change(join(root, 'nothing'))
  await vi.waitFor(() => {
    vi.advanceTimersByTime(1000)
    expect(one.notices).toEqual([expect.stringContaining(`${join(root, 'nothing')} changed`)])
  })
  vi.useRealTimers()
})

test('a folder that is moved away is waited for, and served when it is back', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const one = await oneLibrary()
  const root = madeFolder()
  const { source, fileId } = await shared(one, root)
  renameSync(root, `${root}-away`)
  expect(await source().read(pieces.small, Buffer.alloc(pieceBytes))).toMatchObject({ ok: false })
  expect(one.sources.find('g', fileId)).toBeUndefined()
  expect(one.notices).toEqual([expect.stringContaining(`${root} cannot be read`)])
  renameSync(`${root}-away`, root)
  await vi.waitFor(() => {
    vi.advanceTimersByTime(1000)
    expect(one.notices.at(-1)).toBe(`${root} can be read again, and is shared`)
  })
  vi.useRealTimers()
  expect(await servedPieces(source())).toEqual([true, true, true, true])
})

test('one in which nothing has changed is served after a restart without being read', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  const hashing = vi.spyOn(HashPool.prototype, 'hashSegments')
  const again = await restarted(data)
  expect(await servedPieces(sourceOf(again, fileId))).toEqual([true, true, true, true])
  expect(hashing).not.toHaveBeenCalled()
  expect(again.notices).toEqual([])
})

test('after a restart only the pieces of files that differ are hashed, and what is the same is whole again', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  chmodSync(join(root, 'large.bin'), 0o600)
  const hashing = vi.spyOn(HashPool.prototype, 'hashSegments')
  const again = await restarted(data)
  expect(hashing.mock.calls.map(([{ count }]) => count)).toEqual([2])
  expect(sourceOf(again, fileId).have.isFull).toBe(true)
  expect(again.notices).toEqual([])
  await again.store.saved()
  // Its new stamp is remembered.
  const third = await restarted(data)
  expect(hashing).toHaveBeenCalledTimes(1)
  expect(await servedPieces(sourceOf(third, fileId))).toEqual([true, true, true, true])
})

test('after a restart a file that changed meanwhile is named each time, and the rest is served', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  writeFileSync(join(root, 'a.txt'), 'b'.repeat(500))
  rmSync(join(root, 'nothing'))
  for (const _ of [1, 2]) {
    const again = await restarted(data)
    await vi.waitFor(() =>
      expect(again.notices).toEqual([expect.stringContaining(`${join(root, 'a.txt')} changed`)]),
    )
    expect(await servedPieces(sourceOf(again, fileId))).toEqual([true, false, true, true])
    await again.store.saved()
  }
})

test('of the next version only the pieces that differ are hashed, and none for another group', async () => {
  const one = await oneLibrary()
  const root = madeFolder()
  await shared(one, root)
  const hashing = vi.spyOn(HashPool.prototype, 'hashSegments')
  expect(await one.library.upload(root, 'other')).toMatchObject({
    ok: true,
    value: { files: 5, pieceCount: 4 },
  })
  // Of the same size, so that nothing but the stamp tells.
  writeFileSync(join(root, 'b.txt'), 'x'.repeat(500))
  writeFileSync(join(root, 'empty as well'), '')
  expect(await one.library.upload(root, 'g')).toMatchObject({ ok: true, value: { files: 6, pieceCount: 4 } })
  expect(hashing.mock.calls.map(([{ count }]) => count)).toEqual([0, 1])
  const next = sourceOf(one, one.library.shareOf('g', 'photos')?.fileId ?? '')
  expect(await servedPieces(next)).toEqual([true, true, true, true])
  expect(next.have.isFull).toBe(true)
  // The same as one that is hashed as a whole.
  const other = await oneLibrary()
  await other.library.upload(root, 'g')
  expect(other.library.shareOf('g', 'photos')?.fileId).toBe(next.manifest.fileId)
})

test('one of which nothing is left is not served after a restart', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  rmSync(root, { recursive: true })
  mkdirSync(root)
  const again = await restarted(data)
  expect(again.sources.find('g', fileId)).toBeUndefined()
  expect(again.notices).toEqual([`photos is not shared in g at the moment: ${root} changed; upload it again`])
})

test.each(['.tree', '.stamps', ''])('without what was kept (%s) it is hashed anew', async (ending) => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  rmSync(join(data, 'manifests', `${fileId}${ending}`))
  const again = await restarted(data)
  expect(await servedPieces(sourceOf(again, fileId))).toEqual([true, true, true, true])
  expect(existsSync(join(data, 'manifests', `${fileId}${ending}`))).toBe(true)
})

test('a damaged list of its files counts as missing', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const { fileId } = await shared(await oneLibrary(data), root)
  const kept = new ManifestStore(data)
  const entries = parseTree(kept.loadTree(fileId) ?? Buffer.alloc(0))
  if ('problem' in entries) throw new Error(entries.problem)
  // As long, and a list of other files.
  const other = entries.map((entry) => (entry.path === 'a.txt' ? { ...entry, path: 'A.txt' } : entry))
  await kept.saveTree(fileId, encodeTree(other))
  const again = await restarted(data)
  expect(await servedPieces(sourceOf(again, fileId))).toEqual([true, true, true, true])
})

test('one that may not have reached the disk is hashed as a whole before it is shared', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const one = await oneLibrary(data)
  const { fileId } = await shared(one, root)
  const { stamp: _stamp, ...unflushed } = one.library.shareOf('g', 'photos') ?? { group: '' }
  await one.store.rememberShare(unflushed as RememberedShare)
  const hashing = vi.spyOn(HashPool.prototype, 'hashSegments')
  const again = await restarted(data)
  expect(hashing.mock.calls.map(([{ count }]) => count)).toEqual([3])
  expect(await servedPieces(sourceOf(again, fileId))).toEqual([true, true, true, true])
})

test('a finished download of a folder is shared from where it is', async () => {
  const [one, other] = [await oneLibrary(), await oneLibrary()]
  const root = madeFolder()
  const { fileId, source } = await shared(one, root)
  const { manifest } = source()
  await other.manifests.save(manifest)
  await other.manifests.saveTree(fileId, one.manifests.loadTree(fileId) ?? Buffer.alloc(0))
  const { sizeBytes } = manifest
  const file = { group: 'g', name: 'photos', fileId, sizeBytes, files: 5, path: root }
  await other.library.adopt(file, manifest, Promise.resolve())
  expect(await servedPieces(sourceOf(other, fileId))).toEqual([true, true, true, true])
  await vi.waitFor(() => expect(other.library.shareOf('g', 'photos')?.stamp).toMatch(/^folder:/))
})

test('neither what is being downloaded into it nor the data of the client is shared by mistake', async () => {
  const root = madeFolder()
  const one = await oneLibrary(join(root, 'sub', 'empty'))
  expect(await one.library.upload(root, 'g')).toMatchObject({
    refusal: { sentence: expect.stringContaining('sub/empty is the data folder of this client') },
  })
  const other = await oneLibrary()
  rmSync(join(root, 'sub', 'empty'), { recursive: true })
  mkdirSync(join(root, 'sub', 'empty'))
  writeFileSync(join(root, 'x.part'), '')
  const { dev, ino } = statSync(join(root, 'x.part'))
  await other.store.rememberDownload({
    ...{ group: 'g', name: 'x', fileId: '00'.repeat(32), sizeBytes: 1, destination: join(root, 'x') },
    ...{ overwrite: false, paused: true, unshared: false, part: `${dev}:${ino}:1.5` },
  })
  expect(await other.library.upload(root, 'g')).toMatchObject({
    refusal: { sentence: expect.stringContaining('x.part is being downloaded') },
  })
  expect(await other.library.upload(root, 'g', { skipSpecial: true })).toMatchObject({
    value: { files: 5, skipped: { paths: ['x.part'], count: 1 } },
  })
})

test('trackers that know no folders are named as the reason', async () => {
  const one = await oneLibrary()
  for (const code of ['invalid-params', 'invalid-request'] as const) {
    vi.spyOn(one.link, 'change').mockResolvedValue(refuse(code, 'what is that'))
    expect(await one.library.upload(madeFolder(), 'g')).toEqual(
      refuse(
        'protocol-version',
        'the trackers are too old for folders; whoever runs them has to update all of them',
      ),
    )
  }
  expect(one.library.shareOf('g', 'photos')).toBeUndefined()
})

test('stopping a folder ends its hashing, and nothing of it stays', async () => {
  const data = temporaryFolder()
  const one = await oneLibrary(data)
  const root = madeFolder()
  let onTurn = (): void => undefined
  const turn = new Promise<void>((resolve) => (onTurn = resolve))
  void one.hashing(() => turn)
  const uploading = one.library.upload(root, 'g')
  await vi.waitFor(() => expect(one.library.hashing()).toHaveLength(1))
  await one.library.stop('g', 'photos')
  expect(await uploading).toMatchObject({ ok: false, refusal: { code: 'cancelled' } })
  onTurn()
  await shared(one, root)
  await one.library.stop('g', 'photos')
  expect(readdirSync(join(data, 'manifests'))).toEqual([])
})
