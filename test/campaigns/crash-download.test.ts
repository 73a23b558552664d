// A short version of the campaign.

import { expect, test } from 'vitest'
import { inArena } from '../../bench/arena.ts'
import { killDownloader } from './download-rounds.ts'
import { killInPublishing, lendingFolder, smallFile } from './publishing-rounds.ts'
import { killBetweenVersions } from './version-rounds.ts'

const seed = Date.now() % 1_000_000

test.runIf(process.platform === 'linux').each([
  ['a file', 'file'],
  ['a part of a folder', 'part'],
] as const)(
  'a download of %s whose client is killed again and again ends with the same bytes, and few of them come twice',
  async (_what, kind) => {
    await inArena(async (arena) => {
      const figures = await killDownloader(arena, { kind, kills: 3, sizeMiB: 24, seed, longestLifeMs: 400 })
      expect({ seed, ...figures }).toMatchObject({ isIdentical: true })
      expect(figures.inTheMiddle, `seed ${seed}`).toBeGreaterThan(0)
      // At this rate only a few are ever in flight.
      expect(figures.piecesSent, `seed ${seed}`).toBeLessThan(figures.pieces + 3 * 8)
    })
  },
  120_000,
)

test.runIf(process.platform === 'linux')(
  'versions of a folder whose client is killed again and again are there as a whole, one or the other, and come once',
  async () => {
    await inArena(async (arena) => {
      const shape = { kind: 'folder', largePieces: 16, smallFiles: 300 } as const
      const figures = await killBetweenVersions(arena, { shape, kills: 4, seed, longestLifeMs: 800 })
      expect({ seed, ...figures }).toMatchObject({ faults: [] })
      expect(figures.piecesSent, `seed ${seed}`).toBeLessThan(figures.pieces + 4 * 8)
    })
  },
  120_000,
)

// Of a call that is made several times on end, the last; the calls after the last `rm` only record the outcome. The full
// campaign covers all.
test.each([false, true])(
  'a client that is killed before any call of publishing leaves nothing half done (over a file: %s)',
  async (overwrite) => {
    await inArena(async (arena) => {
      const over = overwrite ? 'another' : 'nothing'
      const { calls, faults } = await killInPublishing(
        arena,
        { shape: smallFile, over, by: 'command' },
        (call, after) =>
          call !== after[0] &&
          !call.includes('/.coterie-') &&
          [call, ...after].some((later) => isOf('rm', later)),
      )
      expect(faults).toEqual([])
      expect(calls.map((call) => call.split(' ')[0])).toContain(overwrite ? 'rename' : 'link')
    })
  },
  120_000,
)

test('a client that is killed while it swaps two versions of a folder leaves one of them whole, and goes on', async () => {
  await inArena(async (arena) => {
    const names = ['.unpacking.part', '.replaced.part', '/into/data']
    const { calls, faults } = await killInPublishing(
      arena,
      { shape: lendingFolder, over: 'earlier', by: 'command' },
      (call) => names.some((name) => call.endsWith(name)),
    )
    expect(faults).toEqual([])
    expect(calls.map((call) => call.split(' ')[0])).toEqual([
      'mkdir',
      'chmod',
      'rename',
      'rename',
      'rm',
      'rmdir',
      'rmdir',
    ])
  })
}, 120_000)

function isOf(name: string, call: string): boolean {
  return call.startsWith(`${name} `)
}
