import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TicketOffice } from '../../../src/client/sharing/ticket-office.ts'
import { ticketLifetimeMs } from '../../../src/common/limits.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { signTicket, type Ticket } from '../../../src/common/security/ticket.ts'

const tracker = makeIdentity()
const bearer = makeIdentity()

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A ticket as the tracker issues it now, by its own clock. */
function ticket({ user = 'ann', group = 'g1', from = tracker, trackerAheadMs = 0 } = {}): string {
  const expiresMs = Date.now() + trackerAheadMs + ticketLifetimeMs
  return signTicket(from, { user, group, key: bearer.publicKey, expiresMs })
}

function openOffice(askTimes = (): void => undefined): TicketOffice {
  const office = new TicketOffice(askTimes)
  office.onTrackers([tracker.publicKey])
  office.onConnected(true)
  office.open()
  return office
}

/** What the office says to a ticket. */
function codeOf(office: TicketOffice, text: string): string {
  const answer = office.admit(text)
  return answer.ok ? 'admitted' : answer.refusal.code
}

function admitted(office: TicketOffice, text: string): Ticket {
  const answer = office.admit(text)
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  return answer.value
}

function passes(ms: number): void {
  vi.advanceTimersByTime(ms)
}

test('nobody is served while nobody is logged in', () => {
  const office = new TicketOffice(() => undefined)
  office.onTrackers([tracker.publicKey])
  const text = ticket()
  expect(codeOf(office, text)).toBe('unavailable')
  office.open()
  const held = admitted(office, text)
  office.close()
  expect(codeOf(office, text)).toBe('unavailable')
  expect(office.isStillGood(held)).toBe(false)
})

test('a ticket is known again by its text, once its signature was checked', () => {
  const office = openOffice()
  const [text, forged] = [ticket(), `${ticket({ user: 'bob' })}x`]
  expect(office.userOf(text)).toBeUndefined()
  expect([codeOf(office, text), codeOf(office, forged)]).toEqual(['admitted', 'ticket-invalid'])
  expect([office.userOf(text), office.userOf(forged)]).toEqual(['ann', undefined])
  // It counts no longer than otherwise.
  office.onTrackers([])
  expect(codeOf(office, text)).toBe('ticket-invalid')
  office.onTrackers([tracker.publicKey])
  expect(codeOf(office, text)).toBe('admitted')
  passes(ticketLifetimeMs)
  expect([office.userOf(text), codeOf(office, text)]).toEqual(['ann', 'ticket-lapsed'])
})

test('only tickets of trusted trackers count', () => {
  const office = openOffice()
  const stranger = makeIdentity()
  expect(codeOf(office, ticket())).toBe('admitted')
  expect(codeOf(office, ticket({ from: stranger }))).toBe('ticket-invalid')
  expect(codeOf(office, '')).toBe('ticket-invalid')
  expect(codeOf(office, `${ticket()}x`)).toBe('ticket-invalid')
  office.onTrackers([tracker.publicKey, stranger.publicKey])
  expect(codeOf(office, ticket({ from: stranger }))).toBe('admitted')
  office.onTrackers([stranger.publicKey])
  expect(codeOf(office, ticket())).toBe('ticket-invalid')
})

test('a ticket lapses after its lifetime', () => {
  const office = openOffice()
  const text = ticket()
  passes(ticketLifetimeMs - 1)
  expect(codeOf(office, text)).toBe('admitted')
  passes(1)
  expect(codeOf(office, text)).toBe('ticket-lapsed')
})

test('lifetimes are counted by the clock of the trackers, however wrong the clock here is', () => {
  for (const trackerAheadMs of [-5 * 3_600_000, 5 * 3_600_000]) {
    const office = openOffice()
    office.onTrackerTime(tracker.publicKey, Date.now() + trackerAheadMs)
    const text = ticket({ trackerAheadMs })
    expect(codeOf(office, text)).toBe('admitted')
    passes(ticketLifetimeMs)
    expect(codeOf(office, text)).toBe('ticket-lapsed')
  }
})

test('who was removed is not served with a ticket from before, and is with one from after rejoining', () => {
  const office = openOffice()
  const before = ticket()
  passes(1000)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
  passes(1000)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  expect(codeOf(office, ticket())).toBe('admitted')
})

test('a removal counts by the clock of the trackers too', () => {
  const trackerAheadMs = 3_600_000
  const office = openOffice()
  office.onTrackerTime(tracker.publicKey, Date.now() + trackerAheadMs)
  const before = ticket({ trackerAheadMs })
  passes(1000)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now() + trackerAheadMs)
  passes(1000)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  expect(codeOf(office, ticket({ trackerAheadMs }))).toBe('admitted')
})

// The tracker's clock was known only as well as its first answer was fast: after a slow one, a removed
// member could go on with a ticket from the moment before the removal, for its whole ten minutes.
test('a ticket from the moment before a removal counts no more, however slow the tracker answered', () => {
  const office = openOffice()
  office.onTrackerTime(tracker.publicKey, Date.now() - 500)
  const before = ticket()
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
  passes(1)
  expect(codeOf(office, ticket())).toBe('admitted')
})

test('of the times at which several trackers tell of a removal the last one counts', () => {
  const office = openOffice()
  passes(10)
  const between = ticket()
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now() - 10)
  expect(codeOf(office, between)).toBe('ticket-invalid')
})

test('a removal is of one user from one group', () => {
  const office = openOffice()
  const tickets = [ticket({ user: 'bob' }), ticket({ group: 'g2' })]
  passes(1000)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  expect(tickets.map((text) => codeOf(office, text))).toEqual(['admitted', 'admitted'])
})

test('many removals do not make the office forget one that still counts', () => {
  const office = openOffice()
  passes(1000)
  const before = ticket()
  passes(1000)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  for (let user = 0; user < 1000; user++) office.onRemoved('g1', `u${user}`, tracker.publicKey, Date.now())
  passes(ticketLifetimeMs - 2000)
  office.onRemoved('g1', 'zoe', tracker.publicKey, Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
})

// Removals were forgotten with the logout: who was removed, and kept the old ticket, was served again
// by everybody who logged out and in within its ten minutes.
test('who was removed stays so when the user of this client logs out and in again', () => {
  const office = openOffice()
  const before = ticket()
  passes(1000)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  office.close()
  office.open()
  expect(codeOf(office, before)).toBe('ticket-invalid')
})

test('who is in may go on after the ticket lapsed while no tracker can renew it, and no longer', () => {
  const office = openOffice()
  const held = admitted(office, ticket())
  passes(ticketLifetimeMs + 1)
  expect(office.isStillGood(held)).toBe(false)
  office.onConnected(false)
  expect(office.isStillGood(held)).toBe(true)
  office.onConnected(true)
  expect(office.isStillGood(held)).toBe(false)
})

test('nobody gets in with a lapsed ticket, not even while no tracker can be reached', () => {
  const office = openOffice()
  const text = ticket()
  passes(ticketLifetimeMs + 1)
  office.onConnected(false)
  expect(codeOf(office, text)).toBe('ticket-lapsed')
})

test.each([11 * 60_000, -60 * 60_000])(
  'a step of this clock by %i ms changes the worth of no ticket',
  (stepMs) => {
    const office = openOffice()
    office.onTrackerTime(tracker.publicKey, Date.now())
    const text = ticket()
    const held = admitted(office, text)
    vi.setSystemTime(Date.now() + stepMs)
    expect(codeOf(office, text)).toBe('admitted')
    expect(office.isStillGood(held)).toBe(true)
    passes(ticketLifetimeMs + 1)
    expect(codeOf(office, text)).toBe('ticket-lapsed')
    expect(office.isStillGood(held)).toBe(false)
  },
)

/** An office that asks for the time of a tracker, which is `aheadMs` before the clock here. */
function officeOfSteppedTracker(): { office: TicketOffice; clock: { aheadMs: number; asked: number } } {
  const clock = { aheadMs: 0, asked: 0 }
  const office: TicketOffice = openOffice(() => {
    clock.asked++
    office.onTrackerTime(tracker.publicKey, Date.now() + clock.aheadMs)
  })
  office.onTrackerTime(tracker.publicKey, Date.now())
  return { office, clock }
}

// Its clock was known from its greeting only: every download hung at "connecting" until the next login.
test.each([-60 * 60_000, 11 * 60_000])(
  'a step of the clock of a tracker by %i ms is noticed by its tickets, and asked for once a second at most',
  (stepMs) => {
    const { office, clock } = officeOfSteppedTracker()
    const held = admitted(office, ticket())
    clock.aheadMs = stepMs
    const fresh = ticket({ trackerAheadMs: stepMs })
    expect(codeOf(office, fresh)).toBe('ticket-lapsed')
    expect(codeOf(office, fresh)).toBe('admitted')
    // Which one is running, one of the old time cannot say: it is renewed.
    expect(office.isStillGood(held)).toBe(false)
    for (let each = 0; each < 10; each++) office.isStillGood(held)
    expect(clock.asked).toBe(1)
    passes(1000)
    office.isStillGood(held)
    expect(clock.asked).toBe(2)
  },
)

test('a ticket that has lapsed does not count again when the clock of its tracker is set back', () => {
  const { office, clock } = officeOfSteppedTracker()
  const old = ticket()
  passes(ticketLifetimeMs)
  expect(codeOf(office, old)).toBe('ticket-lapsed')
  clock.aheadMs = -60 * 60_000
  passes(1000)
  expect(codeOf(office, ticket({ trackerAheadMs: clock.aheadMs }))).toBe('ticket-lapsed')
  expect(codeOf(office, ticket({ trackerAheadMs: clock.aheadMs }))).toBe('admitted')
  expect(codeOf(office, old)).toBe('ticket-lapsed')
})

describe.each([-60 * 60_000, -60_000, -4000, 11 * 60_000])('a clock that is set by %i ms', (stepMs) => {
  const isAdmitted = (office: TicketOffice, text: string): boolean => codeOf(office, text) === 'admitted'

  test.each(['before', 'after'])(
    'does not bring back with an old ticket who was removed %s it was noticed',
    (when) => {
      const { office, clock } = officeOfSteppedTracker()
      const hoarded = [ticket()]
      passes(60_000)
      hoarded.push(ticket())
      passes(1000)
      clock.aheadMs = stepMs
      const notice = (): void => office.onTrackerTime(tracker.publicKey, Date.now() + stepMs)
      if (when === 'after') notice()
      office.onRemoved('g1', 'ann', tracker.publicKey, Date.now() + stepMs)
      expect(hoarded.some((text) => isAdmitted(office, text))).toBe(false)
      notice()
      // Also not when their time seems to come.
      for (let waitedMs = 0; waitedMs < Math.abs(stepMs) + ticketLifetimeMs; waitedMs += 30_000) {
        passes(30_000)
        office.onRemoved('g1', 'bob', tracker.publicKey, Date.now() + stepMs)
        expect(hoarded.some((text) => isAdmitted(office, text))).toBe(false)
      }
      expect(codeOf(office, ticket({ trackerAheadMs: stepMs }))).toBe('admitted')
    },
  )
})

test('each tracker is believed its own clock', () => {
  const second = makeIdentity()
  const office = openOffice()
  office.onTrackers([tracker.publicKey, second.publicKey])
  office.onTrackerTime(tracker.publicKey, Date.now())
  office.onTrackerTime(second.publicKey, Date.now() + 3_600_000)
  const texts = [ticket(), ticket({ from: second, trackerAheadMs: 3_600_000 })]
  expect(texts.map((text) => codeOf(office, text))).toEqual(['admitted', 'admitted'])
})

test('a tracker that tells of removals without end does not make the office grow without bound', () => {
  const office = openOffice()
  const before = ticket({ user: 'u29999' })
  for (let user = 0; user < 30_000; user++) {
    office.onRemoved('g1', `u${user}`, tracker.publicKey, Number.MAX_SAFE_INTEGER)
  }
  expect(office.removedCount).toBe(10_000)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  passes(ticketLifetimeMs * 2)
  office.onRemoved('g1', 'ann', tracker.publicKey, Date.now())
  expect(office.removedCount).toBe(1)
})
