// Who may be served: holders of a ticket from a trusted tracker, that has not lapsed, and whose owner
// has not been removed from the group since it was issued. Nobody while no user is logged in.

import { ticketLifetimeMs } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { readTicket, type Ticket } from '../../common/security/ticket.ts'

export class TicketOffice {
  #trackers: ReadonlySet<string> = new Set()
  #open = false
  /** Trackers' clock minus the monotonic clock, in milliseconds: steps of this computer's clock do not count. */
  #clockOffsetMs = Date.now() - performance.now()
  /** By "group user": when that user was removed, by the trackers' clock. */
  readonly #removedAtMs = new Map<string, number>()
  /** Whether a tracker is connected. While none is, nobody can renew a ticket. */
  #connected = false

  open(): void {
    this.#open = true
  }

  /** Removals are remembered: a logout does not make an old ticket good again. */
  close(): void {
    this.#open = false
  }

  onTrackers(keys: readonly string[]): void {
    this.#trackers = new Set(keys)
  }

  onTrackerTime(trackerMs: number): void {
    this.#clockOffsetMs = trackerMs - performance.now()
  }

  onConnected(connected: boolean): void {
    this.#connected = connected
  }

  /**
   * Tickets of this user for this group that were issued until then count no more. The time is a tracker's
   * word, like that in the ticket: what is known here of its clock is late by as much as its answer took.
   */
  onRemoved(group: string, user: string, atTrackerMs: number): void {
    const nowMs = this.#nowMs()
    for (const [key, atMs] of this.#removedAtMs) {
      if (atMs + ticketLifetimeMs < nowMs) this.#removedAtMs.delete(key)
    }
    const key = `${group} ${user}`
    // Each tracker tells it, and may have issued tickets until it heard of it.
    this.#removedAtMs.set(key, Math.max(atTrackerMs, this.#removedAtMs.get(key) ?? 0))
  }

  admit(text: string): Answer<Ticket> {
    if (!this.#open) return refuse('unavailable', 'nobody is logged in here')
    const read = readTicket(text, this.#trackers, this.#nowMs())
    if (!read.ok) return read
    const removedAtMs = this.#removedAtMs.get(`${read.value.group} ${read.value.user}`)
    const issuedAtMs = read.value.expiresMs - ticketLifetimeMs
    if (removedAtMs !== undefined && issuedAtMs <= removedAtMs) {
      return refuse('ticket-invalid', `${read.value.user} is no longer a member of ${read.value.group}`)
    }
    return read
  }

  /**
   * Whether a connection that was admitted may go on. While no tracker can be reached, nobody can renew
   * and nobody can be removed: those who are in stay in, so that a transfer never stops for a tracker.
   */
  isStillGood(ticket: Ticket): boolean {
    return this.#open && (!this.#connected || ticket.expiresMs > this.#nowMs())
  }

  #nowMs(): number {
    return performance.now() + this.#clockOffsetMs
  }
}
