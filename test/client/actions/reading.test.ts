// Reading the bytes of entries, piece by piece.

import { expect, test, vi } from 'vitest'
import type { Core } from '../../../src/client/actions/core.ts'
import { readingOf } from '../../../src/client/actions/reading.ts'
import type { ReadableContent } from '../../../src/client/readable-content.ts'
import { Wishes } from '../../../src/client/downloading/wishes.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { SourceRegistry, type Offer } from '../../../src/client/sharing/source-registry.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { lengthOfPiece, offsetOfPiece, type Manifest } from '../../../src/common/manifest.ts'
import { accept } from '../../../src/common/refusal.ts'
import { manifestOf, sampleBytes } from '../sharing/sample-file.ts'
import { folderSample } from '../swarm/folder-sample.ts'

interface Place {
  /** Opens the entry `e` of the group `g`; `leave` ends the reading. */
  open(path?: string, leave?: AbortSignal): Promise<ReadableContent | string>
  /** A piece has come. */
  arrives(index: number): void
  readonly offer: Offer
  readonly reads: number[]
  readonly wishes: Wishes
  state: 'running' | 'paused' | undefined
}

/** An entry with these bytes, of which these pieces are here, in memory; it is a download while it has a state. */
function place(content: Buffer, manifest: Manifest, here?: readonly number[]): Place {
  const sources = new SourceRegistry()
  const have = here === undefined ? Bitfield.full(manifest.pieceCount) : new Bitfield(manifest.pieceCount)
  for (const index of here ?? []) have.set(index)
  const reads: number[] = []
  const source: PieceSource = {
    manifest,
    have,
    read: async (index, buffer) => {
      reads.push(index)
      const from = offsetOfPiece(manifest, index)
      content.copy(buffer, 0, from, from + lengthOfPiece(manifest, index))
      return accept(undefined)
    },
  }
  const { fileId } = manifest
  const offer = sources.offer({ group: 'g', name: 'e', fileId }, source)
  const download = { record: { fileId }, wishes: new Wishes(), state: 'running' as Place['state'] }
  const session = {
    downloads: {
      unfinished: (_group: string, name: string) => (name === 'e' && download.state ? download : undefined),
    },
    shares: { shareOf: () => ({ fileId }) },
  }
  download.state = here === undefined ? undefined : 'running'
  const reading = readingOf({ session: () => session, sources } as unknown as Core)
  return {
    async open(path, leave = new AbortController().signal) {
      const opened = await reading.open({ group: 'g', name: 'e', path }, leave)
      return opened.ok ? opened.value : opened.refusal.sentence
    },
    arrives: (index) => {
      have.set(index)
      offer.tellHave(index)
    },
    offer,
    reads,
    wishes: download.wishes,
    get state() {
      return download.state
    },
    set state(state) {
      download.state = state
    },
  }
}

async function wholeOf(content: ReadableContent): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = 0; at < content.sizeBytes;) {
    const bytes = await content.read(at)
    parts.push(bytes)
    at += bytes.length
  }
  return Buffer.concat(parts)
}

function opened(content: ReadableContent | string): ReadableContent {
  if (typeof content === 'string') throw new Error(content)
  return content
}

test('files of a folder are found in its pieces, however they lie', async () => {
  const files: Record<string, Buffer> = {
    'a.txt': sampleBytes(100, 1),
    'b/large.bin': sampleBytes(2 * pieceBytes + 5, 2),
    'b/one less.jpg': sampleBytes(pieceBytes - 1, 3),
    'b/whole.bin': sampleBytes(pieceBytes, 4),
    'empty.txt': Buffer.alloc(0),
    'z.txt': sampleBytes(200, 5),
  }
  for (let count = 0; count < 40; count++) files[`c${count}.bin`] = sampleBytes(90_000 + count, count)
  const { content, manifest } = folderSample(files)
  const folder = place(content, manifest)
  for (const [path, bytes] of Object.entries(files)) {
    const file = opened(await folder.open(path))
    expect([path, file.name, file.sizeBytes]).toEqual([path, path.split('/').at(-1), bytes.length])
    expect([path, (await wholeOf(file)).equals(bytes)]).toEqual([path, true])
  }
  const large = opened(await folder.open('b/large.bin'))
  expect(
    (await large.read(pieceBytes + 7)).equals(
      sampleBytes(2 * pieceBytes + 5, 2).subarray(pieceBytes + 7, 2 * pieceBytes),
    ),
  ).toBe(true)
  const tags = await Promise.all(Object.keys(files).map(async (path) => opened(await folder.open(path)).tag))
  expect(new Set(tags).size).toBe(tags.length)
})

test('what is no file of the folder is refused', async () => {
  const { content, manifest } = folderSample({ 'a/b.txt': Buffer.from('b') })
  const folder = place(content, manifest)
  expect(await folder.open()).toBe('e is a folder; say which file of it: ?path=')
  for (const path of ['', 'a', 'b.txt', '../a/b.txt', 'a/b.txt/', 'A/b.txt'])
    expect(await folder.open(path)).toBe(`there is no file ${path} in e`)
})

test('the list of a folder is read once for many of its files', async () => {
  const { content, manifest } = folderSample({ a: Buffer.from('a'), b: Buffer.from('b') })
  const folder = place(content, manifest)
  const first = opened(await folder.open('a'))
  const second = opened(await folder.open('b'))
  expect(folder.reads).toEqual([0])
  expect([String(await first.read(0)), String(await second.read(0))]).toEqual(['a', 'b'])
})

test('a piece on its way is waited for, and read when it is here', async () => {
  const bytes = sampleBytes(3 * pieceBytes, 1)
  const file = place(bytes, manifestOf(bytes), [0])
  const content = opened(await file.open())
  const [second, third] = [content.read(pieceBytes + 5), content.read(2 * pieceBytes)]
  file.arrives(2)
  expect((await third).equals(bytes.subarray(2 * pieceBytes))).toBe(true)
  expect(file.reads).toEqual([2])
  file.arrives(1)
  expect((await second).equals(bytes.subarray(pieceBytes + 5, 2 * pieceBytes))).toBe(true)
})

test('the list of a folder is waited for as well', async () => {
  const { content, manifest } = folderSample({ a: Buffer.from('a') })
  const folder = place(content, manifest, [])
  const opening = folder.open('a')
  folder.arrives(0)
  const file = opened(await opening)
  const reading = file.read(0)
  folder.arrives(1)
  expect(String(await reading)).toBe('a')
})

test('what is not being fetched is not waited for', async () => {
  const bytes = sampleBytes(2 * pieceBytes, 1)
  const file = place(bytes, manifestOf(bytes), [0])
  file.state = 'paused'
  const content = opened(await file.open())
  await content.read(0)
  await expect(content.read(pieceBytes)).rejects.toThrow(
    'this part of e is not here, and is not being fetched',
  )
})

test('waiting ends when the download does, and when nobody reads any more', async () => {
  const bytes = sampleBytes(2 * pieceBytes, 1)
  const file = place(bytes, manifestOf(bytes), [0])
  const reader = new AbortController()
  const content = opened(await file.open(undefined, reader.signal))
  const other = opened(await file.open())
  const [left, stopped] = [content.read(pieceBytes), other.read(pieceBytes)]
  const outcome = vi.fn<(error: Error) => void>()
  void left.catch(outcome)
  reader.abort()
  await vi.waitFor(() => expect(outcome).toHaveBeenCalledOnce())
  file.offer.withdraw('paused')
  await expect(stopped).rejects.toThrow('e is not here any more, or its download stopped')
})

test('the piece that is waited for is wished first, then those behind it, until nobody reads', async () => {
  const bytes = sampleBytes(12 * pieceBytes, 1)
  const file = place(bytes, manifestOf(bytes), [0])
  const reader = new AbortController()
  const content = opened(await file.open(undefined, reader.signal))
  const [early] = [content.read(pieceBytes)]
  expect(file.wishes.pieces).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  file.arrives(1)
  await early
  const late = content.read(9 * pieceBytes)
  expect(file.wishes.pieces).toEqual([9, 10, 11])
  reader.abort()
  await expect(late).rejects.toThrow('nobody reads e any more')
  expect(file.wishes.pieces).toEqual([])
})
