// Waiting for downloads: until they have ended, a time is over, or nobody has the file.

import { expect, onTestFinished, test, vi } from 'vitest'
import { Settling } from '../../../src/client/downloading/settling.ts'

interface Running {
  withoutPeersMs: number
  fail(why: string): Promise<unknown>
}

function fakeDownload(settling: Settling, all: Running[], withoutPeersMs = 0): Running {
  const one: Running = {
    withoutPeersMs,
    fail: async () => {
      all.splice(all.indexOf(one), 1)
      settling.onChange()
    },
  }
  all.push(one)
  return one
}

function standStill(): void {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
}

test('ends when the last one has ended, and leaves no timer behind', async () => {
  standStill()
  const settling = new Settling()
  const all: Running[] = []
  const one = fakeDownload(settling, all)
  const waited = settling.until(() => all, { timeoutMs: 60_000, giveUpWithoutSeederMs: 60_000 })
  await one.fail('')
  expect(await waited).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('ends when the time is over, while a download goes on', async () => {
  standStill()
  const settling = new Settling()
  const all: Running[] = []
  fakeDownload(settling, all)
  const waited = settling.until(() => all, { timeoutMs: 5000 })
  settling.onChange()
  await vi.advanceTimersByTimeAsync(4999)
  expect(await Promise.race([waited, Promise.resolve('not yet')])).toBe('not yet')
  await vi.advanceTimersByTimeAsync(1)
  expect(await waited).toBe(false)
  expect([all.length, vi.getTimerCount()]).toEqual([1, 0])
})

test('gives up a download that has no seeder for too long, and only that one', async () => {
  standStill()
  const settling = new Settling()
  const all: Running[] = []
  const lonely = fakeDownload(settling, all, 61_000)
  const other = fakeDownload(settling, all)
  const waited = settling.until(() => all, { giveUpWithoutSeederMs: 60_000 })
  await vi.advanceTimersByTimeAsync(500)
  expect(all).not.toContain(lonely)
  await other.fail('')
  expect(await waited).toBe(true)
})
