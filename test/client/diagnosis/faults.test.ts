// Makes every kind of fault between real clients and trackers, and asks why: the first thing that is named has to be the
// fault, within five seconds.

import { expect, test, vi } from 'vitest'
import type { Fault, Stage } from './fault.ts'
import { atTheSeeder } from './faults-at-the-seeder.ts'
import { atTheTracker } from './faults-at-the-tracker.ts'
import { here } from './faults-here.ts'
import { Place } from './place.ts'

const withinMs = 5000

/** What was named instead; undefined when it was named right in time. */
async function misnamed({ named, says, make }: Fault, stage: Stage): Promise<string | undefined> {
  const ask = await make(stage)
  const begunMs = performance.now()
  let answer = ''
  const isRight = (): boolean => answer.startsWith(`${named}:`) && (says?.test(answer) ?? true)
  const isNamed = await vi
    .waitFor(
      async () => {
        answer = await ask()
        expect(isRight()).toBe(true)
      },
      { timeout: withinMs, interval: 50 },
    )
    .then(
      () => true,
      () => false,
    )
  const tookMs = performance.now() - begunMs
  return isNamed && tookMs <= withinMs ? undefined : `${answer} after ${Math.round(tookMs)} ms`
}

test.each([
  ['at the seeder', atTheSeeder],
  ['here', here],
  ['at the tracker', atTheTracker],
] as const)(
  'every fault %s is named right within five seconds',
  async (_where, faults) => {
    const place = await Place.open()
    const [ann, ben] = [await place.member('ann'), await place.member('ben')]
    await place.group('g', ann, ben)
    const wrong: string[] = []
    for (const fault of faults) {
      const answer = await misnamed(fault, { place, ann, ben })
      if (answer !== undefined) wrong.push(`${fault.what}: ${answer}`)
      vi.restoreAllMocks()
      for (const member of [ann, ben]) {
        await member.client.operations.setLimit({ direction: 'upload', bytesPerSecond: undefined })
        await member.client.operations.setLimit({ direction: 'download', bytesPerSecond: undefined })
        // What goes on would be something else that the next one waits for.
        for (const { group, name, state } of await member.client.operations.showDownloads())
          if (state === 'running') await member.client.operations.pauseDownload(group, name)
      }
    }
    expect(wrong).toEqual([])
  },
  120_000,
)

test('there are at least twenty of them', () => {
  expect([...atTheSeeder, ...here, ...atTheTracker].length).toBeGreaterThanOrEqual(20)
})
