// A short version of the campaign, and a check that it catches trackers broken on purpose.

import { expect, test } from 'vitest'
import type { Figures } from './figures.ts'
import { killAtMoments, killAtRandom, killVariant } from './tracker-rounds.ts'
import { variants, type VariantName } from './variants.ts'

const seed = Date.now() % 1_000_000
const few = { clients: 16, seed }

function expectClean(figures: Figures): void {
  expect({ seed, ...figures }).toMatchObject({ lost: 0, twice: 0, half: 0, complaints: [] })
}

test('two trackers on one file that are killed in turn lose nothing, and do nothing twice or by half', async () => {
  const figures = await killAtRandom({ ...few, trackers: 2, kills: 6 })
  expectClean(figures)
  expect(figures.acknowledged).toBeGreaterThan(300)
  expect(figures.restartsMs).toHaveLength(6)
})

test('a tracker that is killed before and after each step of a command and of a snapshot loses nothing', async () => {
  const figures = await killAtMoments({ ...few, trackers: 1, kills: 11 })
  expectClean(figures)
  expect(figures.kills).toBe(11)
})

const names = Object.keys(variants) as VariantName[]

test.each(names)('the campaign finds in the variant %s what it should', async (name) => {
  const killed = (kills: number) => killVariant(name, { ...few, kills })
  const { finds } = variants[name]
  let figures = await killed(2)
  if (finds === 'nothing') {
    expectClean(figures)
    return
  }
  // Two kills show it as a rule, ten nearly always.
  for (const kills of [8, 24]) if (figures[finds] === 0) figures = await killed(kills)
  expect({ seed, ...figures }).toMatchObject({ [finds]: expect.toSatisfy((count: number) => count > 0) })
})
