// A port that a router forwards: who is asked, what is told, and that it is taken back. Against routers of its own.

import { expect, onTestFinished, test, vi } from 'vitest'
import { PortMap } from '../../../src/client/reach/port-map.ts'
import type { Forwarding, Router } from '../../../src/client/reach/routers.ts'
import { Failure } from '../../../src/common/failure.ts'

class FakeRouter implements Router {
  readonly patienceMs = 1000
  readonly released: (number | undefined)[] = []
  forwards = 0
  readonly host: string
  outside: Forwarding | undefined

  constructor(host: string, outside: Forwarding | undefined) {
    this.host = host
    this.outside = outside
  }

  async forward(): Promise<Forwarding> {
    this.forwards++
    if (this.outside === undefined)
      throw new Failure('connection-lost', `the router ${this.host} forwards no port`)
    return this.outside
  }

  async release(port: number | undefined): Promise<void> {
    this.released.push(port)
  }
}

/** `changes`: the port outside after each change. */
function mapping(...routers: FakeRouter[]): {
  map: PortMap
  changes: (number | undefined)[]
  looks: () => number
} {
  const changes: (number | undefined)[] = []
  let looks = 0
  const map = new PortMap({
    port: () => 4444,
    find: async function* () {
      looks++
      yield* routers
    },
    onChanged: () => changes.push(map.port),
    onFailure: (bug) => {
      throw bug
    },
  })
  onTestFinished(() => map.stop())
  return { map, changes, looks: () => looks }
}

test('the first router that forwards is taken, and what it forwards is taken back at the end', async () => {
  const refuses = new FakeRouter('192.168.1.1', undefined)
  const forwards = new FakeRouter('192.168.1.2', { port: 4450, host: '192.0.2.7' })
  const { map, changes } = mapping(refuses, forwards)
  map.ask()
  await vi.waitUntil(() => map.port !== undefined)
  expect(changes).toEqual([4450])
  expect(map.evidence).toEqual({ port: 4450 })
  expect(refuses.released).toEqual([undefined])
  await map.stop()
  expect(forwards.released).toEqual([4444])
})

test('where none forwards, it says why and nobody is told of a port', async () => {
  const none = mapping()
  none.map.ask()
  await vi.waitUntil(() => none.map.evidence.problem?.includes('UPnP'))
  const { map, changes } = mapping(new FakeRouter('192.168.1.1', undefined))
  map.ask()
  await vi.waitUntil(() => map.evidence.problem === 'the router 192.168.1.1 forwards no port')
  expect([...changes, ...none.changes]).toEqual([])
})

test('a router behind another one is named: what it forwards leads nowhere', async () => {
  const { map } = mapping(new FakeRouter('192.168.1.1', { port: 4444, host: '10.0.0.7' }))
  map.ask()
  await vi.waitUntil(() => map.port !== undefined)
  expect(map.evidence.problem).toBe('the router 192.168.1.1 is behind another one, which forwards nothing')
})

test('the router that forwards is asked to go on, and another is looked for when it does not', async () => {
  const router = new FakeRouter('192.168.1.1', { port: 4444, host: '192.0.2.7' })
  const { map, changes, looks } = mapping(router)
  map.ask()
  await vi.waitUntil(() => map.port !== undefined)
  map.ask()
  await vi.waitUntil(() => router.forwards === 2)
  expect([looks(), changes]).toEqual([1, [4444]])
  // It was switched off and on, and others have the port now.
  router.outside = { port: 4460, host: '192.0.2.7' }
  map.ask()
  await vi.waitUntil(() => map.port === 4460)
  expect([looks(), changes]).toEqual([2, [4444, 4460]])
  router.outside = undefined
  map.ask()
  await vi.waitUntil(() => map.port === undefined)
  expect(changes).toEqual([4444, 4460, undefined])
})

test('what a router answers after the end is taken back', async () => {
  let answer = (): void => {}
  const router = new FakeRouter('192.168.1.1', undefined)
  const answered = new Promise<void>((resolve) => (answer = resolve))
  router.forward = async () => {
    router.forwards++
    await answered
    return { port: 4444, host: undefined }
  }
  const { map, changes } = mapping(router)
  map.ask()
  await vi.waitUntil(() => router.forwards === 1)
  await map.stop()
  answer()
  await vi.waitUntil(() => router.released.length === 1)
  expect([router.released, changes]).toEqual([[4444], []])
})
