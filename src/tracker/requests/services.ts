// What the handlers of requests work with.

import type { Answer, RefusalCode } from '../../common/refusal.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { Method } from '../../common/wire/methods.ts'
import type { Handlers } from '../../common/wire/responder.ts'
import type { Attempts } from '../admission/attempts.ts'
import type { Presence } from '../presence/presence.ts'
import type { Reach } from '../reach/reach.ts'
import type { Sequencer } from '../sequencer.ts'
import type { Advertised } from './advertised.ts'
import type { AnsweredHere } from './answered-here.ts'
import type { Requester } from './requester.ts'

/** Why a login is refused: the code of the answer. */
export type RefusedLogin = Extract<RefusalCode, 'login-failed' | 'too-many-attempts' | 'proof-failed'>

export interface Services {
  readonly sequencer: Sequencer
  readonly presence: Presence
  readonly identity: Identity
  readonly attempts: Attempts
  /** Which addresses clients may advertise. */
  readonly advertised: Advertised
  readonly reach: Pick<Reach, 'callPace' | 'probes' | 'relays'>
  readonly answeredHere: AnsweredHere
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** For the tracker's log and its audit. `user` is undefined for a name that does not exist: it may be a password. */
  readonly onLoginRefused: (host: string, user: string | undefined, why: RefusedLogin) => void
}

type TrackerHandlers = Handlers<TrackerProtocol, Requester>

/** The handlers of some of the tracker's methods. */
export type HandlersOf<M extends Method<TrackerProtocol>> = Pick<TrackerHandlers, M>

/** The answer of a request that returns nothing but "done". */
export const nothing: Answer<object> = { ok: true, value: {} }
