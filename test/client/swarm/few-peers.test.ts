// How many peers a download connects to: no more than it has use for.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PieceStore } from '../../../src/client/downloading/piece-store.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import type { FakeSeeder } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

// The swarm looks at its peers when the test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Lets pieces come, and stores none of them until `release`. */
function holdStoring(): { readonly held: unknown[]; readonly release: () => void } {
  const held: (() => void)[] = []
  let isOver = false
  const receive = Reflect.get(PieceStore.prototype, 'receive') as (...piece: unknown[]) => Promise<boolean>
  vi.spyOn(PieceStore.prototype, 'receive').mockImplementation(async function (
    this: PieceStore,
    ...piece: unknown[]
  ) {
    if (!isOver) await new Promise<void>((resolve) => held.push(resolve))
    return receive.apply(this, piece)
  })
  return {
    held,
    release: () => {
      isOver = true
      for (const go of held.splice(0)) go()
    },
  }
}

/** Until it is so; no timer of the download goes on meanwhile. */
async function untilSo(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

/** What was asked of a peer that does not answer is asked elsewhere after a while. */
async function toTheEnd(one: OneDownload): Promise<void> {
  while (one.download.state !== 'complete') {
    await vi.advanceTimersByTimeAsync(250)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Pieces of a file that is large enough to begin with one peer. */
const count = 257

/** The first seeder is lost: the second is connected though no time passes, and gives the rest. */
async function expectAtOnce(
  one: OneDownload,
  first: FakeSeeder,
  second: FakeSeeder,
  release: () => void,
): Promise<void> {
  expect(second.connections).toBe(0)
  first.stop()
  await untilSo(() => second.connections === 1)
  release()
  await toTheEnd(one)
  expect(one.isIdentical()).toBe(true)
}

/** More than this client has to have in hand to see that it is what limits. */
const given = 24

/** Two seeders, of which the first gives more than is stored, and after that nothing. */
async function overwhelmed(): Promise<{
  one: OneDownload
  first: FakeSeeder
  second: FakeSeeder
  release: () => void
}> {
  const one = new OneDownload(count * pieceBytes)
  const first = await one.seeder('first', {
    piece: ({ before, right, send }) => before < given && send(right),
  })
  const second = await one.seeder('second')
  const { held, release } = holdStoring()
  one.start()
  await untilSo(() => held.length === given)
  return { one, first, second, release }
}

test('the connection that the manifest came by is the one that pieces are asked for on', async () => {
  const one = new OneDownload(count * pieceBytes)
  const seeder = await one.seeder('only')
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(seeder.connections).toBe(1)
})

test('a manifest that this client serves is not fetched', async () => {
  const one = new OneDownload(count * pieceBytes)
  one.served = one.manifest
  let asked = 0
  await one.seeder('only', { holdsManifest: () => asked++ })
  one.start()
  await one.untilComplete()
  expect([one.isIdentical(), asked]).toEqual([true, 0])
})

test('a peer that gives all that can be stored stays the only one, until there is use for more', async () => {
  const { one, second, release } = await overwhelmed()
  await vi.advanceTimersByTimeAsync(2000)
  expect(second.connections).toBe(0)

  release()
  await untilSo(() => one.had.length === given)
  expect(second.connections).toBe(0)
  // The first look still finds that much was waiting since the one before.
  await vi.advanceTimersByTimeAsync(500)
  await untilSo(() => second.connections === 1)
  await toTheEnd(one)
  expect(one.isIdentical()).toBe(true)
  expect(one.piecesByUser).toEqual({ first: given, second: count - given })
})

test('when that peer is lost, the others are connected at once', async () => {
  const { one, first, second, release } = await overwhelmed()
  await vi.advanceTimersByTimeAsync(2000)
  await expectAtOnce(one, first, second, release)
})

// Its turn came only when the wait after its failures was over, up to half a minute after the first one was lost.
test('a peer that failed, and came back while it was not needed, is connected at once when it is', async () => {
  const one = new OneDownload(count * pieceBytes)
  const early: (() => void)[] = []
  let isEarly = true
  const first = await one.seeder('first', {
    piece: ({ before, right, send }) => {
      if (isEarly) early.push(() => send(right))
      else if (before < given) send(right)
    },
  })
  const second = await one.seeder('second')
  second.stop()
  const { held, release } = holdStoring()
  one.start()
  await untilSo(() => early.length > 0)
  // Tried, in vain, several times: the next try is seconds away.
  for (let tick = 0; tick < 40; tick++) {
    await vi.advanceTimersByTimeAsync(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  isEarly = false
  for (const answer of early) answer()
  await untilSo(() => held.length === given)
  await vi.advanceTimersByTimeAsync(250)

  await second.startAgain()
  one.joins(second)
  await expectAtOnce(one, first, second, release)
})
