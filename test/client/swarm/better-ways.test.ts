// A peer that is reached by a relay, until a better way opens.

import { expect, test, vi } from 'vitest'
import type { Way } from '../../../src/client/way.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import type { FakeSeeder } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

const pieces = 40

interface Ways {
  now: Way
  tried: number
  /** None leads there before. */
  held?: Promise<void>
}

/** A download from one peer, to which the way is what the test says. */
async function relayed(behaviour: { pieceMs: number }): Promise<{
  one: OneDownload
  seeder: FakeSeeder
  ways: Ways
}> {
  const one = new OneDownload(pieces * pieceBytes)
  // On a busy machine the peer seems to be far away, and would be asked on more connections.
  while (one.lanes.take() !== undefined);
  const seeder = await one.seeder('ben', behaviour)
  const ways: Ways = { now: 'relayed', tried: 0 }
  const open = one.routes.open.bind(one.routes)
  vi.spyOn(one.routes, 'open').mockImplementation(async (destination) => {
    ways.tried++
    const way = ways.now
    await ways.held
    if (way === 'relayed' && destination.mayRelay?.() === false)
      throw new Failure('connection-lost', 'no way leads there')
    return { ...(await open(destination)), way }
  })
  one.start()
  await one.until('some pieces', () => one.had.length >= 3)
  return { one, seeder, ways }
}

function waysIn({ download }: OneDownload): Way[] {
  return download.peers.map(({ way }) => way)
}

test('pieces go by a better way once one opens, none is asked for twice, and the relay is closed', async () => {
  const { one, seeder, ways } = await relayed({ pieceMs: 200 })
  expect(waysIn(one)).toEqual(['relayed'])
  ways.now = 'direct'
  one.changeNetwork()
  const before = seeder.askedByConnection.length
  await one.until('pieces by the better way', () => (seeder.askedByConnection[before] ?? 0) > 4)
  await vi.waitFor(() => expect(seeder.connectionsNow).toBe(1), 5000)
  expect(waysIn(one)).toEqual(['direct'])
  const atRelay = seeder.askedByConnection.slice(0, before)
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(seeder.askedByConnection.slice(0, before)).toEqual(atRelay)
  expect(seeder.asked.toSorted((a, b) => a - b)).toEqual(Array.from({ length: pieces }, (_, at) => at))
  expect(one.notices).toEqual([])
})

test('where nothing better opens the relay goes on, and nothing is tried more often than it should be', async () => {
  const { one, seeder, ways } = await relayed({ pieceMs: 120 })
  const before = ways.tried
  one.changeNetwork()
  await vi.waitFor(() => expect(ways.tried).toBe(before + 1), 5000)
  await one.untilComplete()
  expect([ways.tried, seeder.connectionsNow <= 1, waysIn(one).length <= 1]).toEqual([before + 1, true, true])
  expect(seeder.asked).toHaveLength(pieces)
})

test('a better way that opens when the download is paused is closed', async () => {
  const { one, seeder, ways } = await relayed({ pieceMs: 200 })
  let goOn = (): void => undefined
  ways.held = new Promise((resolve) => (goOn = resolve))
  const before = ways.tried
  ways.now = 'direct'
  one.changeNetwork()
  await vi.waitFor(() => expect(ways.tried).toBe(before + 1), 5000)
  await one.download.pause()
  goOn()
  await vi.waitFor(() => expect(seeder.connectionsNow).toBe(0), 5000)
})
