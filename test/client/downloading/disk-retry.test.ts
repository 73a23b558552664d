// When a download that a full disk has stopped goes on by itself.

import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { DiskRetry } from '../../../src/client/downloading/disk-retry.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** More than any disk has. */
const hugeBytes = 2 ** 60

afterEach(() => {
  vi.useRealTimers()
})

/** How often it would have gone on after the second look. */
async function goneOn(elsewhereBytes?: number): Promise<number> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const goOn = vi.fn<() => void>()
  const retry = new DiskRetry(join(temporaryFolder(), 'file.part'), hugeBytes, goOn)
  retry.begin(elsewhereBytes)
  vi.advanceTimersToNextTimer()
  await vi.waitFor(() => {
    if (goOn.mock.calls.length === 0 && vi.getTimerCount() === 0) throw new Error('it still looks')
  })
  retry.stop()
  return goOn.mock.calls.length
}

test('it waits while there is no room for what is missing', async () => {
  expect(await goneOn()).toBe(0)
})

// A folder that lends its pieces never has them in the part file, so it waited for room that it did not need.
test('what is here in another place needs no room', async () => {
  expect(await goneOn(hugeBytes - 4096)).toBe(1)
})
