// A login: a connection with a logged-in user, as presence sees it. One user may have several.

import type { Place } from '../../common/protocol/tracker-fields.ts'
import type { News } from './news.ts'

export interface Login {
  readonly user: string
  /** The number of its account, and the account's epoch up to which the login holds. */
  readonly account: number
  epoch: number
  /** The key it proved at login. */
  readonly key: string
  /** Where others are sent: the address that the tracker sees, or another one that the client may advertise. */
  readonly host: string
  /** The port where it says that it listens. */
  readonly port: number
  /** Where its connection comes from, as seen. */
  readonly outside: Place
  /** The address of this tracker to which it came; empty when the connection closed at once. */
  readonly inside: string
  /** Its private addresses, for those who are seen at the same one. */
  readonly local: readonly string[]
  /** Where it listens there. */
  readonly localPort: number
  /** Its router forwards the port. */
  readonly mapped: boolean
  /** It forwards connections of others. */
  readonly relays: boolean
  /** Its program knows what it is to do when another one calls it. */
  readonly takesCalls: boolean
  /** Whether this tracker came to where it says that it listens; undefined before that is known. */
  reachable: boolean | undefined
  /** The notifications that it has yet to get. */
  readonly news: News
  /** By group: its last ticket, kept because a signature costs more than all else in an answer. */
  readonly tickets: Map<string, IssuedTicket>
  /** Ends it from this side, and then its connection, with a sentence. */
  readonly end: (why: string) => void
}

export interface IssuedTicket {
  /** `ticket` and `expiresMs` of an answer, as JSON without its braces. */
  readonly json: string
  /** By the clock of this tracker, in milliseconds since 1970. */
  readonly expiresMs: number
}
