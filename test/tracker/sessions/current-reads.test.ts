// Reads that wait until the state is current: which ones do, and what became of whoever asked.

import { expect, test, vi } from 'vitest'
import type { TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept } from '../../../src/common/refusal.ts'
import type { Handlers } from '../../../src/common/wire/responder.ts'
import { MemoryLog } from '../../../src/tracker/log/memory-log.ts'
import { readingCurrentState } from '../../../src/tracker/sessions/current-reads.ts'
import type { Session } from '../../../src/tracker/sessions/session.ts'
import { TestClient } from '../support/test-client.ts'
import { runTracker } from '../support/test-tracker.ts'

const methods = ['hello', 'ping', 'logout', 'create_group', 'login_start', 'list_groups', 'announce'] as const

/** Handlers that remember that they were called, and a state that becomes current when it is told to. */
function handlersThatWait(): {
  called: string[]
  ask: (method: (typeof methods)[number]) => unknown
  becomeCurrent: () => void
} {
  const called: string[] = []
  let becomeCurrent: () => void = () => undefined
  const current = new Promise<void>((resolve) => {
    becomeCurrent = resolve
  })
  const plain = Object.fromEntries(
    methods.map((method) => [method, () => (called.push(method), accept({ method }))]),
  )
  const handlers = readingCurrentState(plain as unknown as Handlers<TrackerProtocol, Session>, () => current)
  return {
    called,
    // Whoever begins to log in is not logged in yet.
    ask: (method) => handlers[method]({} as never, { isLoggedIn: method !== 'login_start' } as Session, 1),
    becomeCurrent,
  }
}

test('requests that read the state wait until it is current, the others do not', async () => {
  const { called, ask, becomeCurrent } = handlersThatWait()
  const answers = methods.map((method) => ask(method))
  expect(called).toEqual(['hello', 'ping', 'logout', 'create_group'])
  becomeCurrent()
  await Promise.all(answers)
  expect(called).toEqual([...methods])
})

// The answer was that something is broken: there was nobody to read for.
test('a logout does not wait for a read, and who has logged out while it waited is refused', async () => {
  const { address } = await runTracker()
  const client = await TestClient.loggedIn(address, 'ann')
  let becomeCurrent: () => void = () => undefined
  const current = new Promise<void>((resolve) => {
    becomeCurrent = resolve
  })
  vi.spyOn(MemoryLog.prototype, 'whenCurrent').mockReturnValue(current as never)
  const listed = client.request('list_groups', {})
  expect(await client.request('logout', {})).toMatchObject({ ok: true })
  becomeCurrent()
  expect(await listed).toMatchObject({ refusal: { code: 'login-first' } })
})
