// Several connections to one peer, as if they were one.

import { expect, test } from 'vitest'
import { LinkPace } from '../../../src/client/downloading/link-pace.ts'
import { PeerLanes } from '../../../src/client/downloading/peer-lanes.ts'
import type { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import type { PeerLinkEvents } from '../../../src/client/downloading/peer-link-events.ts'
import { Failure } from '../../../src/common/failure.ts'

/** A connection of which the test says what it owes and how fast it is. */
class FakeLink {
  readonly peer = { user: 'ann', key: 'k', host: '192.0.2.1', port: 1, complete: true }
  readonly route = { way: 'direct' } as const
  readonly pace = new LinkPace()
  readonly pieces: number[] = []
  askedCount = 0
  openCount = 0
  receivedBytes = 0
  choosesItself = false
  late = false
  shownAlive = 0
  takenBack = 0
  closedBecause: string | undefined
  #events: PeerLinkEvents | undefined

  constructor(msPerPiece?: number) {
    this.pace.msPerPiece = this.pace.msPerTransfer = this.pace.msPerAnswer = msPerPiece
    this.pace.lastTransferMs = msPerPiece
  }

  get isIdle(): boolean {
    return this.askedCount + this.openCount === 0
  }

  isLate(): boolean {
    return this.late
  }

  use(events: PeerLinkEvents): void {
    this.#events = events
  }

  piece({ index }: { index: number }): Promise<never> {
    this.pieces.push(index)
    this.askedCount++
    return new Promise(() => undefined)
  }

  showLife(): void {
    this.shownAlive++
  }

  get queuedCount(): number {
    return Math.max(0, this.askedCount - 1)
  }

  takeBack(count: number): void {
    this.takenBack += count
  }

  close(why: string): void {
    this.end(new Failure('connection-lost', why))
  }

  end(reason: Failure): void {
    if (this.closedBecause !== undefined) return
    this.closedBecause = reason.message
    this.#events?.onClosed(reason)
  }
}

function lanesOf(...links: FakeLink[]): { lanes: PeerLanes; ends: string[] } {
  const [first, ...others] = links.map((link) => link as unknown as PeerLink)
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
