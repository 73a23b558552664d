// A peer at the end of a long line: asked on many connections, each of which brings little.

import { expect, test, vi } from 'vitest'
import { furtherLanesMax } from '../../../src/client/downloading/lane-places.ts'
import { lanesMax } from '../../../src/client/downloading/lane-plan.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { OneDownload } from './one-download.ts'

const pieces = 96
/** One for the manifest, and one for the pieces. */
const usual = 2
/** A far one is asked for both on the same. */
const usualFar = 1
const far = { roundTripMs: 15, pieceMs: 80 }

test('a far peer is asked on many connections at once, and hardly for any piece twice', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const seeder = await one.seeder('far', { ...far })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(seeder.connectionsAtOnce).toBe(lanesMax)
  expect(seeder.askedByConnection.filter((count) => count > 4).length).toBe(lanesMax)
  // What the seeder has chosen is not known here before it comes.
  expect(seeder.asked.length).toBeLessThanOrEqual(pieces + 4)
  expect(one.notices).toEqual([])
})

/** A dial shows that the peer is far. */
function fromAfar(): OneDownload {
  const one = new OneDownload(pieces * pieceBytes)
  const open = one.routes.open.bind(one.routes)
  vi.spyOn(one.routes, 'open').mockImplementation((destination) => {
    const opening = open(destination)
    // Of a peer on this machine nobody is told.
    destination.onDialled?.(30)
    return opening
  })
  return one
}

test('a far peer is asked for pieces while its manifest is on the way', async () => {
  const one = fromAfar()
  let isHeld = false
  const seeder = await one.seeder('far', { ...far, holdsManifest: () => (isHeld = true) })
  one.start()
  const expected = (lanesMax - 1) * Math.floor(pieces / (2 * lanesMax))
  await one.until('pieces and the manifest', () => isHeld && seeder.asked.length === expected)
  expect(new Set(seeder.asked).size).toBe(expected)
})

test('what a far peer was asked for before its manifest came is asked for once', async () => {
  const one = fromAfar()
  const seeder = await one.seeder('far', { ...far })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(seeder.connections).toBe(lanesMax)
  expect(seeder.asked.length).toBeLessThanOrEqual(pieces + 4)
  expect(one.notices).toEqual([])
})

test('pieces that were asked for on connections that end before the manifest has come are asked for again', async () => {
  const one = fromAfar()
  const seeder = await one.seeder('far', { ...far, connectionsMax: 3 })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(one.notices).toEqual([])
  expect(seeder.asked.length).toBeLessThanOrEqual(pieces + 8)
})

test('at the end what waits on a slow connection is asked for on another, before it is refused', async () => {
  const one = fromAfar()
  // It hears of what is taken back, and sends it all the same.
  const pieceMs = (connection: number): number => (connection === 1 ? 300 : 8)
  const seeder = await one.seeder('far', { roundTripMs: far.roundTripMs, pieceMs })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(one.notices).toEqual([])
  const twice = seeder.asked.length - new Set(seeder.asked).size
  expect(twice).toBeGreaterThan(0)
  // At most what one connection may owe, and a few again.
  expect(twice).toBeLessThanOrEqual(24)
})

test('a near peer is asked on one', async () => {
  const one = new OneDownload(48 * pieceBytes)
  const seeder = await one.seeder('near', { pieceMs: 40 })
  one.start()
  await one.untilComplete()
  expect(seeder.connections).toBe(usual)
})

test('of many peers each is asked on one', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const seeders = await Promise.all(['a', 'b', 'c', 'd'].map((user) => one.seeder(user, { ...far })))
  one.start()
  await one.untilComplete()
  // One peer may have been alone for a moment.
  expect(seeders.filter(({ connections }) => connections <= usual).length).toBeGreaterThanOrEqual(3)
})

test('a peer that turns further connections away gives on those that there are', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const seeder = await one.seeder('far', { ...far, pieceMs: 50, connectionsMax: usualFar })
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  // All were tried at once, and none again.
  expect(seeder.connections).toBe(usualFar + lanesMax - 1)
  expect(one.notices).toEqual([])
})

test('what was asked on a connection that ends comes on the others, also when it is the first', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const seeder = await one.seeder('far', { ...far })
  one.start()
  await one.until(
    'pieces on many connections',
    () => seeder.connectionsAtOnce === lanesMax && one.had.length > 40,
  )
  const before = seeder.connections
  seeder.hangUpFirst()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(seeder.connections).toBe(before)
})

test('a download that is paused closes all of them, and gives their places back', async () => {
  const one = new OneDownload(pieces * pieceBytes)
  const seeder = await one.seeder('far', { ...far })
  one.start()
  await one.until('many connections', () => seeder.connectionsAtOnce === lanesMax)
  await one.download.pause()
  await vi.waitFor(() => expect(seeder.connectionsNow).toBe(0))
  for (let place = 0; place < furtherLanesMax; place++) expect(one.lanes.take()).toBeDefined()
})
