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
  readonly go: () => void
}

/** Every turn at once: for a responder whose requests cost next to nothing. */
export const noWaiting: Turns = {
  ask: ({ go }) => go(),
  onChanged: () => undefined,
  charge: () => undefined,
}
