// Whatever a download is doing, it stops at once when it is told to.

import { existsSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { builtPool } from '../workers/built-pool.ts'
import { OneDownload } from './one-download.ts'

/**
 * From now on no timer ends, whatever the machine does meanwhile: stopping that waits for one does not come back, and
 * the test runs into its time limit.
 */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  onTestFinished(goOn)
}

function goOn(): void {
  vi.useRealTimers()
}

// Cancelling waited until the silent peer was given up, which took up to ten seconds.
test('while the peer that has the manifest is silent', async () => {
  const one = new OneDownload(3 * pieceBytes)
  let isAsked = false
  const ann = await one.seeder('ann', { holdsManifest: () => (isAsked = true) })
  stopClock()
  one.start()
  await one.until('the question', () => isAsked)
  await one.download.discard()
  expect(one.leftOver()).toEqual([])
  ann.stop()
})

test('while what is there is being verified, and then nothing more is hashed', async () => {
  const pool = await builtPool()
  const hashing = vi.spyOn(pool, 'hashRanges')
  const one = new OneDownload(200 * pieceBytes, undefined, undefined, pool)
  writeFileSync(`${one.destination}.part`, one.content)
  await one.seeder('ann')
  stopClock()
  one.start()
  await one.untilWhy('verifying what is on disk')
  await one.download.pause()
  expect(one.download.view()).toMatchObject({ state: 'paused' })
  // It was given up, and not waited for.
  expect(hashing.mock.settledResults.map(({ type }) => type)).toEqual(['rejected'])
  expect(existsSync(one.destination)).toBe(false)
  goOn()
  one.download.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(one.had).toEqual([])
})

test('while pieces come, and what is there stays', async () => {
  const one = new OneDownload(6 * pieceBytes)
  stopClock()
  await one.seeder('ann', { piece: (reply, index) => void (index !== 5 && reply.send(reply.right)) })
  one.start()
  await one.until('five pieces', () => one.had.length === 5)
  await one.download.pause()
  expect(one.download.view()).toMatchObject({ state: 'paused', piecesDone: 5 })
})

test('and several commands at once leave it in one of the states that they ask for', async () => {
  const one = new OneDownload(6 * pieceBytes)
  await one.seeder('ann')
  for (let round = 0; round < 5; round++) {
    one.start()
    const first = one.download.pause()
    one.download.start()
    await Promise.all([first, one.download.pause(), one.download.pause()])
    expect(['paused', 'complete']).toContain(one.download.state)
  }
  one.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
})

test('a client that was killed when its part file was just made goes on with it', async () => {
  const one = new OneDownload(3 * pieceBytes)
  writeFileSync(`${one.destination}.part`, '')
  one.download.record = { ...one.download.record, part: 'not made yet' }
  await one.seeder('ann')
  one.start()
  await one.untilComplete()
  expect([one.isIdentical(), one.leftOver()]).toEqual([true, []])
})
