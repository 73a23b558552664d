// Looking through folders and reading from them, in the threads of the build and without them.

import { writeFileSync, mkdirSync, rmSync, appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { FolderPieces, folderTree } from '../../../src/client/folder/folder-pieces.ts'
import { packSegments, unpackSegments } from '../../../src/client/folder/packed-segments.ts'
import { pickStamps, type FolderStamps } from '../../../src/client/folder/folder-stamps.ts'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import type { FolderWork } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { builtFolderPool, builtPool, closedAfterTest } from './built-pool.ts'

const options = { skipSpecial: false, apart: [] }
const count = 600
const fileBytes = 20_000

/** More files than are looked at on the loop, in more pieces than are read there. */
function madeFolder(): string {
  const root = temporaryFolder()
  for (let file = 0; file < count; file++) {
    const folder = join(root, `${file % 7}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `f${file}`), Buffer.alloc(fileBytes, `${file},`))
  }
  return root
}

async function scanned(
  root: string,
  pool: FolderPool,
): Promise<{ pieces: FolderPieces; stamps: FolderStamps }> {
  const scan = await pool.scan(root, options)
  if (!scan.ok) throw new Error(scan.refusal.sentence)
  const { entries, tree, spellings, stamps } = scan.value
  const laidOut = await folderTree(entries, Buffer.from(tree), spellings)
  if (laidOut === undefined) throw new Error('it is small')
  return { pieces: new FolderPieces(root, laidOut), stamps }
}

function workOf(pieces: FolderPieces, stamps: FolderStamps): FolderWork {
  const { treePieces, lengths } = pieces.tree.layout
  const task: FolderWork['task'] = (from, to) => {
    const parts = Array.from({ length: to - from }, (_, at) => pieces.segmentsOf(treePieces + from + at))
    const entries = parts.flat().map(({ entry }) => entry)
    return { root: pieces.root, pieces: parts.map(packSegments), stamps: pickStamps(stamps, entries) }
  }
  return { root: pieces.root, count: lengths.length - treePieces, task }
}

test('a thread finds the same as the loop would, and reads and hashes the same pieces', async () => {
  const root = madeFolder()
  const pool = await builtFolderPool()
  const { pieces, stamps } = await scanned(root, pool)
  expect(pieces.tree.entries).toHaveLength(count)
  expect(await pool.stampsOf(pieces)).toEqual(stamps)
  const work = workOf(pieces, stamps)
  expect(work.count).toBeGreaterThan(16)
  // Its threads hash by the compiled function as those of a client do, where there is one.
  vi.stubEnv('COTERIE_COMPILED', fileURLToPath(new URL('../../../dist/client', import.meta.url)))
  onTestFinished(() => void vi.unstubAllEnvs())
  const hashPool = await builtPool()
  // By threes, too, since some are hashed at once and others are left over.
  const [hashes, byThrees] = [
    await hashPool.hashSegments(work),
    await hashPool.hashSegments({ ...work, taskPieces: 3 }),
  ]
  const expected: Buffer[] = []
  for (let index = 0; index < work.count; index++) {
    const buffer = Buffer.alloc(pieceBytes)
    const piece = pieces.tree.layout.treePieces + index
    expect(await pool.read(pieces, piece, stamps, buffer)).toEqual([])
    const paths = pieces.segmentsOf(piece).map(({ path }) => path)
    const content = Buffer.concat(paths.map((path) => Buffer.alloc(fileBytes, `${path.slice(3)},`)))
    expect(buffer.subarray(0, content.length).equals(content)).toBe(true)
    expected.push(hashPiece(content))
  }
  expect(hashes).toEqual({ ok: true, value: { hashes: Buffer.concat(expected), touched: new Set() } })
  expect(byThrees).toEqual(hashes)
})

test('a file that changed or went is named, whoever reads it', async () => {
  const root = madeFolder()
  const pool = await builtFolderPool()
  const { pieces, stamps } = await scanned(root, pool)
  const [first, second] = [0, 1].map((at) => pieces.segmentsOf(pieces.tree.layout.treePieces)[at])
  appendFileSync(join(root, first?.path ?? ''), 'more')
  rmSync(join(root, second?.path ?? ''))
  const buffer = Buffer.alloc(pieceBytes)
  for (let reads = 0; reads < 20; reads++) {
    const faults = await pool.read(pieces, pieces.tree.layout.treePieces, stamps, buffer)
    expect(faults.toSorted((one, other) => one.entry - other.entry)).toEqual([
      { entry: first?.entry, state: 'changed' },
      { entry: second?.entry, state: 'lost' },
    ])
  }
  const hashes = await (await builtPool()).hashSegments(workOf(pieces, stamps))
  expect(hashes).toMatchObject({
    ok: false,
    refusal: {
      code: 'file-changed',
      sentence: `${join(root, second?.path ?? '')} changed while it was read; try again`,
    },
  })
})

test('looking through a folder ends as soon as it is told to, and the next one can be looked through', async () => {
  const root = madeFolder()
  const pool = await builtFolderPool()
  const abort = new AbortController()
  const scan = pool.scan(root, options, abort.signal)
  abort.abort(new Error('it is not wanted any more'))
  await expect(scan).rejects.toThrow('it is not wanted any more')
  expect(await pool.scan(root, options)).toMatchObject({ ok: true })
})

test('a thread that dies is a failure, and so is the end', async () => {
  const root = madeFolder()
  const dying = closedAfterTest(new FolderPool(() => new Worker('process.exit(3)', { eval: true })))
  await expect(dying.scan(root, options)).rejects.toMatchObject({ code: 'file' })
  const pool = await builtFolderPool()
  const scan = pool.scan(root, options)
  await Promise.all([pool.close(), expect(scan).rejects.toMatchObject({ code: 'file' })])
})

test('parts of files come out of a message as they went in, none too', () => {
  const segments = [
    { path: 'a', offset: 0, length: 3 },
    { path: 'sub/käse 1', offset: 2 ** 40, length: 0 },
  ]
  expect(unpackSegments(packSegments(segments))).toEqual(segments)
  expect(unpackSegments(packSegments([]))).toEqual([])
})
