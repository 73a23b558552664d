// Who may be served: holders of a ticket from a trusted tracker, that has not lapsed, and whose owner
// has not been removed from the group since it was issued. Nobody while no user is logged in.
//
// A ticket is dated by the clock of the tracker that signed it, which may be set at any time, as may the clock
// here. So time is counted by the monotonic clock here, and each tracker's clock is known as an offset to
// it, which is asked for anew when a ticket does not fit it.

import { ticketLifetimeMs, trackerKeysMax } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { readTicket, type Ticket } from '../../common/security/ticket.ts'

/** Removals that are remembered: far more than there are within the life of a ticket. */
const removedMax = 10_000
/** A ticket from later than this is of a time before its tracker's clock was set back. */
const aheadMaxMs = ticketLifetimeMs / 2
/** What an answer is late by is no step of a clock. Removals and tickets compare to the millisecond meanwhile. */
const stepMinMs = 5000
const askAtMostEveryMs = 1000
/** Tickets whose signature was checked: a downloader shows the same one for each file and again after each cut. */
const checkedMax = 512

interface TrackerClock {
  /** The tracker's clock minus the monotonic clock, in milliseconds. */
  readonly offsetMs: number
  /** Tickets from before the clock was set back look issued as late as this, by the monotonic clock. */
  readonly pastUntilMs: number
}

export class TicketOffice {
  readonly #askTimes: () => void
  #trackers: ReadonlySet<string> = new Set()
  #open = false
  /** By the key of the tracker. */
  readonly #clocks = new Map<string, TrackerClock>()
  /** For a tracker that has not said its time: that of the last one that did, or of this computer. */
  #lastClock: TrackerClock = { offsetMs: Date.now() - performance.now(), pastUntilMs: 0 }
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** By "group user": when that user was removed, by the monotonic clock. */
  readonly #removedAtMs = new Map<string, number>()
  /** By their text: those whose signature is right. */
  readonly #checked = new Map<string, Ticket>()
  /** Whether a tracker is connected. While none is, nobody can renew a ticket. */
  #connected = false

  /** `askTimes` asks the trackers for their time; `onTrackerTime` hears of it. */
  constructor(askTimes: () => void) {
    this.#askTimes = askTimes
  }

  /** Removals that are remembered. */
  get removedCount(): number {
    return this.#removedAtMs.size
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

  /** What the tracker with this key says that it is now, in milliseconds since 1970. */
  onTrackerTime(key: string, timeMs: number): void {
    const nowMs = performance.now()
    const offsetMs = timeMs - nowMs
    const known = this.#clocks.get(key)
    if (known !== undefined && Math.abs(offsetMs - known.offsetMs) < stepMinMs) return
    const setBackMs = known === undefined ? 0 : known.offsetMs - offsetMs
    this.#lastClock = { offsetMs, pastUntilMs: Math.max(known?.pastUntilMs ?? 0, nowMs) + setBackMs }
    putLast(this.#clocks, key, this.#lastClock, trackerKeysMax)
  }

  onConnected(connected: boolean): void {
    this.#connected = connected
  }

  /**
   * Tickets of this user for this group that were issued until then count no more. The time is the word of
   * that tracker, like that in its tickets: what is known here of its clock is late by as much as its answer
   * took. A time that is not now is of a clock that was set.
   */
  onRemoved(group: string, user: string, tracker: string, atTrackerMs: number): void {
    const nowMs = performance.now()
    const toldMs = atTrackerMs - this.#clock(tracker).offsetMs
    const removedMs = toldMs < nowMs + stepMinMs ? Math.max(toldMs, nowMs) : nowMs
    const key = `${group} ${user}`
    // Each tracker tells it, and may have issued tickets until it heard of it.
    const lastMs = Math.max(removedMs, this.#removedAtMs.get(key) ?? 0)
    // A tracker may tell of removals without end.
    putLast(this.#removedAtMs, key, lastMs, removedMax)
    const pastUntilMs = Math.max(...[...this.#clocks.values()].map((clock) => clock.pastUntilMs), 0)
    for (const [oldest, atMs] of this.#removedAtMs) {
      if (Math.max(atMs, pastUntilMs) + ticketLifetimeMs + aheadMaxMs > nowMs) break
      this.#removedAtMs.delete(oldest)
    }
  }

  /** Whose ticket this is, if one like it was shown before; says nothing of whether it still counts. */
  userOf(text: string): string | undefined {
    return this.#checked.get(text)?.user
  }

  admit(text: string): Answer<Ticket> {
    if (!this.#open) return refuse('unavailable', 'nobody is logged in here')
    const read = this.#read(text)
    if (!read.ok) return read
    const ticket = read.value
    if (!this.#isCurrent(ticket)) return refuse('ticket-lapsed', 'this ticket has lapsed')
    const removedMs = this.#removedAtMs.get(`${ticket.group} ${ticket.user}`)
    const issuedMs = this.#expiresMs(ticket) - ticketLifetimeMs
    const pastUntilMs = this.#clock(ticket.tracker).pastUntilMs
    if (removedMs !== undefined && issuedMs <= Math.max(removedMs, pastUntilMs)) {
      return refuse('ticket-invalid', `${ticket.user} is no longer a member of ${ticket.group}`)
    }
    return read
  }

  /**
   * Whether a connection that was admitted may go on. While no tracker can be reached, nobody can renew
   * and nobody can be removed: those who are in stay in, so that a transfer never stops for a tracker.
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

  /** By the monotonic clock. */
  #expiresMs(ticket: Ticket): number {
    return ticket.expiresMs - this.#clock(ticket.tracker).offsetMs
  }

  #clock(tracker: string): TrackerClock {
    return this.#clocks.get(tracker) ?? this.#lastClock
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
