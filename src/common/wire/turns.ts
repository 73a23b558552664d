// Decides whose request is served next, and when, where many connections share a program.

export interface Turns {
  /**
   * Asks for a turn. `go` is called once, now or later; until then the connection asks for no other, so its requests
   * stay in order. A change holds one of its owner's places until `onChanged`.
   */
  ask(turn: Turn): void
  /** A change of this owner has been answered. */
  onChanged(owner: string): void
  /** Charges this owner for further work, in microseconds, such as telling others of its change. */
  charge(owner: string, microseconds: number): void
}

export interface Turn {
  /** Whose share it takes: a user, or an address before login. */
  readonly owner: string
  /** In microseconds, see `RequestSpec`. */
  readonly cost: number
  readonly mutates: boolean
  /** Whether the connection is gone: then the turn is skipped, and costs its owner nothing. */
  readonly isGone: () => boolean
  readonly go: () => void
}

/** Grants every turn at once: for a responder whose requests cost next to nothing. */
export const noWaiting: Turns = {
  ask: ({ go }) => go(),
  onChanged: () => undefined,
  charge: () => undefined,
}

/** How long work may be put off while new connections are accepted. */
const putOffMaxMs = 3

/**
 * Leaves turns of the event loop to new connections: Node accepts one per turn, from one queue. If turns were long, a
 * few hundred that keep reconnecting would hold up everybody else for seconds.
 */
export class RoomForNewcomers {
  readonly #accepted: () => number
  #seen = 0
  #workedAtMs = 0

  /** `accepted` counts connections. */
  constructor(accepted: () => number) {
    this.#accepted = accepted
  }

  /** Whether to put work off by a turn: a connection has come since the last call, and work was done not long ago. */
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
