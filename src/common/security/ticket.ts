// Tickets: a tracker's signed statement that a user was a member of a group and holds a key. A sharing
// client serves only peers that show one and prove the key; knowing its address is not enough.

import * as v from 'valibot'
import { GroupName, UserName } from '../names.ts'
import { Count, PublicKey, TimeMs } from '../protocol/fields.ts'
import { refuse, type Answer } from '../refusal.ts'
import type { Identity } from './identity.ts'
import { fieldsOf, readStatement, signStatement } from './statement.ts'

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
  return signStatement(context, tracker, ticket)
}

/** The group of a ticket that a tracker has given this client; undefined for a text that is none. */
export function groupOf(ownTicket: string): string | undefined {
  const ticket = fieldsOf(Ticket, ownTicket)
  return ticket?.group
}

/**
 * Reads a ticket. Refused as `ticket-invalid` unless a trusted tracker signed it. The caller checks whether it has
 * lapsed, by the clock of that tracker.
 */
export function readTicket(text: string, trustedTrackers: ReadonlySet<string>): Answer<Ticket> {
  const ticket = readStatement(context, Ticket, text, trustedTrackers)
  if (ticket === 'unreadable') return refuse('ticket-invalid', 'this ticket cannot be read')
  if (ticket === 'untrusted') return refuse('ticket-invalid', 'this ticket is not from a trusted tracker')
  return { ok: true, value: ticket }
}
