// Tells of requests to join: each on a line of its own, and many in a short time as one line.

/** So many are told one by one … */
const eachMax = 10
/** … within this time; further ones are counted, and told as one line at its end. */
const windowMs = 10_000

export interface JoinRequestsEvents {
  onOne(group: string, user: string): void
  /** So many more. */
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
