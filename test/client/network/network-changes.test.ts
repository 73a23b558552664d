import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Lifeline } from '../../../src/client/network/lifeline.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { Failure } from '../../../src/common/failure.ts'
import { FakeNetwork } from './fake-network.ts'

const withinMs = 2000

let network: FakeNetwork
let changes: NetworkChanges

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  network = new FakeNetwork()
  changes = new NetworkChanges(network)
  changes.start()
  onTestFinished(() => changes.stop())
})

/** A connection from this address, whose other end answers pings or does not. */
class Connection {
  isUp = true
  isAnswering = true
  lastHeardAtMs = 0
  isHeldBack = false
  pings = 0
  closedBecause: string | undefined
  readonly forget: () => void

  constructor(localHost = '192.168.0.5') {
    const channel = { localHost, lastHeardAtMs: 0, isPausedFor: () => this.isHeldBack }
    Object.defineProperty(channel, 'lastHeardAtMs', { get: () => this.lastHeardAtMs })
    const lifeline = new Lifeline({
      channel,
      ping: (timeoutMs) => this.#ping(timeoutMs),
      close: (why) => (this.closedBecause = why),
    })
    this.forget = changes.follow(lifeline, withinMs, () => this.isUp)
  }

  #ping(timeoutMs: number): Promise<void> {
    this.pings++
    if (this.isAnswering) return Promise.resolve()
    return new Promise((_resolve, reject) => {
      setTimeout(() => reject(new Failure('timeout', 'no answer')), timeoutMs)
    })
  }
}

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

test('a connection from an address that is gone ends at once, the others when they give no sign of life in time', async () => {
  const [gone, silent, alive] = [new Connection(), new Connection('fd00::5'), new Connection('fd00::5')]
  silent.isAnswering = false
  network.move('192.168.0.5', '10.0.0.9')
  network.look()
  expect(gone.closedBecause).toBe('this machine is no longer at 192.168.0.5')
  await passes(withinMs - 1)
  expect(silent.closedBecause).toBeUndefined()
  await passes(1)
  expect([silent.closedBecause, alive.closedBecause]).toEqual(['it does not answer', undefined])
})

test('after a sleep all are asked, and bytes count as a sign unless they had come before', async () => {
  const [talking, leftover, limited] = [new Connection(), new Connection(), new Connection()]
  for (const connection of [talking, leftover, limited]) connection.isAnswering = false
  limited.isHeldBack = true
  network.look(600_000)
  await passes(100)
  leftover.lastHeardAtMs = performance.now()
  await passes(1000)
  talking.lastHeardAtMs = performance.now()
  await passes(withinMs)
  expect([talking.closedBecause, leftover.closedBecause, limited.closedBecause]).toEqual([
    undefined,
    'it does not answer',
    undefined,
  ])
})

test('what is being tried at a change is given up, and what begins then is not', () => {
  const before = changes.attempts
  const connecting = new Connection()
  connecting.isUp = false
  network.look(600_000)
  expect(before.reason).toMatchObject({ code: 'connection-lost', message: 'the network has changed' })
  expect(connecting.closedBecause).toBe('the network has changed')
  expect(changes.attempts.aborted).toBe(false)
})

test('one that has closed is not asked, and listeners hear of a change after connections do', () => {
  const closed = new Connection()
  const open = new Connection()
  closed.forget()
  const heard: unknown[] = []
  const unsubscribe = changes.subscribe(({ woke, gone }) => heard.push([woke, [...gone], open.closedBecause]))
  network.move('192.168.0.5', '10.0.0.9')
  network.look()
  unsubscribe()
  network.look(600_000)
  expect(heard).toEqual([[false, ['192.168.0.5'], 'this machine is no longer at 192.168.0.5']])
  expect([closed.pings, closed.closedBecause]).toEqual([0, undefined])
})

test('a peer that vanishes has the others asked, once in five seconds, however many vanish', async () => {
  const [one, other] = [new Connection(), new Connection()]
  for (let peer = 0; peer < 10; peer++) changes.onSilence()
  await passes(4900)
  changes.onSilence()
  await passes(0)
  expect([one.pings, other.pings]).toEqual([1, 1])
  await passes(200)
  changes.onSilence()
  expect([one.pings, other.pings]).toEqual([2, 2])
})

test('one that is being asked is not asked again beside', async () => {
  const silent = new Connection()
  silent.isAnswering = false
  changes.onSilence()
  network.look(600_000)
  await passes(0)
  expect(silent.pings).toBe(1)
})
