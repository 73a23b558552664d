// Tickets: a tracker's signed statement that a user was a member of a group and holds a key. A sharing
// client serves only peers that show one and prove the key; knowing its address is not enough.
//
//   base64url(JSON {user, group, key, position, expiresMs, tracker}) "." signature

import * as v from 'valibot'
import { GroupName, UserName } from '../names.ts'
import { Count, PublicKey, TimeMs } from '../protocol/fields.ts'
import { refuse, type Answer } from '../refusal.ts'
import { verifySignature, type Identity } from './identity.ts'

const Ticket = v.strictObject({
  user: UserName,
  group: GroupName,
  /** The key that the bearer must prove. */
  key: PublicKey,
  /** Log position up to which the tracker knew who is a member. */
  position: Count,
  /** By the clock of the tracker that signed. */
  expiresMs: TimeMs,
  /** The key of the tracker that signed. */
  tracker: PublicKey,
})
export type Ticket = v.InferOutput<typeof Ticket>

const context = 'coterie ticket 2'

export function signTicket(tracker: Identity, ticket: Omit<Ticket, 'tracker'>): string {
  const payload = Buffer.from(JSON.stringify({ ...ticket, tracker: tracker.publicKey })).toString('base64url')
  return `${payload}.${tracker.sign(context, payload)}`
}

/**
 * Reads a ticket. Refused as `ticket-invalid` unless a trusted tracker signed it. The caller checks whether it has
 * lapsed, by the clock of that tracker.
 */
export function readTicket(text: string, trustedTrackers: ReadonlySet<string>): Answer<Ticket> {
  const [payload, signature, ...rest] = text.split('.')
  const ticket = payload === undefined || rest.length > 0 ? undefined : parsePayload(payload)
  if (payload === undefined || signature === undefined || ticket === undefined) {
    return refuse('ticket-invalid', 'this ticket cannot be read')
  }
  if (!trustedTrackers.has(ticket.tracker) || !verifySignature(ticket.tracker, signature, context, payload)) {
    return refuse('ticket-invalid', 'this ticket is not from a trusted tracker')
  }
  return { ok: true, value: ticket }
}

function parsePayload(payload: string): Ticket | undefined {
  try {
    const parsed = v.safeParse(Ticket, JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
