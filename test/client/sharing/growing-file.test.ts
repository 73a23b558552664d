// A folder in which a file is written to while it is hashed: a log only grows, and anything else is something else by then.

import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { verifyPiece } from '../../../src/client/hashing/piece-hash.ts'
import { HashPool } from '../../../src/client/workers/hash-pool.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { lengthOfPiece } from '../../../src/common/manifest.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary, type OneLibrary } from './one-library.ts'

/** Its pieces are the tree, the small file, and two of the large one. */
function madeFolder(): string {
  const root = join(temporaryFolder(), 'photos')
  mkdirSync(root)
  writeFileSync(join(root, 'a.txt'), 'a.txt'.repeat(100))
  writeFileSync(join(root, 'large.bin'), Buffer.alloc(pieceBytes + 5, 'large'))
  return root
}

/** Of each piece, whether it is served and right. */
async function arePiecesRight({ library, sources }: OneLibrary): Promise<boolean[]> {
  const source = sources.find('g', library.shareOf('g', 'photos')?.fileId ?? '')
  const right: boolean[] = []
  for (let index = 0; index < (source?.manifest.pieceCount ?? 0); index++) {
    if (source === undefined) continue
    const buffer = Buffer.alloc(pieceBytes)
    const answer = await source.read(index, buffer)
    right.push(
      answer.ok &&
        verifyPiece(source.manifest, index, buffer.subarray(0, lengthOfPiece(source.manifest, index))),
    )
  }
  return right
}

/** Does something before it hashes for the first time, the second time, and so on. */
class DisturbedPool extends HashPool {
  readonly #acts: (() => void)[]

  constructor(...acts: (() => void)[]) {
    super()
    this.#acts = acts
  }

  override hashSegments(
    ...given: Parameters<HashPool['hashSegments']>
  ): ReturnType<HashPool['hashSegments']> {
    this.#acts.shift()?.()
    return super.hashSegments(...given)
  }
}

test('a log that grows all the time is shared as far as it went, and named', async () => {
  const data = temporaryFolder()
  const root = madeFolder()
  const grow = (): void => {
    for (const path of ['a.txt', 'large.bin']) appendFileSync(join(root, path), 'one more line\n')
  }
  const one = await oneLibrary(data, new DisturbedPool(grow, grow))
  expect(await one.library.upload(root, 'g')).toMatchObject({ ok: true, value: { files: 2, pieceCount: 4 } })
  await vi.waitFor(() =>
    expect(one.notices).toEqual([expect.stringContaining(`${join(root, 'a.txt')} changed on disk`)]),
  )
  grow()
  expect(await arePiecesRight(one)).toEqual([true, true, true, true])
  await one.store.saved()
  const again = await oneLibrary(data)
  await again.library.resume()
  expect(await arePiecesRight(again)).toEqual([true, true, true, true])
})

test.each([
  ['is written anew with as many bytes', (path: string) => writeFileSync(path, 'z'.repeat(500))],
  ['is replaced by a longer one', (path: string) => replace(path, 'a.txt'.repeat(200))],
])(
  'a file that %s while the folder is read is named, and the folder is not shared',
  async (_what, change) => {
    const root = madeFolder()
    const path = join(root, 'a.txt')
    const one = await oneLibrary(undefined, new DisturbedPool(() => change(path)))
    expect(await one.library.upload(root, 'g')).toMatchObject({
      ok: false,
      refusal: { code: 'file-changed', sentence: `${path} changed while it was read; try again` },
    })
  },
)

test('a file that grows and is written to where it was read is not shared as something between', async () => {
  const root = madeFolder()
  const path = join(root, 'a.txt')
  const acts = [
    () => appendFileSync(path, 'more'),
    () => writeFileSync(path, 'something else', { flag: 'r+' }),
  ]
  const one = await oneLibrary(undefined, new DisturbedPool(...acts))
  expect(await one.library.upload(root, 'g')).toMatchObject({
    ok: false,
    refusal: { sentence: `${path} changed while it was read; try again` },
  })
})

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}
