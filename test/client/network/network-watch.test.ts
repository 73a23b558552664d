import { expect, onTestFinished, test, vi } from 'vitest'
import { NetworkWatch, thisMachine, type NetworkChange } from '../../../src/client/network/network-watch.ts'
import { FakeNetwork } from './fake-network.ts'

function watching(): { network: FakeNetwork; watch: NetworkWatch; changes: NetworkChange[] } {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const network = new FakeNetwork()
  const changes: NetworkChange[] = []
  const watch = new NetworkWatch((change) => changes.push(change), network)
  watch.start()
  onTestFinished(() => watch.stop())
  return { network, watch, changes }
}

test('another address is noticed at the next look, once, with the one that is gone', () => {
  const { network, watch, changes } = watching()
  network.look()
  expect(changes).toEqual([])
  network.move('192.168.0.5', '10.0.0.9')
  network.look()
  network.look()
  const [come, gone] = [new Set(['10.0.0.9']), new Set(['192.168.0.5'])]
  expect(changes).toEqual([{ come, gone, woke: false }])
  expect([watch.isGone('192.168.0.5'), watch.isGone('10.0.0.9')]).toEqual([true, false])
  network.move('10.0.0.9', '192.168.0.5')
  network.look()
  expect(changes.at(-1)).toEqual({ come: gone, gone: come, woke: false })
  // This machine had the other one only for a while.
  expect([watch.isGone('192.168.0.5'), watch.isGone('10.0.0.9')]).toEqual([false, false])
})

test('a look that comes minutes late tells that the machine slept, one that is late in a busy program does not', () => {
  const { network, changes } = watching()
  network.look(3900)
  expect(changes).toEqual([])
  network.look(600_000)
  network.look()
  expect(changes).toEqual([{ come: new Set(), gone: new Set(), woke: true }])
})

test('a clock that was set back is no sleep', () => {
  const { network, changes } = watching()
  network.look(-3_600_000)
  network.look()
  expect(changes).toEqual([])
})

test('nothing is told before the start and after the stop', () => {
  const { network, watch, changes } = watching()
  watch.stop()
  network.move('192.168.0.5', '10.0.0.9')
  network.look(600_000)
  expect(changes).toEqual([])
})

test('of this machine only addresses count by which others can come', () => {
  expect([...thisMachine.addresses()].filter((host) => /^(127\.|::1$|fe80:)/.test(host))).toEqual([])
})
