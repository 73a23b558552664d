import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPolling } from '../../../src/web/page/polling.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface Tab extends EventTarget {
  visibilityState: DocumentVisibilityState
}

/** A tab with the page, and what was asked in it. */
function tab(mayAsk = () => true) {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' }) as Tab
  const asked = { live: 0, lists: 0 }
  let held: Promise<void> | undefined
  let heldLists: Promise<void> | undefined
  const loads = {
    live: async () => {
      asked.live++
      await held
    },
    lists: async () => {
      asked.lists++
      await heldLists
    },
  }
  const polling = startPolling(loads, mayAsk, page)
  return {
    asked,
    polling,
    show: (state: DocumentVisibilityState) => {
      page.visibilityState = state
      page.dispatchEvent(new Event('visibilitychange'))
    },
    holdLists: (until: Promise<void>): void => {
      heldLists = until
    },
    hold: (until: Promise<void>): void => {
      held = until
    },
  }
}

test('what moves is asked for once a second, lists every five', async () => {
  const { asked, polling } = tab()
  polling.soon()
  await vi.advanceTimersByTimeAsync(60_500)
  expect(asked).toEqual({ live: 61, lists: 13 })
})

test('lists that take long are asked for less often', async () => {
  const { asked, polling, holdLists } = tab()
  let answer = (): void => {}
  holdLists(new Promise((resolve) => (answer = resolve)))
  polling.soon()
  await vi.advanceTimersByTimeAsync(200)
  answer()
  await vi.advanceTimersByTimeAsync(25_000)
  expect(asked.lists).toBe(1)
  await vi.advanceTimersByTimeAsync(6000)
  expect(asked.lists).toBe(2)
})

test('a hidden tab asks for nothing, and at once when it is seen again', async () => {
  const { asked, polling, show } = tab()
  polling.soon()
  await vi.advanceTimersByTimeAsync(100)
  show('hidden')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked.live).toBe(1)
  show('visible')
  await vi.advanceTimersByTimeAsync(0)
  expect(asked.live).toBe(2)
})

test('a slow client is not asked again before it has answered, and the lists that changed meanwhile come then', async () => {
  const { asked, polling, hold } = tab()
  let answer = (): void => {}
  hold(new Promise((resolve) => (answer = resolve)))
  polling.soon()
  await vi.advanceTimersByTimeAsync(30_000)
  polling.soon()
  expect(asked).toEqual({ live: 1, lists: 1 })
  answer()
  await vi.advanceTimersByTimeAsync(10)
  expect(asked).toEqual({ live: 2, lists: 2 })
})

test('whoever answers slowly is left in peace for four times as long', async () => {
  const { asked, polling, hold } = tab()
  let answer = (): void => {}
  hold(new Promise((resolve) => (answer = resolve)))
  polling.soon()
  await vi.advanceTimersByTimeAsync(500)
  answer()
  await vi.advanceTimersByTimeAsync(1900)
  expect(asked.live).toBe(1)
  await vi.advanceTimersByTimeAsync(200)
  expect(asked.live).toBe(2)
})

test('many events ask for the lists once, in the next round', async () => {
  const { asked, polling } = tab()
  polling.soon()
  await vi.advanceTimersByTimeAsync(10)
  for (let at = 0; at < 1000; at++) polling.nextTime()
  expect(asked).toEqual({ live: 1, lists: 1 })
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked).toEqual({ live: 2, lists: 2 })
})

test('nothing is asked while the client does not answer', async () => {
  let isOpen = false
  const { asked, polling } = tab(() => isOpen)
  polling.soon()
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked.live).toBe(0)
  isOpen = true
  polling.soon()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual({ live: 1, lists: 1 })
})
