// Reads that wait until the state is current: which ones do, and what became of whoever asked.

import { expect, test } from 'vitest'
import type { TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept } from '../../../src/common/refusal.ts'
import type { Handlers } from '../../../src/common/wire/responder.ts'
import { readingCurrentState } from '../../../src/tracker/sessions/current-reads.ts'
import type { Session } from '../../../src/tracker/sessions/session.ts'

const methods = ['hello', 'ping', 'logout', 'create_group', 'login_start', 'list_groups', 'announce'] as const

/** Handlers that remember that they were called, and a state that becomes current when it is told to. */
function handlersThatWait(): {
  called: string[]
  ask: (method: (typeof methods)[number], session?: object) => unknown
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
    ask: (method, session = { isLoggedIn: true }) => handlers[method]({} as never, session as Session, 1),
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

test('somebody who has logged out, or gone, while a read waited is not served', async () => {
  const { called, ask, becomeCurrent } = handlersThatWait()
  const session = { isLoggedIn: true }
  const [announced, started] = [ask('announce', session), ask('login_start', session)]
  session.isLoggedIn = false
  becomeCurrent()
  expect(await announced).toMatchObject({ refusal: { code: 'login-first' } })
  expect(await started).toMatchObject({ ok: true })
  expect(called).toEqual(['login_start'])
})
