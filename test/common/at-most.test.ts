// Waiting with a limit.

import { afterEach, expect, test, vi } from 'vitest'
import { atMost } from '../../src/common/at-most.ts'

afterEach(() => void vi.useRealTimers())

test('what comes in time is returned, and no timer is left', async () => {
  vi.useFakeTimers()
  expect(await atMost(Promise.resolve('here'), 1000)).toBe('here')
  expect(vi.getTimerCount()).toBe(0)
})

test('what comes too late is not waited for', async () => {
  vi.useFakeTimers()
  const waited = atMost(new Promise<string>(() => undefined), 1000)
  await vi.advanceTimersByTimeAsync(1000)
  expect(await waited).toBeUndefined()
})

test('a failure in time is that of the whole, and a later one is nobody’s', async () => {
  vi.useFakeTimers()
  await expect(atMost(Promise.reject(new Error('gone')), 1000)).rejects.toThrow('gone')
  let fail = (_error: Error): void => undefined
  const waited = atMost(new Promise<string>((_resolve, reject) => (fail = reject)), 1000)
  await vi.advanceTimersByTimeAsync(1000)
  expect(await waited).toBeUndefined()
  fail(new Error('later'))
})
