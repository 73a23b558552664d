// A short form of the campaign, with a seed of its own each time.

import { expect, test } from 'vitest'
import { playRuns } from './model-runs.ts'

const seed = Date.now() % 1_000_000

test('a tracker that is restarted in between gives the answers and has the facts of the plain model', async () => {
  const { divergences, ...figures } = await playRuns(seed, 60)
  expect({ seed, divergences }).toEqual({ seed, divergences: [] })
  expect(figures).toMatchObject({ runs: 60, inFiles: 3 })
  // Stories are about something, and starts come upon snapshots as well as on entries alone.
  expect(figures.done).toBeGreaterThan(60 * 10)
  expect(figures.fromSnapshot).toBeGreaterThan(60)
  expect(figures.restarts).toBeGreaterThan(figures.fromSnapshot)
})

test('a log that loses the newest entry at each start is found', async () => {
  const { divergences } = await playRuns(seed, 20, true)
  expect(divergences[0]).toMatch(/^seed \d+: .* after command \d+, \w+, is/)
})
