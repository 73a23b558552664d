// A download whose file is there already tells how far it is with verifying it.

import { writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { HashPool, type HashOptions } from '../../../src/client/workers/hash-pool.ts'
import type { ByteRange } from '../../../src/client/workers/hash-worker.ts'
import { OneDownload } from './one-download.ts'

/** Hashes when it may, and says at once that a third is done. */
class WaitingPool extends HashPool {
  go = (): void => undefined
  readonly #may = new Promise<void>((resolve) => (this.go = resolve))

  override async hashRanges(
    path: string,
    ranges: readonly ByteRange[],
    options?: HashOptions,
  ): Promise<Buffer> {
    options?.onProgress?.(1, 0)
    await this.#may
    // With the hashes of the event loop: these are few pieces.
    return super.hashRanges(path, ranges, options)
  }
}

test.each([
  ['a part file', '.part'],
  ['the file under its own name', ''],
])('%s is verified with a view of it, before anything is fetched', async (_what, suffix) => {
  const pool = new WaitingPool(1)
  const one = new OneDownload(3 * pieceBytes, undefined, undefined, pool)
  writeFileSync(`${one.destination}${suffix}`, one.content)
  await one.seeder('ann')
  one.start()
  await vi.waitFor(() =>
    expect(one.download.view()).toMatchObject({
      why: 'verifying what is on disk',
      verifying: { sizeBytes: 3 * pieceBytes, bytesDone: pieceBytes },
    }),
  )
  pool.go()
  await one.untilComplete()
  expect(one.download.view().verifying).toBeUndefined()
  expect(one.had).toEqual([])
})
