// A connection on which somebody is logged in, as presence knows it. One user may have several.

import type { News } from './news.ts'

export interface Login {
  readonly user: string
  /** The key it proved at login. */
  readonly key: string
  /** As the tracker sees it, never as the client claims. */
  readonly host: string
  /** Where it says that it listens. */
  readonly port: number
  /** What it has yet to be told. */
  readonly news: News
  /** By group: the last ticket that it was given. A signature costs more than all else of an answer. */
  readonly tickets: Map<string, IssuedTicket>
}

export interface IssuedTicket {
  readonly text: string
  /** By the clock of this tracker, in milliseconds since 1970. */
  readonly expiresMs: number
}
