// A folder is filled beside its destination while its pieces come, by a thread of the build; and as a whole at the end,
// where that was not possible.

import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Filling, type FillingParts } from '../../../src/client/downloading/filling.ts'
import { idOf, PartFile } from '../../../src/client/downloading/part-file.ts'
import { publishFolder } from '../../../src/client/downloading/unpacking.ts'
import type { UnpackSource } from '../../../src/client/workers/unpack.ts'
import { UnpackThread } from '../../../src/client/workers/unpack-thread.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { lengthOfPiece, offsetOfPiece, type FolderFacts } from '../../../src/common/manifest.ts'
import { pieceCount } from '../../../src/common/pieces.ts'
import { folderSample, foundIn, textsOf, type Contents } from '../swarm/folder-sample.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const built = fileURLToPath(new URL('../../../dist/client/unpack-worker.js', import.meta.url))

/** 40 pieces: enough for a thread to be told of some before all are there. */
const contents: Contents = Object.fromEntries(
  Array.from({ length: 40 }, (_, file) => [
    `folder ${file % 3}/file ${String(file).padStart(2, '0')}`,
    Buffer.alloc(400_000 + file, `file ${file}`),
  ]),
)
const { content, manifest } = folderSample(contents)
const facts: FolderFacts = manifest.folder ?? { treeBytes: 0, files: 0, offsets: new Float64Array() }
const treePieces = pieceCount(facts.treeBytes)

/** A folder of which pieces come. */
class Coming {
  readonly folder = temporaryFolder()
  readonly destination = join(this.folder, 'photos')
  readonly target = `${this.destination}.unpacking.part`
  readonly have = new Bitfield(manifest.pieceCount)
  readonly filling: Filling
  /** The folders that it has made. */
  readonly made: string[] = []
  /** How many threads were started with the tree, and without. */
  readonly started = { withTree: 0, without: 0 }
  freeBytes = Infinity
  readonly #part: number

  constructor(parts: Partial<FillingParts> = {}, script = built) {
    this.#part = openSync(join(this.folder, 'part'), 'w+')
    const onMade = async (id: string): Promise<void> => void this.made.push(id)
    const { destination } = this
    const all = {
      folder: facts,
      part: this.#part,
      destination,
      known: undefined,
      replaces: undefined,
      onMade,
    }
    const start = (source: UnpackSource): UnpackThread => {
      this.started[source.tree === undefined ? 'without' : 'withTree']++
      return new UnpackThread(source, (workerData) => new Worker(script, { workerData }))
    }
    const freeBytes = async (): Promise<number> => this.freeBytes
    this.filling = new Filling({ ...all, ...parts }, { start, freeBytes })
    onTestFinished(async () => {
      await this.filling.close(false)
      closeSync(this.#part)
    })
    for (let piece = 0; piece < treePieces; piece++) this.comes(piece)
  }

  /** Resolves to whether a thread has checked it. */
  knowTree(): Promise<boolean> {
    return this.filling.onTree(content.subarray(0, facts.treeBytes), this.have)
  }

  comes(piece: number): void {
    const at = offsetOfPiece(manifest, piece)
    writeSync(this.#part, content, at, lengthOfPiece(manifest, piece), at)
    this.have.set(piece)
    this.filling.onHave(piece)
  }

  /** Files that are there. */
  get fileCount(): number {
    return existsSync(this.target) ? Object.values(foundIn(this.target)).filter(Boolean).length : 0
  }

  comeAll(): void {
    for (let piece = 0; piece < manifest.pieceCount; piece++) if (!this.have.has(piece)) this.comes(piece)
  }
}

/** Some pieces are there, and their files are written. */
async function beginAhead(coming: Coming): Promise<void> {
  expect(await coming.knowTree()).toBe(true)
  for (let piece = manifest.pieceCount - 10; piece < manifest.pieceCount; piece++) coming.comes(piece)
  await vi.waitFor(() => expect(coming.fileCount).toBeGreaterThan(5), { timeout: 20_000, interval: 10 })
}

function expectFilled({ target, made }: Coming): void {
  expect(textsOf(foundIn(target))).toEqual(textsOf(contents))
  expect(idOf(lstatSync(target)).startsWith(made.at(-1) ?? '-')).toBe(true)
}

test('files are written while pieces come, and the rest when all are there', async () => {
  const coming = new Coming()
  await beginAhead(coming)
  expect(coming.fileCount).toBeLessThan(40)
  coming.comeAll()
  await coming.filling.finish()
  expectFilled(coming)
  expect([coming.made.length, coming.started]).toEqual([1, { withTree: 1, without: 0 }])
})

test('all that is there already when the tree is checked is written, also where nothing comes after it', async () => {
  const coming = new Coming()
  coming.comeAll()
  expect(coming.started).toEqual({ withTree: 0, without: 0 })
  await coming.knowTree()
  await coming.filling.finish()
  expectFilled(coming)
  expect(coming.started).toEqual({ withTree: 1, without: 0 })
})

test('where much is missing nothing is begun until little is', async () => {
  const offsets = Float64Array.from({ length: 5001 }, (_, piece) => 500_000 * piece)
  const coming = new Coming({ folder: { ...facts, offsets } })
  const have = new Bitfield(5000)
  void coming.filling.onTree(content.subarray(0, facts.treeBytes), have)
  for (let piece = 0; piece < 903; piece++) have.set(piece)
  coming.filling.onHave(902)
  expect(coming.started).toEqual({ withTree: 0, without: 0 })
  have.set(903)
  coming.filling.onHave(903)
  // The tree is not kept for so long.
  expect(coming.started).toEqual({ withTree: 0, without: 1 })
})

test('a tree that is not that of the pieces is refused by the thread, and a thread that breaks says nothing of it', async () => {
  const lied = new Coming({ folder: { ...facts, files: 1 } })
  await expect(lied.knowTree()).rejects.toMatchObject({ code: 'protocol' })
  const broken = new Coming({}, join(lied.folder, 'nothing.js'))
  expect(await broken.knowTree()).toBe(false)
})

test('what goes wrong meanwhile is taken away, and the folder is filled at the end', async () => {
  const coming = new Coming()
  await beginAhead(coming)
  const [inTheWay] = Object.keys(contents).filter((path) => !existsSync(join(coming.target, path)))
  const path = join(coming.target, inTheWay ?? '')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'somebody else')
  coming.comeAll()
  await vi.waitFor(() => expect(existsSync(coming.target)).toBe(false), { timeout: 20_000, interval: 10 })
  await coming.filling.finish()
  expectFilled(coming)
  expect([coming.made.length, coming.started]).toEqual([2, { withTree: 1, without: 1 }])
})

test('a folder that somebody removes or replaces meanwhile is filled again at the end', async () => {
  const coming = new Coming()
  await beginAhead(coming)
  rmSync(coming.target, { recursive: true })
  coming.comeAll()
  await coming.filling.finish()
  expectFilled(coming)
})

test('where the disk has no room for both, nothing is written before all is there', async () => {
  const coming = new Coming()
  coming.freeBytes = content.length
  await coming.knowTree()
  coming.comeAll()
  expect(coming.made).toEqual([])
  await coming.filling.finish()
  expectFilled(coming)
  expect(coming.made).toHaveLength(1)
})

test('what is discarded is gone, and the next piece begins it anew', async () => {
  const coming = new Coming()
  await beginAhead(coming)
  await coming.filling.discard()
  expect(existsSync(coming.target)).toBe(false)
  coming.comeAll()
  await coming.filling.finish()
  expectFilled(coming)
  expect(coming.made).toHaveLength(2)
})

test('a download that stops leaves it for the next run, which removes it; after trouble it is removed at once', async () => {
  const coming = new Coming()
  await beginAhead(coming)
  await coming.filling.close(false)
  expect(coming.fileCount).toBeGreaterThan(5)
  coming.comeAll()
  expect(coming.started).toEqual({ withTree: 1, without: 0 })
  const { destination, made } = coming
  const stopped = readdirSync(coming.folder)
  const next = new Coming({ destination, known: made.at(-1) })
  await next.knowTree()
  next.comeAll()
  await next.filling.finish()
  expect(textsOf(foundIn(coming.target))).toEqual(textsOf(contents))
  expect(readdirSync(coming.folder)).toEqual(stopped)

  const troubled = new Coming()
  await beginAhead(troubled)
  await troubled.filling.close(true)
  expect(existsSync(troubled.target)).toBe(false)
})

// The next run would take what is half filled for a complete folder.
test('nothing is filled while an old folder is aside that is to be replaced', async () => {
  const coming = new Coming({ replaces: { id: 'of the old one', tree: 'its tree' } })
  const aside = `${coming.destination}.replaced.part`
  mkdirSync(aside)
  await coming.knowTree()
  coming.comeAll()
  await expect(coming.filling.finish()).rejects.toMatchObject({
    message: `${aside} is in the way; move it away`,
  })
  expect(existsSync(coming.target)).toBe(false)
})

test('what somebody else has put where it would be filled stays, and is named at the end', async () => {
  const coming = new Coming()
  mkdirSync(coming.target)
  writeFileSync(join(coming.target, 'mine'), 'mine')
  await coming.knowTree()
  coming.comeAll()
  await expect(coming.filling.finish()).rejects.toMatchObject({
    message: `${coming.target} is in the way; move it away`,
  })
  expect(readFileSync(join(coming.target, 'mine'), 'utf8')).toBe('mine')
})

test('what was written out of a part file that somebody else wrote to gets no name, and is written anew', async () => {
  const destination = join(temporaryFolder(), 'photos')
  const part = new PartFile(destination)
  onTestFinished(() => part.close())
  await part.open()
  await part.prepare(content.length)
  await part.write(0, content)
  const nothing = async (): Promise<undefined> => undefined
  const parts = { folder: facts, part: part.descriptor, destination, known: undefined, replaces: undefined }
  const start = (source: UnpackSource): UnpackThread =>
    new UnpackThread(source, (workerData) => new Worker(built, { workerData }))
  const filling = new Filling({ ...parts, onMade: nothing }, { start })
  onTestFinished(() => filling.close(false))
  await filling.onTree(content.subarray(0, facts.treeBytes), Bitfield.full(manifest.pieceCount))
  await vi.waitFor(() => expect(existsSync(filling.target)).toBe(true), { timeout: 20_000, interval: 10 })
  writeFileSync(part.path, 'somebody else', { flag: 'r+' })
  const how = { destination, selection: undefined, overwrite: false, replaces: undefined }
  const unpacking = { ...how, part, filling, check: nothing, treeAt: nothing, onMade: nothing }
  expect(await publishFolder(unpacking)).toBeUndefined()
  expect([filling.target, destination].map((path) => existsSync(path))).toEqual([false, false])
  // It is verified, and what was changed is fetched again.
  await part.prepare(content.length)
  await part.write(0, content)
  const named = await publishFolder(unpacking)
  await named?.flushed
  expect(textsOf(foundIn(destination))).toEqual(textsOf(contents))
  expect(readdirSync(dirname(destination))).toEqual(['photos'])
})
