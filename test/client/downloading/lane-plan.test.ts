// On how many connections a peer is asked, over lines of which the test knows what they carry.

import { expect, test } from 'vitest'
import {
  lanesMax,
  LanePlan,
  type LaneFacts,
  type LaneGoal,
} from '../../../src/client/downloading/lane-plan.ts'

const tickMs = 250
const mib = 1024 * 1024

/** A peer at the end of a line; connections open a second after they are wanted. */
class FarPeer {
  readonly plan = new LanePlan()
  facts: Partial<LaneFacts> = {}
  nowMs = 0
  openCount = 1
  lostCount = 0
  asked = 1
  receivedBytes = 0
  /** Each number of connections that was to be open, and to be asked, in order. */
  readonly goals: string[] = []
  readonly #rateOf: (connections: number) => number

  /** `rateOf`: bytes a second that so many connections get. */
  constructor(rateOf: (connections: number) => number) {
    this.#rateOf = rateOf
  }

  runTo(seconds: number): LaneGoal {
    let goal = { open: this.openCount, asked: this.asked }
    for (; this.nowMs <= seconds * 1000; this.nowMs += tickMs) {
      this.receivedBytes += (this.#rateOf(Math.min(this.asked, this.openCount)) * tickMs) / 1000
      goal = this.plan.look({
        nowMs: this.nowMs,
        receivedBytes: this.receivedBytes,
        roundTripMs: 50,
        openCount: this.openCount,
        lostCount: this.lostCount,
        awaitsUnasked: false,
        isUseful: true,
        isLikely: false,
        hasWork: true,
        ...this.facts,
      })
      const text = `${goal.open}/${goal.asked}`
      if (this.goals.at(-1) !== text) this.goals.push(text)
      this.openCount = goal.open
      this.asked = goal.asked
    }
    return goal
  }
}

const factsAtFirst: LaneFacts = {
  nowMs: 0,
  receivedBytes: 0,
  roundTripMs: 50,
  openCount: 1,
  lostCount: 0,
  awaitsUnasked: false,
  isUseful: true,
  isLikely: false,
  hasWork: true,
}

const lossy = (connections: number): number => connections * mib
const full = (): number => 8 * mib

test('where each connection brings as much as the first, all are used within a second, and kept', () => {
  const peer = new FarPeer(lossy)
  expect(peer.runTo(0.75)).toEqual({ open: lanesMax, asked: lanesMax })
  // Nothing is tried while there is no doubt.
  peer.runTo(25)
  expect(peer.goals).toEqual(['1/1', '8/8'])
})

test('fewer are tried now and then, more rarely each time, and given up when less comes', () => {
  const peer = new FarPeer(lossy)
  peer.runTo(150)
  expect(peer.goals).toEqual(['1/1', '8/8', '8/4', '8/8', '8/4', '8/8'])
})

test('where one connection fills the line, one is left within ten seconds, and more are not soon tried again', () => {
  const peer = new FarPeer(full)
  expect(peer.runTo(10)).toEqual({ open: 1, asked: 1 })
  expect(peer.goals).toEqual(['1/1', '8/8', '8/4', '4/2', '2/1', '1/1'])
  peer.runTo(60)
  expect(peer.goals.length).toBe(6)
  peer.runTo(80)
  expect(peer.goals.length).toBeGreaterThan(6)
})

test('as many are kept as it takes', () => {
  const peer = new FarPeer((connections) => Math.min(2.5, connections) * mib)
  expect(peer.runTo(20)).toEqual({ open: 4, asked: 4 })
})

test('all are tried again later, since what was scarce may not be any more', () => {
  let most = 2.5
  const peer = new FarPeer((connections) => Math.min(most, connections) * mib)
  expect(peer.runTo(20).open).toBe(4)
  most = 100
  expect(peer.runTo(55).open).toBe(4)
  expect(peer.runTo(80).open).toBe(lanesMax)
})

test.each([
  ['a near peer', { roundTripMs: 9 }],
  ['a peer whose distance is not known', { roundTripMs: Infinity }],
  ['one of many that give, or one that is held up on purpose', { isUseful: false }],
  ['the end of a file', { hasWork: false }],
])('%s has one connection', (_what, facts) => {
  const peer = new FarPeer(lossy)
  peer.facts = facts
  peer.runTo(30)
  expect(peer.goals).toEqual(['1/1'])
})

test('once something else holds the download up for two seconds, one is left', () => {
  const peer = new FarPeer(lossy)
  peer.runTo(5)
  peer.facts = { isUseful: false }
  peer.runTo(6)
  expect(peer.openCount).toBe(lanesMax)
  peer.runTo(8)
  expect(peer.openCount).toBe(1)
})

test('while this end is the bottleneck, nothing is concluded from what comes', () => {
  const peer = new FarPeer(full)
  peer.runTo(0.75)
  peer.facts = { hasWork: false }
  peer.runTo(30)
  expect(peer.goals).toEqual(['1/1', '8/8'])
})

test('connections that the peer does not take, or closes, are done without for a minute', () => {
  const peer = new FarPeer(lossy)
  peer.runTo(2)
  peer.openCount = 3
  peer.lostCount = 5
  expect(peer.runTo(2.5)).toEqual({ open: 3, asked: 3 })
  peer.openCount = 1
  peer.lostCount = 7
  expect(peer.runTo(60)).toEqual({ open: 1, asked: 1 })
  expect(peer.runTo(65).open).toBe(lanesMax)
})

test('what still comes on connections that are not asked is not taken for what the others bring', () => {
  const peer = new FarPeer(full)
  peer.runTo(3)
  expect(peer.goals.at(-1)).toBe('8/4')
  peer.facts = { awaitsUnasked: true }
  peer.runTo(20)
  expect(peer.goals.at(-1)).toBe('8/4')
  peer.facts = {}
  peer.runTo(22)
  expect(peer.goals).toContain('4/2')
})

test('of a peer that will give most, all are opened before anything comes, and fewer tried only after half a minute', () => {
  const peer = new FarPeer(lossy)
  expect(peer.plan.look({ ...factsAtFirst, isLikely: true })).toEqual({ open: lanesMax, asked: lanesMax })
  expect(new LanePlan().look(factsAtFirst)).toEqual({ open: 1, asked: 1 })
  peer.facts = { isLikely: true }
  expect(peer.runTo(29)).toEqual({ open: lanesMax, asked: lanesMax })
  peer.runTo(35)
  expect(peer.goals).toContain(`${lanesMax}/${lanesMax / 2}`)
  expect(peer.runTo(40)).toEqual({ open: lanesMax, asked: lanesMax })
})
