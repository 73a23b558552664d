// Whatever a download is doing, it stops at once when it is told to.

import { existsSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { builtPool } from '../workers/built-pool.ts'
import { OneDownload } from './one-download.ts'

/** Fails where stopping waits for anything with a timeout, the shortest of which is a second. */
async function stopsAtOnce(stop: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<string>((resolve) => (timer = setTimeout(() => resolve('too late'), 900)))
  expect(await Promise.race([stop().then(() => 'stopped'), tooLate])).toBe('stopped')
  clearTimeout(timer)
}

// Cancelling waited until the silent peer was given up, which took up to ten seconds.
test('while the peer that has the manifest is silent', async () => {
  const one = new OneDownload(3 * pieceBytes)
  let isAsked = false
  const ann = await one.seeder('ann', { holdsManifest: () => (isAsked = true) })
  one.start()
  await one.until('the question', () => isAsked)
  await stopsAtOnce(() => one.download.discard())
  expect(one.leftOver()).toEqual([])
  ann.stop()
})

test('while what is there is being verified, and then nothing more is hashed', async () => {
  const one = new OneDownload(200 * pieceBytes, undefined, undefined, await builtPool())
  writeFileSync(`${one.destination}.part`, one.content)
  await one.seeder('ann')
  one.start()
  await one.untilWhy('verifying what is there')
  await stopsAtOnce(() => one.download.pause())
  expect(one.download.view()).toMatchObject({ state: 'paused' })
  expect(existsSync(one.destination)).toBe(false)
  one.download.start()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(one.had).toEqual([])
})

test('while pieces come, and what is there stays', async () => {
  const one = new OneDownload(6 * pieceBytes)
  await one.seeder('ann', { piece: (reply, index) => void (index !== 5 && reply.send(reply.right)) })
  one.start()
  await one.until('five pieces', () => one.had.length === 5)
  await stopsAtOnce(() => one.download.pause())
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
