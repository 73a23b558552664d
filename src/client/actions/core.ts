// What the actions of a client are done with.

import type { LimitFunction } from 'p-limit'
import type { Answer } from '../../common/refusal.ts'
import type { Address } from '../../common/addresses.ts'
import type { OwnReachParts } from '../downloading/own-reach.ts'
import type { GuestFetch } from '../guests/guest-fetches.ts'
import type { Session } from '../session.ts'
import type { PieceSource } from '../sharing/piece-source.ts'
import type { Upload } from '../sharing/served-peer.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import type { PortMapEvidence } from '../diagnosis/evidence.ts'
import type { UploadQueue } from '../sharing/upload-queue.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { Whereabouts } from '../tracker-link/whereabouts.ts'
import type { LimitSchedule } from '../transfer/limit-schedule.ts'

/** What the doctor looks at, besides the trackers. */
export interface Examination extends OwnReachParts {
  readonly folder: string
  readonly listen: Address
  readonly whereabouts: Whereabouts
  readonly uploads: UploadQueue
  /** That this client listens on. */
  readonly port: () => number
  /** What a router forwards; undefined where none was to be asked. */
  readonly portMap: () => PortMapEvidence | undefined
  /** Whether this machine had that address when the client started, and has it no more. */
  readonly isGone: (host: string) => boolean
}

export interface Core {
  readonly link: TrackerLink
  /** Of the logged-in user. */
  readonly session: () => Session | undefined
  /** Logins, logouts and what must not happen beside them, one at a time: each sees the session that the last one left. */
  readonly turns: LimitFunction
  /** What others fetch from here. */
  readonly uploads: () => Upload[]
  /** What guests fetch from here. */
  readonly guestFetches: () => GuestFetch[]
  readonly sources: SourceRegistry
  /** Makes the recipe of it before anybody asks for that. */
  readonly prepareRecipe: (source: PieceSource) => void
  readonly limits: LimitSchedule
  /** Groups that this client is leaving at the moment. */
  readonly leaving: Set<string>
  readonly examination: Examination
  readonly login: (user: string, password: string, remember?: boolean) => Promise<Answer<void>>
  readonly logout: () => Promise<Answer<void>>
  readonly deleteAccount: (password: string) => Promise<Answer<void>>
}
