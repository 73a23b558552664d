// What a listing says is true in whatever order files are shared, stopped, changed, fetched and taken up again.
// SHARE_ORDERS=<runs> and SHARE_STEPS=<steps> make it longer, SHARE_SEED=<seed> repeats it.

import { expect, test, vi } from 'vitest'
import { seededRandom } from '../../simulation/seeded-random.ts'
import { ShareOrder } from './share-orders.ts'
import { Sharers } from './two-sharers.ts'

// Each login derives a key; a sixth of the work is enough here.
vi.mock('../../../src/common/limits.ts', async (original) => {
  const limits = await original<Record<string, unknown>>()
  // Passwords are not what is tested here, and each of these takes a microsecond.
  return { ...limits, scramIterations: 1000, scramIterationsMin: 1000 }
})

const runs = Number(process.env['SHARE_ORDERS'] ?? 3)
const firstSeed = Number(process.env['SHARE_SEED'] ?? Date.now() % 1_000_000)

test(
  `whoever is listed as a seeder can be fetched from, and every share is listed (${runs} runs from seed ${firstSeed})`,
  { timeout: 30_000 + runs * 15_000 },
  async () => {
    const sharers = await Sharers.start()
    const pair = [await sharers.member('ann'), await sharers.member('ben')] as const
    const looker = await sharers.member('cat')
    for (let run = 0; run < runs; run++) {
      const seed = firstSeed + run
      const group = `g${run}`
      await sharers.group(group, pair[0], pair[1], looker)
      const plan = {
        sharers,
        group,
        pair,
        looker,
        random: seededRandom(seed),
        steps: Number(process.env['SHARE_STEPS'] ?? 30),
      }
      const order = new ShareOrder(plan)
      try {
        await order.run()
      } catch (error) {
        throw new Error(`seed ${seed}:\n${order.story.join('\n')}`, { cause: error })
      }
    }
    expect(runs).toBeGreaterThan(0)
  },
)
