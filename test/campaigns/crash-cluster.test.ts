// Short versions of the campaigns with NATS.

import { afterAll, describe, expect, test } from 'vitest'
import { natsIsMissing } from '../tracker/support/nats-server.ts'
import { killInCluster } from './cluster-rounds.ts'
import { PartitionNetwork } from './partition-network.ts'
import { cutAndHeal } from './partition-rounds.ts'

const seed = Date.now() % 1_000_000
const patience = { timeout: 120_000 }

describe.skipIf(natsIsMissing)(`three NATS servers and two trackers${natsIsMissing}`, () => {
  test('killing each kind once loses nothing, and the trackers agree after each', patience, async () => {
    const figures = await killInCluster({ rounds: 3, clients: 8, seed })
    expect({ seed, ...figures }).toMatchObject({
      victims: { leader: 1, follower: 1, tracker: 1 },
      lost: 0,
      twice: 0,
      half: 0,
      complaints: [],
    })
    expect(figures.agreedAfterMs).toHaveLength(3)
    expect(figures.acknowledged).toBeGreaterThan(200)
  })
})

const opened = natsIsMissing === '' ? PartitionNetwork.open() : { why: 'nats-server is not installed' }
afterAll(() => {
  if ('network' in opened) opened.network.close()
})
const why = 'why' in opened ? ` (skipped: ${opened.why.replaceAll(/[()]/g, '')})` : ''

describe.skipIf(why)(`a tracker behind a network of its own${why}`, () => {
  test('one that is cut off reads, refuses writes with a sentence, and catches up', patience, async () => {
    if ('why' in opened) throw new Error(opened.why)
    const figures = await cutAndHeal({ network: opened.network, rounds: 1, clients: 8, seed })
    expect({ seed, ...figures }).toMatchObject({ lost: 0, twice: 0, half: 0, complaints: [] })
    expect(figures.caughtUpAfterMs).toHaveLength(1)
    expect(figures.slowestReadMs).toBeLessThan(2000)
    expect([...figures.refusals]).toEqual(['the tracker cannot save changes at the moment; try again later'])
  })
})
