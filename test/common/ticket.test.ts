import { expect, test } from 'vitest'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { readTicket, signTicket } from '../../src/common/security/ticket.ts'

const tracker = makeIdentity()
const trusted: ReadonlySet<string> = new Set([tracker.publicKey])
const claims = { user: 'abc', group: 'g1', key: makeIdentity().publicKey, position: 7, expiresMs: 1_000_000 }
const ticket = signTicket(tracker, claims)

function codeFor(text: string, trackers = trusted): string {
  const answer = readTicket(text, trackers)
  return answer.ok ? 'good' : answer.refusal.code
}

/** A ticket with these claims that this tracker signed, whatever they are. */
function signed(payload: string): string {
  const encoded = Buffer.from(payload).toString('base64url')
  return `${encoded}.${tracker.sign('coterie ticket 1', encoded)}`
}

test('a ticket says who may have what until when, and who says so', () => {
  expect(readTicket(ticket, trusted)).toEqual({
    ok: true,
    value: { ...claims, tracker: tracker.publicKey },
  })
})

test('a ticket of a tracker that is not trusted here is worth nothing', () => {
  expect(codeFor(ticket, new Set())).toBe('ticket-invalid')
  expect(codeFor(ticket, new Set([makeIdentity().publicKey]))).toBe('ticket-invalid')
  expect(codeFor(signTicket(makeIdentity(), claims))).toBe('ticket-invalid')
})

test('a ticket that names a trusted tracker but is signed by another is worth nothing', () => {
  const [payload = ''] = ticket.split('.')
  expect(codeFor(`${payload}.${makeIdentity().sign('coterie ticket 1', payload)}`)).toBe('ticket-invalid')
})

test('a signature made for anything else is none for a ticket', () => {
  const [payload = ''] = ticket.split('.')
  expect(codeFor(`${payload}.${tracker.sign('coterie login 1', payload)}`)).toBe('ticket-invalid')
})

// Every bit of every character, and what a lenient decoder would take for the same character or pass over.
test('no changed bit or character anywhere leaves a ticket good', () => {
  const good: string[] = []
  for (let at = 0; at < ticket.length; at++) {
    const code = ticket.charCodeAt(at)
    const flipped = Array.from({ length: 8 }, (_, bit) => String.fromCharCode(code ^ (1 << bit)))
    for (const character of new Set([...flipped, '', '+', '/', '-', '_', '=', '.', ' ', '\n'])) {
      const changed = ticket.slice(0, at) + character + ticket.slice(at + 1)
      if (changed !== ticket && codeFor(changed) !== 'ticket-invalid') good.push(changed)
    }
  }
  expect(good).toEqual([])
})

test.each([
  ['empty', ''],
  ['a dot', '.'],
  ['without signature', ticket.split('.')[0] ?? ''],
  ['with a third part', `${ticket}.x`],
  ['with an empty signature', `${ticket.split('.')[0]}.`],
  ['not JSON', signed('nonsense')],
  ['a list', signed('[]')],
  ['null', signed('null')],
  ['without a group', signed(JSON.stringify({ ...claims, group: undefined, tracker: tracker.publicKey }))],
  [
    'with a name that is none',
    signed(JSON.stringify({ ...claims, user: '../x', tracker: tracker.publicKey })),
  ],
  [
    'with more than its fields',
    signed(JSON.stringify({ ...claims, admin: true, tracker: tracker.publicKey })),
  ],
  [
    'with a time that is none',
    signed(JSON.stringify({ ...claims, expiresMs: 1e300, tracker: tracker.publicKey })),
  ],
])('a ticket that is %s is refused', (_what, text) => {
  expect(codeFor(text)).toBe('ticket-invalid')
})
