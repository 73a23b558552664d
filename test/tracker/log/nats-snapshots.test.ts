// Snapshots in sections in a NATS stream, against one real server.

import { describe, expect, test } from 'vitest'
import type { NatsLog } from '../../../src/tracker/log/nats/nats-log.ts'
import type { NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { natsPartBytes } from '../../../src/tracker/limits.ts'
import { administrator } from '../support/administrator.ts'
import { natsIsMissing } from '../support/nats-server.ts'
import { freshNatsAddress, openNats, useNats } from './engines.ts'
import { Follower } from './follower.ts'

useNats()

async function following(
  address: NatsAddress,
  entriesKept = 0,
): Promise<{ log: NatsLog; follower: Follower }> {
  const log = await openNats(address, { entriesKept })
  const follower = new Follower()
  await log.follow(follower)
  return { log, follower }
}

describe.skipIf(natsIsMissing)(`one server${natsIsMissing}`, () => {
  test('a snapshot in sections builds on earlier ones, and comes back as one', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    const kept: unknown[] = []
    const changes: [string, string | undefined][][] = [
      [
        ['one', '1'],
        ['two', '2'],
        ['three', 'ü'],
      ],
      [['two', 'changed']],
      [
        ['three', undefined],
        ['four', '4'],
      ],
    ]
    await log.append(['e'])
    await log.saveSnapshot(() => ({ position: 1, text: 'as version 0.1 has it' }))
    for (const [index, changed] of changes.entries()) {
      await log.append(['e'])
      await log.saveSnapshot((before) => {
        kept.push(before)
        return { position: 2 + index, changed }
      })
    }
    expect(kept).toEqual([
      { position: 1, ofSections: 0 },
      { position: 2, ofSections: 2 },
      { position: 3, ofSections: 3 },
    ])
    expect((await following(address)).follower.delivered).toEqual(['4 [four=4 one=1 two=changed]'])
  })

  test('changes that have grown as long as the whole are merged into it, and what it builds on is kept once', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    const section = (index: number): string => `${index} `.repeat(natsPartBytes / 8)
    for (let position = 1; position <= 30; position++) {
      await log.append(['e'])
      const key = `k${position % 4}`
      await log.saveSnapshot(() => ({ position, changed: [[key, section(position)]] }))
    }
    const { manager } = await administrator(address)
    const { state } = await manager.streams.info(`${address.stream}_snapshots`)
    // Thirty of them are ten times as much as what is left: two generations of the whole, and their changes.
    expect(state.bytes).toBeLessThan(12 * natsPartBytes)
    const expected = [28, 29, 30, 27].map((index) => `k${index % 4}=${section(index)}`).sort()
    const { follower } = await following(address)
    expect(follower.delivered[0] === `30 [${expected.join(' ')}]`).toBe(true)
  })

  // A tracker refused to start (crash:cluster): each snapshot needed all before it up to the last whole one, and the log
  // was truncated behind the newest of them.
  test('whichever part of a snapshot gets lost, an earlier one and the log stand for it', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address)
    for (const position of [1, 2, 3, 4]) {
      await log.append([`e${position}`])
      await log.saveSnapshot(() => ({ position, changed: [[`k${position}`, String(position)]] }))
    }
    const { manager } = await administrator(address)
    const stream = `${address.stream}_snapshots`
    const { state } = await manager.streams.info(stream, { subjects_filter: '>' })
    const lost = Object.keys(state.subjects ?? {}).find((subject) => /\.3\.\w+\.done$/.test(subject)) ?? ''
    await manager.streams.purge(stream, { filter: lost })
    const { follower } = await following(address)
    expect(follower.lost).toBeUndefined()
    expect(follower.delivered).toEqual(['2 [k1=1 k2=2]', '3 e3', '4 e4'])
  })

  test('a snapshot that builds on one that is gone is passed over for one that is whole', async () => {
    const address = freshNatsAddress()
    const { log } = await following(address, 10)
    for (const position of [1, 2, 3]) {
      await log.append([`e${position}`])
      await log.saveSnapshot(() => ({ position, changed: [[`k${position}`, 'x']] }))
    }
    const { manager } = await administrator(address)
    await manager.streams.purge(`${address.stream}_snapshots`, { filter: `${address.stream}.snapshot.2.>` })
    expect((await following(address)).follower.delivered).toEqual(['1 [k1=x]', '2 e2', '3 e3'])
  })
})
