// Limits notifications of join requests: reports the first few singly, and the rest of a burst as a count.

/** Requests reported one by one in each window. */
const eachMax = 10
/** Further requests are reported as a count at the end of the window. */
const windowMs = 10_000

export interface JoinRequestsEvents {
  onOne(group: string, user: string): void
  /** This many more requests arrived. */
  onMore(count: number): void
}

export class JoinRequests {
  readonly #events: JoinRequestsEvents
  #told = 0
  #more = 0
  #window: NodeJS.Timeout | undefined

  constructor(events: JoinRequestsEvents) {
    this.#events = events
  }

  onRequested(group: string, user: string): void {
    if (this.#window === undefined) this.#window = setTimeout(() => this.#onWindowOver(), windowMs).unref()
    if (this.#told < eachMax) {
      this.#told++
      this.#events.onOne(group, user)
    } else this.#more++
  }

  #onWindowOver(): void {
    const more = this.#more
    this.#window = undefined
    this.#told = 0
    this.#more = 0
    if (more > 0) this.#events.onMore(more)
  }
}
