// The thread that writes a folder out, as the build has it, started before and after its pieces are there.

import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { UnpackThread } from '../../../src/client/workers/unpack-thread.ts'
import type { UnpackSource } from '../../../src/client/workers/unpack.ts'
import { layOut } from '../../../src/common/tree/layout.ts'
import type { FolderFacts } from '../../../src/common/manifest.ts'
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
const layout = layOut(files, tree.length)
const offsets = [0]
for (const length of layout?.lengths ?? []) offsets.push((offsets.at(-1) ?? 0) + length)
const facts: FolderFacts = {
  files: files.length,
  treeBytes: tree.length,
  offsets: Float64Array.from(offsets),
}

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
    const { treePieces, lengths, segmentsOf } = layout ?? { treePieces: 0, lengths: [] }
    let at = tree.length
    for (let piece = treePieces; piece < lengths.length; piece++)
      for (const { entry, length } of segmentsOf?.(piece) ?? [])
        at += writeSync(source, Buffer.alloc(length, `${files[entry]?.path},`), 0, length, at)
  }
  return { source: { source, folder: facts }, target, arrive }
}

function startedThread(source: UnpackSource, script = built): UnpackThread {
  const thread = new UnpackThread(source, (workerData) => new Worker(script, { workerData }))
  onTestFinished(() => thread.close())
  return thread
}

/** Resolves when it has filled the folder, for which all is there. */
async function filled(thread: UnpackThread, target: string): Promise<void> {
  thread.begin({ target })
  thread.onAll()
  await thread.outcome()
}

function expectFilled(target: string): void {
  for (const { path, sizeBytes } of files)
    expect(readFileSync(join(target, path)).equals(Buffer.alloc(sizeBytes, `${path},`))).toBe(true)
}

test('a folder is filled by a thread that is started when all is there', async () => {
  const { source, target, arrive } = madePart()
  arrive()
  await filled(startedThread(source), target)
  expectFilled(target)
})

test('a thread that is started before takes the tree that it is given, whatever becomes of the part file', async () => {
  const { source, target, arrive } = madePart()
  const thread = startedThread({ ...source, tree })
  writeSync(source.source, Buffer.alloc(tree.length, 'x'), 0, tree.length, 0)
  arrive()
  await thread.treeGood()
  await filled(thread, target)
  expectFilled(target)
})

test('what fails on the way is told before all is there', async () => {
  const { source, target } = madePart()
  const thread = startedThread(source)
  thread.begin({ target })
  // It is not there.
  thread.onPieces([1])
  await expect(thread.outcome()).rejects.toMatchObject({ message: 'the part file became shorter' })
})

test('a tree of other files than the pieces have is told at once, without a folder to fill', async () => {
  const { source } = madePart()
  const thread = startedThread({ ...source, folder: { ...facts, files: 299 }, tree })
  await expect(thread.treeGood()).rejects.toMatchObject({
    code: 'protocol',
    message: 'it cannot be fetched: the list of its files is not that of its pieces',
  })
})

test('a tree that is none, a part file that is cut off and a thread that breaks are failures', async () => {
  const { source, target } = madePart()
  const garbage = startedThread({ ...source, tree: Buffer.from('no tree') })
  await expect(filled(garbage, target)).rejects.toMatchObject({ code: 'protocol' })
  await expect(filled(startedThread(source), target)).rejects.toMatchObject({
    code: 'file',
    message: 'the part file became shorter',
  })
  const missing = startedThread(source, join(target, 'nothing.js'))
  await expect(filled(missing, target)).rejects.toMatchObject({ code: 'file' })
})

test('a thread that is not needed is ended, and fills nothing', async () => {
  const { source, target } = madePart()
  await startedThread(source).close()
  expect(readdirSync(target)).toEqual([])
})
