// Decides who may be served: nobody while no user is logged in; else holders of a ticket that a trusted tracker
// signed, that has not lapsed, and whose owner has not been removed from the group since. A ticket carries the time
// of its tracker, and any clock may be set, so time here is monotonic, with an offset for each tracker, asked anew
// when a ticket does not fit it. Positions in the community's log, not clocks, tell whether a ticket was issued
// before a removal.

import { ticketLifetimeMs, trackerKeysMax } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { readTicket, type Ticket } from '../../common/security/ticket.ts'

/** The latest removals remembered: far more than happen within the life of a ticket. */
const removedMax = 10_000
/** A ticket dated further ahead was issued before its tracker's clock was set back. */
const aheadMaxMs = ticketLifetimeMs / 2
/** Smaller differences come from late answers, not from a clock that was set. */
const stepMinMs = 5000
const askAtMostEveryMs = 1000
/** Tickets known to be validly signed: a downloader shows one for each file, and again when it reconnects. */
const checkedMax = 512

export class TicketOffice {
  readonly #askTimes: () => void
  #trackers: ReadonlySet<string> = new Set()
  #open = false
  /** By the key of the tracker: its clock minus the monotonic clock, in milliseconds. */
  readonly #offsetsMs = new Map<string, number>()
  /** For a tracker whose time is unknown: the offset of the last one that reported it, or of this computer. */
  #lastOffsetMs = Date.now() - performance.now()
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** By "group user": where in the log that user was removed. */
  readonly #removedAt = new Map<string, number>()
  /** By text: tickets with a valid signature. */
  readonly #checked = new Map<string, Ticket>()
  /** Whether a tracker is connected. While none is, nobody can renew a ticket. */
  #connected = false

  /** `askTimes` asks the trackers for their time; `onTrackerTime` hears of it. */
  constructor(askTimes: () => void) {
    this.#askTimes = askTimes
  }

  /** How many removals are remembered. */
  get removedCount(): number {
    return this.#removedAt.size
  }

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

  /** The time that the tracker with this key reports, in milliseconds since 1970. */
  onTrackerTime(key: string, timeMs: number): void {
    const offsetMs = timeMs - performance.now()
    const known = this.#offsetsMs.get(key)
    if (known !== undefined && Math.abs(offsetMs - known) < stepMinMs) return
    this.#lastOffsetMs = offsetMs
    putLast(this.#offsetsMs, key, offsetMs, trackerKeysMax)
  }

  onConnected(connected: boolean): void {
    this.#connected = connected
  }

  /** Invalidates tickets of this user for this group that vouch for this position of the log or an earlier one. */
  onRemoved(group: string, user: string, position: number): void {
    const key = `${group} ${user}`
    // Every tracker reports it, perhaps late.
    putLast(this.#removedAt, key, Math.max(position, this.#removedAt.get(key) ?? 0), removedMax)
  }

  /** The user of a ticket that was shown before with a valid signature; it may have lapsed since. */
  userOf(text: string): string | undefined {
    return this.#checked.get(text)?.user
  }

  admit(text: string): Answer<Ticket> {
    if (!this.#open) return refuse('unavailable', 'nobody is logged in here')
    const read = this.#read(text)
    if (!read.ok) return read
    const ticket = read.value
    if (!this.#isCurrent(ticket)) return refuse('ticket-lapsed', 'this ticket has expired')
    const removedAt = this.#removedAt.get(`${ticket.group} ${ticket.user}`)
    if (removedAt !== undefined && ticket.position <= removedAt) {
      return refuse('ticket-invalid', `${ticket.user} is no longer a member of ${ticket.group}`)
    }
    return read
  }

  /**
   * Whether a connection that was admitted may continue. While no tracker can be reached, nobody can renew and nobody
   * can be removed: those who are in stay in, so that no transfer stops for a tracker.
   */
  isStillGood(ticket: Ticket): boolean {
    return this.#open && (!this.#connected || this.#isCurrent(ticket))
  }

  #read(text: string): Answer<Ticket> {
    const checked = this.#checked.get(text)
    if (checked !== undefined && this.#trackers.has(checked.tracker)) return { ok: true, value: checked }
    const read = readTicket(text, this.#trackers)
    if (read.ok) putLast(this.#checked, text, read.value, checkedMax)
    return read
  }

  #isCurrent(ticket: Ticket): boolean {
    const leftMs = this.#expiresMs(ticket) - performance.now()
    if (leftMs > 0 && leftMs <= ticketLifetimeMs + aheadMaxMs) return true
    if (performance.now() - this.#askedAtMs >= askAtMostEveryMs) {
      this.#askedAtMs = performance.now()
      this.#askTimes()
    }
    return false
  }

  /** When the ticket expires, by the monotonic clock. */
  #expiresMs({ tracker, expiresMs }: Ticket): number {
    return expiresMs - (this.#offsetsMs.get(tracker) ?? this.#lastOffsetMs)
  }
}

/** Puts it at the end, and drops what was put first once there are more than `max`. */
function putLast<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key)
  map.set(key, value)
  for (const first of map.keys()) {
    if (map.size <= max) break
    map.delete(first)
  }
}
