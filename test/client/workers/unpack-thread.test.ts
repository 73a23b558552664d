// The thread that writes a folder out, as the build has it, started before and after its pieces are there.

import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { UnpackAhead } from '../../../src/client/downloading/unpack-ahead.ts'
import { UnpackThread } from '../../../src/client/workers/unpack-thread.ts'
import type { UnpackSource } from '../../../src/client/workers/unpack.ts'
import { layOut } from '../../../src/common/tree/layout.ts'
import { encodeTree, type TreeFile } from '../../../src/common/tree/tree.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const built = fileURLToPath(new URL('../../../dist/client/unpack-worker.js', import.meta.url))
const files = Array.from({ length: 300 }, (_, file): TreeFile => ({
  path: `${file % 7}/${file}`.padStart(12, '0'),
  kind: 'file',
  sizeBytes: 5000 + file,
  mtimeSeconds: 1_600_000_000,
})).sort((one, other) => (one.path < other.path ? -1 : 1))
const tree = encodeTree(files)

interface Part {
  readonly source: UnpackSource
  readonly target: string
  /** Writes the pieces of the files behind the tree. */
  readonly arrive: () => void
}

function madePart(): Part {
  const folder = temporaryFolder()
  const target = join(folder, 'filled')
  mkdirSync(target)
  writeFileSync(join(folder, 'part'), tree)
  const source = openSync(join(folder, 'part'), 'r+')
  onTestFinished(() => closeSync(source))
  const arrive = (): void => {
    const { treePieces, lengths, segmentsOf } = layOut(files, tree.length) ?? { treePieces: 0, lengths: [] }
    let at = tree.length
    for (let piece = treePieces; piece < lengths.length; piece++)
      for (const { entry, length } of segmentsOf?.(piece) ?? [])
        at += writeSync(source, Buffer.alloc(length, `${files[entry]?.path},`), 0, length, at)
  }
  return { source: { source, treeBytes: tree.length }, target, arrive }
}

function startedThread(source: UnpackSource, script = built): UnpackThread {
  const thread = new UnpackThread(source, (workerData) => new Worker(script, { workerData }))
  onTestFinished(() => thread.close())
  return thread
}

function expectFilled(target: string): void {
  for (const { path, sizeBytes } of files)
    expect(readFileSync(join(target, path)).equals(Buffer.alloc(sizeBytes, `${path},`))).toBe(true)
}

test('a folder is filled by a thread that is started when all is there', async () => {
  const { source, target, arrive } = madePart()
  arrive()
  await startedThread(source).unpack({ target })
  expectFilled(target)
})

test('a thread that is started before takes the tree that it is given, whatever becomes of the part file', async () => {
  const { source, target, arrive } = madePart()
  const thread = startedThread({ ...source, tree })
  writeSync(source.source, Buffer.alloc(tree.length, 'x'), 0, tree.length, 0)
  arrive()
  await thread.unpack({ target })
  expectFilled(target)
})

test('a tree that is none, a part file that is cut off and a thread that breaks are failures', async () => {
  const { source, target } = madePart()
  const garbage = startedThread({ ...source, tree: Buffer.from('no tree') })
  await expect(garbage.unpack({ target })).rejects.toMatchObject({ code: 'protocol' })
  await expect(startedThread(source).unpack({ target })).rejects.toMatchObject({
    code: 'file',
    message: 'the part file became shorter',
  })
  const missing = startedThread(source, join(target, 'nothing.js'))
  await expect(missing.unpack({ target })).rejects.toMatchObject({ code: 'file' })
})

test('a thread that is not needed is ended, and fills nothing', async () => {
  const { source, target } = madePart()
  await startedThread(source).close()
  expect(readdirSync(target)).toEqual([])
})

/** One that counts the threads that it starts. */
function countedAhead(bytes: number): { ahead: UnpackAhead; trees: (Uint8Array | undefined)[] } {
  const { source } = madePart()
  const trees: (Uint8Array | undefined)[] = []
  const folder = { treeBytes: source.treeBytes, files: 1, offsets: Float64Array.of(0, bytes) }
  const ahead = new UnpackAhead(folder, source.source, (started) => {
    trees.push(started.tree)
    return startedThread(started)
  })
  return { ahead, trees }
}

test('the thread for a large folder is started once its tree is there and little is missing, and taken once', async () => {
  const { ahead, trees } = countedAhead(100_000_000)
  ahead.onTree(tree, 1_000_000)
  expect(trees).toEqual([])
  ahead.onTree(tree, 200)
  ahead.onTree(tree, 100)
  expect(trees).toEqual([tree])
  const first = ahead.take()
  expect(trees).toEqual([tree])
  expect(ahead.take()).not.toBe(first)
  // That one reads the tree itself.
  expect(trees).toEqual([tree, undefined])
  await ahead.close()
})

test('a download that ends before ends its thread', async () => {
  const { ahead, trees } = countedAhead(100_000_000)
  ahead.onTree(tree, 200)
  await ahead.close()
  ahead.take()
  expect(trees).toEqual([tree, undefined])
})
