// Several connections to one peer, as if they were one.

import { expect, test } from 'vitest'
import { PeerLanes } from '../../../src/client/downloading/peer-lanes.ts'
import { Failure } from '../../../src/common/failure.ts'
import { FakeLink } from './fake-link.ts'

function lanesOf(...links: FakeLink[]): { lanes: PeerLanes; ends: string[] } {
  const [first, ...others] = links.map(({ asLink }) => asLink)
  const lanes = new PeerLanes(first!)
  const ends: string[] = []
  lanes.use({ onHave: () => {}, onChosen: () => {}, onClosed: ({ code }) => ends.push(code) })
  for (const link of others) lanes.add(link, () => ends.push('one of several'))
  lanes.askOn(links.length)
  return { lanes, ends }
}

function ask(lanes: PeerLanes, count: number): void {
  const nothing = (): never => {
    throw new Error('nothing comes')
  }
  for (let index = 0; index < count && lanes.wantsMore(16); index++)
    void lanes.piece({ index }, nothing, nothing)
}

test('each piece is requested where it would come soonest, and no more than each one needs', () => {
  const [fast, slow, fresh] = [new FakeLink(50), new FakeLink(200), new FakeLink()]
  const { lanes } = lanesOf(fast, slow, fresh)
  ask(lanes, 100)
  expect([fast, slow, fresh].map(({ pieces }) => pieces.length)).toEqual([6, 3, 12])
  expect(lanes.askedCount).toBe(21)
  expect(lanes.wantsMore(16)).toBe(false)
  expect(lanes.wantsMore(7)).toBe(false)
})

test('nothing is requested where what is owed is overdue, and all are late only together', () => {
  const [late, other] = [new FakeLink(50), new FakeLink(50)]
  const { lanes } = lanesOf(late, other)
  ask(lanes, 2)
  late.late = true
  ask(lanes, 100)
  expect([late, other].map(({ pieces }) => pieces.length)).toEqual([1, 6])
  expect(lanes.isLate(0)).toBe(false)
  other.late = true
  expect(lanes.isLate(0)).toBe(true)
})

test('those that are not asked any more stay open, until they are not kept', () => {
  const links = [new FakeLink(50), new FakeLink(50), new FakeLink(50)]
  const { lanes, ends } = lanesOf(...links)
  lanes.askOn(1)
  ask(lanes, 100)
  expect(links.map(({ pieces }) => pieces.length)).toEqual([6, 0, 0])
  expect([lanes.count, lanes.awaitsUnasked]).toEqual([3, false])
  lanes.keep(1)
  expect([lanes.count, lanes.lostCount, ends]).toEqual([1, 0, ['one of several', 'one of several']])
})

test('the peer is gone with the last connection, and what came on the others counts', () => {
  const [first, second] = [new FakeLink(50), new FakeLink(50)]
  const { lanes, ends } = lanesOf(first, second)
  first.receivedBytes = 7
  first.end(new Failure('connection-lost', 'it is gone'))
  expect([ends, lanes.count, lanes.lostCount, lanes.receivedBytes]).toEqual([[], 1, 1, 7])
  second.end(new Failure('timeout', 'it is silent'))
  expect(ends).toEqual(['one of several', 'timeout'])
})

test('a peer that breaks the protocol on one of them has broken it, and is told of once', () => {
  const [first, second] = [new FakeLink(50), new FakeLink(50)]
  const { ends } = lanesOf(first, second)
  second.end(new Failure('protocol', 'it sent nonsense'))
  expect(first.closedBecause).toBe('it sent nonsense')
  expect(ends).toEqual(['one of several', 'protocol'])
})

test('at the end one that is overdue makes room for one that owes nothing', () => {
  const [late, idle] = [new FakeLink(50), new FakeLink(50)]
  const { lanes } = lanesOf(late, idle)
  late.late = true
  late.askedCount = idle.askedCount = 1
  lanes.dropLate(0)
  expect(lanes.count).toBe(2)
  idle.askedCount = 0
  lanes.dropLate(0)
  expect([lanes.count, late.closedBecause]).toEqual([1, 'another connection is faster'])
})

test('one that grows is asked for four times what it brings in a round trip', () => {
  const [one, other] = [new FakeLink(50), new FakeLink(50)]
  one.pace.roundTripMs = 100
  const { lanes } = lanesOf(one, other)
  ask(lanes, 100)
  expect([one, other].map(({ pieces }) => pieces.length)).toEqual([9, 6])
})

test('at the end half of what waits longest is asked for where nothing is owed, if it comes much sooner there', () => {
  const [slow, idle] = [new FakeLink(200), new FakeLink(100)]
  slow.pace.roundTripMs = idle.pace.roundTripMs = 50
  const { lanes } = lanesOf(slow, idle)
  slow.askedCount = 2
  lanes.takeBackLast()
  expect(slow.takenBack).toBe(0)
  slow.askedCount = 4
  idle.askedCount = 1
  lanes.takeBackLast()
  expect(slow.takenBack).toBe(0)
  idle.askedCount = 0
  lanes.takeBackLast()
  expect([slow.takenBack, idle.takenBack]).toEqual([2, 0])
})

test('what those owe that are not asked any more is taken back', () => {
  const links = [new FakeLink(50), new FakeLink(50)]
  const { lanes } = lanesOf(...links)
  ask(lanes, 100)
  lanes.askOn(1)
  lanes.askOn(1)
  expect(links.map(({ takenBack }) => takenBack)).toEqual([0, 5])
})

test('the peer does not choose while more connections are being opened', () => {
  const { lanes } = lanesOf(new FakeLink())
  expect(lanes.mayChoose).toBe(true)
  lanes.opening = 7
  expect(lanes.mayChoose).toBe(false)
  ask(lanes, 100)
  expect(lanes.askedCount).toBe(12)
})

// A sharer closes what a client that comes back has left behind: connections that are silent from then on.
test('the peer hears on each that it is not left behind when one more is opened', () => {
  const links = [new FakeLink(50), new FakeLink(50), new FakeLink(50)]
  lanesOf(...links)
  expect(links.map(({ shownAlive }) => shownAlive)).toEqual([2, 1, 0])
})

test('a better way takes the place of a relay, which gives what it has begun to and ends', () => {
  const [relay, better] = [new FakeLink(50, 'relayed'), new FakeLink(undefined, 'punched')]
  const { lanes, ends } = lanesOf(relay)
  ask(lanes, 3)
  relay.receivedBytes = 7
  lanes.moveTo(better.asLink)
  expect([lanes.route.way, lanes.count, relay.allTakenBack, lanes.askedCount]).toEqual(['punched', 1, 1, 3])
  ask(lanes, 100)
  expect([relay.pieces.length, better.pieces.length]).toEqual([3, 12])
  lanes.keep(1)
  lanes.closeLeft(0)
  expect(relay.closedBecause).toBeUndefined()
  relay.askedCount = 0
  lanes.closeLeft(0)
  expect(relay.closedBecause).toBe('there is a better way')
  expect([lanes.receivedBytes, lanes.askedCount, lanes.lostCount, ends]).toEqual([7, 12, 0, []])
})

test('nothing is asked for by the better way while the peer may still choose it on the relay', () => {
  const [relay, better] = [new FakeLink(50, 'relayed'), new FakeLink(50, 'direct')]
  const { lanes } = lanesOf(relay)
  relay.openCount = 2
  lanes.moveTo(better.asLink)
  expect([lanes.mayChoose, lanes.wantsMore(16)]).toEqual([false, false])
  relay.openCount = 0
  expect(lanes.wantsMore(16)).toBe(true)
  lanes.closeLeft(0)
  expect(lanes.mayChoose).toBe(true)
})

test('a relay that is overdue is not waited for, and one that is left ends with the better way', () => {
  const [relay, better] = [new FakeLink(50, 'relayed'), new FakeLink(50, 'direct')]
  const late = lanesOf(relay)
  ask(late.lanes, 2)
  late.lanes.moveTo(better.asLink)
  relay.late = true
  late.lanes.closeLeft(0)
  expect([relay.closedBecause, late.ends]).toEqual(['there is a better way', []])
  const [left, lost] = [new FakeLink(50, 'relayed'), new FakeLink(50, 'direct')]
  const { lanes, ends } = lanesOf(left)
  ask(lanes, 2)
  lanes.moveTo(lost.asLink)
  lost.end(new Failure('timeout', 'it is silent'))
  expect([left.closedBecause, ends.length]).toEqual(['it is silent', 1])
})
