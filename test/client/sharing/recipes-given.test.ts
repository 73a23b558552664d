// A sharing client makes the recipe of what it serves, once, and gives parts of pieces.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RecipeOffice } from '../../../src/client/sharing/recipe-office.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import type { BlockRange } from '../../../src/common/recipe/ranges.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { recipeOf } from '../../common/recipe/recipe-sample.ts'
import { contentOf } from '../../integration/world.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { OneSharer } from './one-sharer.ts'

const content = contentOf('office', 2 * pieceBytes + 100)
const manifest = buildManifest(content.length, Buffer.alloc(3 * 52, 1))

/** A source of the content, that counts what is read of it. */
function sourceOf(have = Bitfield.full(3)): PieceSource & { reads: number; isGone: boolean } {
  return {
    manifest,
    have,
    reads: 0,
    isGone: false,
    read(index, buffer) {
      this.reads++
      content.copy(buffer, 0, index * pieceBytes, (index + 1) * pieceBytes)
      return Promise.resolve(this.isGone ? refuse('not-shared', 'it is gone') : accept(undefined))
    },
  }
}

async function officeWith(): Promise<{ office: RecipeOffice; kept: ManifestStore; folder: string }> {
  const folder = temporaryFolder()
  const kept = new ManifestStore(folder)
  await kept.save(manifest)
  return { office: new RecipeOffice(new RecipePool(), kept), kept, folder }
}

test('it is that of the content, and made once for all who ask', async () => {
  const { office } = await officeWith()
  const source = sourceOf()
  expect(await Promise.all([office.prepare(source), office.prepare(source)])).toEqual([
    accept(undefined),
    accept(undefined),
  ])
  const { outline, blocks } = recipeOf(content, manifest)
  expect(await office.load(source)).toEqual(accept(outline.bytes))
  // Groups of 16 blocks, of which a piece has eight.
  const told = Buffer.concat([blocks.subarray(0, 16 * 12), blocks.subarray(15 * 16 * 12)])
  const groups: BlockRange[] = [
    [0, 1],
    [15, 2],
  ]
  expect(await office.load(source, groups)).toEqual(accept(told))
  expect(await office.load(source, [[15, 3]])).toMatchObject({ refusal: { code: 'invalid-request' } })
  expect(await office.prepare(source)).toEqual(accept(undefined))
  expect(source.reads).toBe(3)
})

test('it is gone with the manifest', async () => {
  const { office, kept, folder } = await officeWith()
  await office.prepare(sourceOf())
  const path = join(folder, 'manifests', `${manifest.fileId}.recipe`)
  expect(existsSync(path)).toBe(true)
  await kept.remove(manifest.fileId)
  expect(existsSync(path)).toBe(false)
})

test('that of a small file, whose manifest is in the list of shares, is kept like any other', async () => {
  const kept = new ManifestStore(temporaryFolder())
  const office = new RecipeOffice(new RecipePool(), kept)
  const small = content.subarray(0, 50_000)
  const smallManifest = buildManifest(small.length, Buffer.alloc(52, 1))
  const read = (_index: number, buffer: Buffer) => {
    small.copy(buffer)
    return Promise.resolve(accept(undefined))
  }
  const source = { manifest: smallManifest, have: Bitfield.full(1), read }
  expect(await office.prepare(source)).toEqual(accept(undefined))
  expect(await office.load(source)).toEqual(accept(recipeOf(small, smallManifest).outline.bytes))
  await kept.remove(smallManifest.fileId)
  expect(kept.hasRecipe(smallManifest.fileId)).toBe(false)
})

test('who has not all pieces makes none, but gives the one that was made before some were lost', async () => {
  const { office, kept } = await officeWith()
  const part = new Bitfield(3)
  expect(await office.prepare(sourceOf(part))).toMatchObject({ refusal: { code: 'piece-missing' } })
  await kept.saveRecipe(manifest.fileId, recipeOf(content, manifest).bytes)
  expect(await office.prepare(sourceOf(part))).toEqual(accept(undefined))
})

test('what is kept and is none is removed, and made anew when it is asked for again', async () => {
  const { office, kept } = await officeWith()
  const source = sourceOf()
  await kept.saveRecipe(manifest.fileId, Buffer.from('something else'))
  expect(await office.load(source)).toMatchObject({ refusal: { code: 'piece-missing' } })
  await office.prepare(source)
  expect(await office.load(source)).toMatchObject({ ok: true })
})

test('a content that goes away meanwhile has none', async () => {
  const { office, kept } = await officeWith()
  const source = sourceOf()
  source.isGone = true
  expect(await office.prepare(source)).toMatchObject({ refusal: { code: 'not-shared' } })
  expect(kept.hasRecipe(manifest.fileId)).toBe(false)
})

test('who asks for many is told to wait while they are made', async () => {
  const { office } = await officeWith()
  const sources = Array.from({ length: 9 }, (_, size) => ({
    ...sourceOf(),
    manifest: buildManifest(size + 1, Buffer.alloc(52, size)),
  }))
  const answers = await Promise.all(sources.map((source) => office.prepare(source)))
  expect(answers.filter((answer) => !answer.ok && answer.refusal.code === 'busy')).toHaveLength(1)
})

test('the outline of a recipe comes, and the blocks of the groups that are asked for', async () => {
  const sharer = await OneSharer.start({ pieceCount: 2 })
  await sharer.kept.save(sharer.manifest)
  const peer = await sharer.member('bob')
  const { fileId } = sharer.manifest
  const before = peer.bodyBytes
  expect(await peer.recipe(fileId)).toMatchObject({ ok: true })
  expect(peer.bodyBytes - before).toBe(8 + 16 * 12)
  expect(await peer.recipe(fileId, [[3, 2]])).toMatchObject({ ok: true })
  expect(peer.bodyBytes - before).toBe(8 + 16 * 12 + 32 * 12)
  expect(await peer.recipe(fileId, [[15, 2]])).toMatchObject({ refusal: { code: 'invalid-request' } })
})

test.each([
  [
    'out of order',
    [
      [5, 1],
      [0, 1],
    ],
  ],
  ['none', []],
  ['of nothing', [[0, 0]]],
  ['too many', Array.from({ length: 1025 }, (_, at) => [2 * at, 1])],
])('groups %s are refused', async (_what, groups) => {
  const sharer = await OneSharer.start({ pieceCount: 2 })
  const peer = await sharer.member('bob')
  const answer = await peer.recipe(sharer.manifest.fileId, groups as BlockRange[])
  expect(answer).toMatchObject({ refusal: { code: 'invalid-params' } })
  expect(sharer.reads).toBe(0)
})

test('only the parts of a piece come that are asked for', async () => {
  const sharer = await OneSharer.start({ pieceCount: 2 })
  const peer = await sharer.member('bob')
  const { fileId } = sharer.manifest
  const before = peer.bodyBytes
  expect(
    await peer.piece(fileId, 1, [
      [0, 1],
      [5, 3],
    ]),
  ).toMatchObject({ ok: true, value: { index: 1 } })
  expect(peer.bodyBytes - before).toBe(4 * 4096)
})

test.each([
  [
    'out of order',
    1,
    [
      [5, 1],
      [0, 1],
    ],
  ],
  [
    'that touch each other',
    1,
    [
      [0, 1],
      [1, 1],
    ],
  ],
  ['behind the end of any piece', 1, [[127, 2]]],
  ['none', 1, []],
  ['of a piece that is to be chosen', undefined, [[0, 1]]],
  ['of a piece that is not there', 7, [[0, 1]]],
] as const)('parts %s are refused', async (_what, index, ranges) => {
  const sharer = await OneSharer.start({ pieceCount: 2 })
  const peer = await sharer.member('bob')
  const asked = ranges.map(([first, count]): [number, number] => [first, count])
  const answer = await peer.piece(sharer.manifest.fileId, index, asked)
  const code = index === 1 ? 'invalid-params' : 'invalid-request'
  expect(answer).toMatchObject({ refusal: { code } })
  expect(sharer.reads).toBe(0)
})
