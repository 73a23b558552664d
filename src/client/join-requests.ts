// Limits notifications of join requests: reports the first few singly, the rest of a burst as a count, and one that is
// repeated now and then, with how often and since when.

/** Requests reported one by one in each window. */
const eachMax = 10
/** Further requests are reported as a count at the end of the window, and repeated ones at the earliest then. */
const windowMs = 10_000
/** A repeated request is reported after twice as long each time, at most. After a longer silence it is a new one. */
const longestMs = 60 * 60 * 1000
/** Askers to remember, the latest; a forgotten one is reported as new. */
const rememberedMax = 1000

export interface JoinRequestsEvents {
  onOne(group: string, user: string): void
  /** The same request again, so many times in all since then, in milliseconds since 1970. */
  onAgain(group: string, user: string, times: number, sinceMs: number): void
  /** This many more requests arrived. */
  onMore(count: number): void
}

interface Asker {
  readonly group: string
  readonly user: string
  readonly sinceMs: number
  times: number
  timesTold: number
  askedAtMs: number
  toldAtMs: number
  /** How long it is quiet after it was told. */
  pauseMs: number
}

export class JoinRequests {
  readonly #events: JoinRequestsEvents
  readonly #askers = new Map<string, Asker>()
  #told = 0
  #more = 0
  #window: NodeJS.Timeout | undefined

  constructor(events: JoinRequestsEvents) {
    this.#events = events
  }

  onRequested(group: string, user: string): void {
    this.#openWindow()
    const nowMs = Date.now()
    const key = `${group} ${user}`
    const known = this.#askers.get(key)
    this.#askers.delete(key)
    if (known !== undefined && nowMs - known.askedAtMs <= longestMs) {
      this.#askers.set(key, known)
      known.times++
      known.askedAtMs = nowMs
      return
    }
    const once = { times: 1, timesTold: 1, sinceMs: nowMs, askedAtMs: nowMs, toldAtMs: nowMs }
    this.#askers.set(key, { group, user, ...once, pauseMs: windowMs })
    for (const oldest of this.#askers.keys()) {
      if (this.#askers.size <= rememberedMax) break
      this.#askers.delete(oldest)
    }
    if (this.#hasRoom()) this.#events.onOne(group, user)
  }

  #openWindow(): void {
    if (this.#window === undefined) this.#window = setTimeout(() => this.#onWindowOver(), windowMs).unref()
  }

  /** Whether one more line may be said in this window; if not, it counts among the others. */
  #hasRoom(): boolean {
    const hasRoom = this.#told < eachMax
    if (hasRoom) this.#told++
    else this.#more++
    return hasRoom
  }

  #onWindowOver(): void {
    const more = this.#more
    this.#window = undefined
    this.#told = 0
    this.#more = 0
    if (more > 0) this.#events.onMore(more)
    const nowMs = Date.now()
    const repeated = [...this.#askers.values()].filter(({ times, timesTold }) => times > timesTold)
    for (const asker of repeated) if (nowMs - asker.toldAtMs >= asker.pauseMs) this.#tellAgain(asker, nowMs)
    if (repeated.length > 0) this.#openWindow()
  }

  #tellAgain(asker: Asker, nowMs: number): void {
    const { group, user, times, sinceMs } = asker
    asker.timesTold = times
    asker.toldAtMs = nowMs
    asker.pauseMs = Math.min(2 * asker.pauseMs, longestMs)
    if (this.#hasRoom()) this.#events.onAgain(group, user, times, sinceMs)
  }
}
