// A short version of the campaign.

import { expect, test } from 'vitest'
import { inArena } from '../../bench/arena.ts'
import { killDownloader } from './download-rounds.ts'

const seed = Date.now() % 1_000_000

test.runIf(process.platform === 'linux')(
  'a download whose client is killed again and again ends with the same bytes, and few of them come twice',
  async () => {
    await inArena(async (arena) => {
      const figures = await killDownloader(arena, { kills: 3, sizeMiB: 24, seed, longestLifeMs: 400 })
      expect({ seed, ...figures }).toMatchObject({ isIdentical: true })
      // At this rate there are never more than a few in flight.
      expect(figures.piecesSent, `seed ${seed}`).toBeLessThan(figures.pieces + 3 * 8)
    })
  },
)
