// What a swarm works with, and what it tells the download that it works for.

import type { Address } from '../../common/addresses.ts'
import type { Failure } from '../../common/failure.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { ReadLimit } from '../transfer/read-limit.ts'
import type { ConnectTurns } from './connect-turns.ts'
import type { Misdeed } from './contacts.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { Precedence, Rank } from './precedence.ts'

/** How one download reaches peers. */
export interface SwarmNetwork {
  readonly identity: Identity
  readonly protection: Protection
  readonly listen: Address
  /** The download limit. */
  readonly bucket: ReadLimit
  readonly turns: Pick<ConnectTurns, 'run'>
}

/** Shared by all downloads of a client. */
export interface ClientNetwork extends SwarmNetwork {
  readonly turns: ConnectTurns
  readonly precedence: Precedence
}

/** What a download knows before it has a swarm. */
export interface KnownOfPeers {
  readonly ticket: string
  readonly notes: PeerNotes
  /** Of this download among all that run. */
  readonly rank: Rank
}

export interface SwarmEvents {
  /** Every piece is verified and written. */
  onComplete(): void
  /** The disk does not accept the pieces. */
  onFailure(failure: Failure): void
  /** Called once for each peer that sent bad data, broke the protocol or did not deliver what it promised. */
  onMisbehaved(misdeed: Misdeed): void
  /** A peer refused the ticket. */
  onTicketRefused(): void
}
