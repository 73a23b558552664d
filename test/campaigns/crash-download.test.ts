// A short version of the campaign.

import { expect, test } from 'vitest'
import { inArena } from '../../bench/arena.ts'
import { killDownloader } from './download-rounds.ts'
import { killInPublishing } from './publishing-rounds.ts'

const seed = Date.now() % 1_000_000

test.runIf(process.platform === 'linux')(
  'a download whose client is killed again and again ends with the same bytes, and few of them come twice',
  async () => {
    await inArena(async (arena) => {
      const figures = await killDownloader(arena, { kills: 3, sizeMiB: 24, seed, longestLifeMs: 400 })
      expect({ seed, ...figures }).toMatchObject({ isIdentical: true })
      expect(figures.inTheMiddle, `seed ${seed}`).toBeGreaterThan(0)
      // At this rate only a few are ever in flight.
      expect(figures.piecesSent, `seed ${seed}`).toBeLessThan(figures.pieces + 3 * 8)
    })
  },
  60_000,
)

// The calls after the last `rm` only record the outcome; the full campaign covers them.
test.each([false, true])(
  'a client that is killed before any call of publishing leaves nothing half done (over a file: %s)',
  async (overwrite) => {
    await inArena(async (arena) => {
      const { calls, faults } = await killInPublishing(arena, overwrite, 'rm')
      expect(faults).toEqual([])
      expect(calls.map((call) => call.split(' ')[0])).toContain(overwrite ? 'rename' : 'link')
    })
  },
  60_000,
)
