// What the actions of a client are done with.

import type { LimitFunction } from 'p-limit'
import type { Answer } from '../../common/refusal.ts'
import type { Session } from '../session.ts'
import type { Upload } from '../sharing/served-peer.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { LimitSchedule } from '../transfer/limit-schedule.ts'

export interface Core {
  readonly link: TrackerLink
  /** Of the logged-in user. */
  readonly session: () => Session | undefined
  /** Logins, logouts and what must not happen beside them, one at a time: each sees the session that the last one left. */
  readonly turns: LimitFunction
  /** What others fetch from here. */
  readonly uploads: () => Upload[]
  readonly sources: SourceRegistry
  readonly limits: LimitSchedule
  /** Groups that this client is leaving at the moment. */
  readonly leaving: Set<string>
  readonly login: (user: string, password: string, remember?: boolean) => Promise<Answer<void>>
  readonly logout: () => Promise<Answer<void>>
  readonly deleteAccount: (password: string) => Promise<Answer<void>>
}
