import { expect, test } from 'vitest'
import { furtherLanesMax, LanePlaces } from '../../../src/client/downloading/lane-places.ts'
import { peerConnectionLimits } from '../../../src/common/limits.ts'

test('all downloads together have a bounded number of further connections', () => {
  const places = new LanePlaces()
  const taken = Array.from({ length: furtherLanesMax }, () => places.take())
  expect(taken).not.toContain(undefined)
  expect(places.take()).toBeUndefined()
  // One that is given back twice is one.
  taken[0]?.()
  taken[0]?.()
  expect(places.take()).toBeDefined()
  expect(places.take()).toBeUndefined()
  expect(furtherLanesMax).toBeLessThanOrEqual(peerConnectionLimits.ofOwner / 2)
})

test('nobody on this machine is far away', () => {
  const peer = { user: 'ann', key: 'k', port: 1, complete: true }
  const hosts = ['127.0.0.1', '::1', '192.0.2.1']
  expect(hosts.map((host) => new LanePlaces().mayBeFar({ ...peer, host }))).toEqual([false, false, true])
})
