import { describe, expect, test } from 'vitest'
import { Flow } from '../../../src/client/downloading/flow.ts'
import { PeerNotes } from '../../../src/client/downloading/peer-notes.ts'
import { Failure } from '../../../src/common/failure.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'

function peer(user: string, port = 4000): Peer {
  return { user, key: user, host: '10.0.0.1', port, complete: true }
}

describe('the notes on peers', () => {
  test('leave out this client', () => {
    const notes = new PeerNotes('me')
    notes.onListed([peer('me'), peer('ann')], true)
    expect(notes.all.map(({ user }) => user)).toEqual(['ann'])
  })

  test('keep those that left, and forget that when they come back', () => {
    const notes = new PeerNotes('me')
    notes.onListed([peer('ann'), peer('ben')], true)
    notes.onListed([peer('ben')], true)
    expect([notes.onlineCount, notes.all.length]).toEqual([1, 2])
    notes.onListed([peer('ann')], false)
    expect(notes.onlineCount).toBe(2)
  })

  // Why said that the last one had left 3 s ago, and so it said again 10 s later: each try took him for online.
  test('still say when somebody left, however often he is tried since', () => {
    const notes = new PeerNotes('me')
    notes.onListed([peer('ann')], true)
    notes.onLeft(['ann'])
    const left = notes.all[0]?.leftAtMs
    notes.onTrying(peer('ann'))
    notes.onFailed(peer('ann'), new Failure('timeout', 'no answer'))
    expect(left).toBeTypeOf('number')
    expect([notes.all[0]?.leftAtMs, notes.onlineCount]).toEqual([left, 0])
    notes.onAdmitted(peer('ann'))
    expect(notes.onlineCount).toBe(1)
  })

  test('have a few addresses of each, with how the last try there failed while the next goes on', () => {
    const notes = new PeerNotes('me')
    for (let port = 1; port <= 6; port++)
      notes.onFailed(peer('ann', port), new Failure('timeout', 'no answer'))
    notes.onTrying(peer('ann', 6))
    expect(notes.all[0]?.tries.map(({ address }) => address)).toEqual([
      '10.0.0.1:6',
      '10.0.0.1:5',
      '10.0.0.1:4',
      '10.0.0.1:3',
    ])
    expect(notes.all[0]?.tries[0]?.sentence).toBe('no answer')
    notes.onAdmitted(peer('ann', 6))
    expect(notes.all[0]?.tries).toEqual([])
  })

  test('are bounded, whatever the peers are and say; those that left go first', () => {
    const notes = new PeerNotes('me')
    notes.onListed([peer('first'), peer('second')], true)
    notes.onLeft(['second'])
    for (let count = 0; count < 298; count++) notes.onListed([peer(`p${count}`)], false)
    notes.onRefused(peer('last'), { code: 'busy', sentence: 'x'.repeat(10_000) })
    const users = notes.all.map(({ user }) => user)
    expect([users.length, users.includes('first'), users.includes('second')]).toEqual([300, true, false])
    expect(notes.all.at(-1)?.refusal?.sentence.length).toBe(200)
  })
})

test('a flow is that of the last seconds, and knows when something last came', () => {
  const flow = new Flow(0)
  for (let atMs = 250; atMs <= 4000; atMs += 250) flow.look(atMs, Math.min(atMs, 2000))
  expect(flow.movedAtMs).toBe(2000)
  expect(flow.bytesPerSecond(4000)).toBe(0)
  for (let atMs = 4250; atMs <= 8000; atMs += 250) flow.look(atMs, 2000 + 4 * (atMs - 4000))
  expect(flow.bytesPerSecond(8000)).toBe(4000)
})
