import { afterEach, beforeEach, expect, test, vi } from 'vitest'
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

/** A ticket as the tracker issues it now, by its own clock, when it has read the log so far. */
function ticket({
  user = 'ann',
  group = 'g1',
  from = tracker,
  trackerAheadMs = 0,
  position = 5,
} = {}): string {
  const expiresMs = Date.now() + trackerAheadMs + ticketLifetimeMs
  return signTicket(from, { user, group, key: bearer.publicKey, position, expiresMs })
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
  office.onRemoved('g1', 'ann', 7)
  const code = (position: number): string => codeOf(office, ticket({ position }))
  expect([6, 7, 8].map(code)).toEqual(['ticket-invalid', 'ticket-invalid', 'admitted'])
})

// Two trackers, one clock 5 s ahead: the older ticket of the one ahead was still taken.
test('the order of a removal and a ticket is that of the log, whatever the clocks of their trackers say', () => {
  const office = openOffice()
  const ahead = makeIdentity()
  office.onTrackers([tracker.publicKey, ahead.publicKey])
  office.onTrackerTime(tracker.publicKey, Date.now())
  office.onTrackerTime(ahead.publicKey, Date.now() + 5000)
  const before = ticket({ from: ahead, trackerAheadMs: 5000, position: 6 })
  office.onRemoved('g1', 'ann', 7)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  expect(codeOf(office, ticket({ from: ahead, trackerAheadMs: -5000, position: 9 }))).toBe('admitted')
})

test('several trackers tell of a removal, one of them late, and the last removal counts', () => {
  const office = openOffice()
  office.onRemoved('g1', 'ann', 9)
  office.onRemoved('g1', 'ann', 7)
  expect(codeOf(office, ticket({ position: 8 }))).toBe('ticket-invalid')
})

test('a removal is of one user from one group', () => {
  const office = openOffice()
  office.onRemoved('g1', 'ann', 7)
  expect(codeOf(office, ticket({ user: 'bob' }))).toBe('admitted')
  expect(codeOf(office, ticket({ group: 'g2' }))).toBe('admitted')
})

// Removals were forgotten with the logout: who was removed, and kept the old ticket, was served again
// by everybody who logged out and in within its ten minutes.
test('who was removed stays so when the user of this client logs out and in again', () => {
  const office = openOffice()
  office.onRemoved('g1', 'ann', 7)
  office.close()
  office.open()
  expect(codeOf(office, ticket())).toBe('ticket-invalid')
})

test('a tracker that tells of removals without end does not make the office grow without bound', () => {
  const office = openOffice()
  for (let user = 0; user < 30_000; user++) office.onRemoved('g1', `u${user}`, 7)
  expect(office.removedCount).toBe(10_000)
  expect(codeOf(office, ticket({ user: 'u29999' }))).toBe('ticket-invalid')
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

test('each tracker is believed its own clock', () => {
  const second = makeIdentity()
  const office = openOffice()
  office.onTrackers([tracker.publicKey, second.publicKey])
  office.onTrackerTime(tracker.publicKey, Date.now())
  office.onTrackerTime(second.publicKey, Date.now() + 3_600_000)
  const texts = [ticket(), ticket({ from: second, trackerAheadMs: 3_600_000 })]
  expect(texts.map((text) => codeOf(office, text))).toEqual(['admitted', 'admitted'])
})
