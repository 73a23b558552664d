import { beforeEach, afterEach, expect, test, vi } from 'vitest'
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

function openOffice(): TicketOffice {
  const office = new TicketOffice()
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
  const office = new TicketOffice()
  office.onTrackers([tracker.publicKey])
  const text = ticket()
  expect(codeOf(office, text)).toBe('unavailable')
  office.open()
  const held = admitted(office, text)
  office.close()
  expect(codeOf(office, text)).toBe('unavailable')
  expect(office.isStillGood(held)).toBe(false)
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
    office.onTrackerTime(Date.now() + trackerAheadMs)
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
  office.onRemoved('g1', 'ann', Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
  passes(1000)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  expect(codeOf(office, ticket())).toBe('admitted')
})

test('a removal counts by the clock of the trackers too', () => {
  const trackerAheadMs = 3_600_000
  const office = openOffice()
  office.onTrackerTime(Date.now() + trackerAheadMs)
  const before = ticket({ trackerAheadMs })
  passes(1000)
  office.onRemoved('g1', 'ann', Date.now() + trackerAheadMs)
  passes(1000)
  expect(codeOf(office, before)).toBe('ticket-invalid')
  expect(codeOf(office, ticket({ trackerAheadMs }))).toBe('admitted')
})

// The tracker's clock was known only as well as its first answer was fast: after a slow one, a removed
// member could go on with a ticket from the moment before the removal, for its whole ten minutes.
test('a ticket from the moment before a removal counts no more, however slow the tracker answered', () => {
  const office = openOffice()
  office.onTrackerTime(Date.now() - 500)
  const before = ticket()
  office.onRemoved('g1', 'ann', Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
  passes(1)
  expect(codeOf(office, ticket())).toBe('admitted')
})

test('of the times at which several trackers tell of a removal the last one counts', () => {
  const office = openOffice()
  passes(10)
  const between = ticket()
  office.onRemoved('g1', 'ann', Date.now())
  office.onRemoved('g1', 'ann', Date.now() - 10)
  expect(codeOf(office, between)).toBe('ticket-invalid')
})

test('a removal is of one user from one group', () => {
  const office = openOffice()
  const tickets = [ticket({ user: 'bob' }), ticket({ group: 'g2' })]
  passes(1000)
  office.onRemoved('g1', 'ann', Date.now())
  expect(tickets.map((text) => codeOf(office, text))).toEqual(['admitted', 'admitted'])
})

test('many removals do not make the office forget one that still counts', () => {
  const office = openOffice()
  passes(1000)
  const before = ticket()
  passes(1000)
  office.onRemoved('g1', 'ann', Date.now())
  for (let user = 0; user < 1000; user++) office.onRemoved('g1', `u${user}`, Date.now())
  passes(ticketLifetimeMs - 2000)
  office.onRemoved('g1', 'zoe', Date.now())
  expect(codeOf(office, before)).toBe('ticket-invalid')
})

// Removals were forgotten with the logout: who was removed, and kept the old ticket, was served again
// by everybody who logged out and in within its ten minutes.
test('who was removed stays so when the user of this client logs out and in again', () => {
  const office = openOffice()
  const before = ticket()
  passes(1000)
  office.onRemoved('g1', 'ann', Date.now())
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
    office.onTrackerTime(Date.now())
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
