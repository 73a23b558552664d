// Who may have its next request served, and when, where many connections share one responder.

export interface Turns {
  /**
   * Asks for a turn. `go` is called once, now or later, when it has come; meanwhile the connection asks for no
   * other, so its requests stay in order. `cost`: see `RequestSpec`. A change holds one of its owner's places
   * until `onChanged`.
   */
  ask(turn: Turn): void
  /** A change of this owner has been answered. */
  onChanged(owner: string): void
  /** What this owner asked for has cost so much more, in microseconds, such as to tell others of it. */
  charge(owner: string, microseconds: number): void
}

export interface Turn {
  /** Whose share it is: a user, or an address before there is one. */
  readonly owner: string
  readonly cost: number
  readonly mutates: boolean
  /** Whoever asked is gone: the turn is passed over, and costs its owner nothing. */
  readonly isGone: () => boolean
  readonly go: () => void
}

/** Every turn at once: for a responder whose requests cost next to nothing. */
export const noWaiting: Turns = {
  ask: ({ go }) => go(),
  onChanged: () => undefined,
  charge: () => undefined,
}

/** How long work may be put off for connections that come: that many are accepted in this time. */
const putOffMaxMs = 3

/**
 * Leaves turns of the event loop to connections that come: Node accepts one a turn, and those that wait to be accepted
 * do so in one queue. While turns are long a few hundred that come again and again would keep somebody else waiting
 * for seconds.
 */
export class RoomForNewcomers {
  readonly #accepted: () => number
  #seen = 0
  #workedAtMs = 0

  /** `accepted` counts connections. */
  constructor(accepted: () => number) {
    this.#accepted = accepted
  }

  /** Whether to put work off by a turn: one has come since it was last asked, and work was done not long ago. */
  isNeeded(nowMs: number): boolean {
    const accepted = this.#accepted()
    const hasCome = accepted !== this.#seen
    this.#seen = accepted
    return hasCome && nowMs - this.#workedAtMs < putOffMaxMs
  }

  onWorked(nowMs: number): void {
    this.#workedAtMs = nowMs
  }
}
