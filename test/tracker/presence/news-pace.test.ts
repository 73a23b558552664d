// How far apart the rounds of news of a swarm are.

import { expect, onTestFinished, test, vi } from 'vitest'
import { newsPaceMaxMs, newsPaceMinMs, newsPaceMsPerWatcher } from '../../../src/tracker/limits.ts'
import type { Login } from '../../../src/tracker/presence/login.ts'
import { Presence } from '../../../src/tracker/presence/presence.ts'
import { aLogin } from './a-login.ts'

const version = { group: 'g', name: 'f', fileId: 'one' }

/** Somebody who is logged in, and the lines that it was sent. */
function loginOf(presence: Presence, key: string): { login: Login; lines: string[] } {
  const lines: string[] = []
  const outlet = {
    sendLine: (line: string) => void lines.push(line),
    isBehind: false,
    close: () => undefined,
    whenDrained: () => Promise.resolve(),
  }
  const login = aLogin(key, outlet)
  presence.onLogin(login)
  return { login, lines }
}

const byOne = newsPaceMsPerWatcher
test.each([
  [1, newsPaceMinMs],
  [newsPaceMinMs / byOne, newsPaceMinMs],
  [newsPaceMinMs / byOne + 1, newsPaceMinMs + byOne],
  [100, 100 * byOne],
  [newsPaceMaxMs / byOne, newsPaceMaxMs],
  [newsPaceMaxMs / byOne + 1, newsPaceMaxMs],
])('where %i watch a swarm its news are %i ms apart', async (count, paceMs) => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  })
  onTestFinished(() => void vi.useRealTimers())
  const presence = new Presence()
  const watchers = Array.from({ length: count }, (_each, index) => loginOf(presence, `w${index}`))
  for (const { login } of watchers) presence.watch(login, version)
  const seeder = loginOf(presence, 'a').login
  presence.announce(seeder, version, true)
  await vi.advanceTimersByTimeAsync(0)
  presence.retract(seeder, version)
  const [first] = watchers
  expect(first?.lines).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(paceMs - 1)
  expect(first?.lines).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(first?.lines).toHaveLength(2)
})
