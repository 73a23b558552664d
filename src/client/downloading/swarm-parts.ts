// What a swarm works with, and what it tells the download that it works for.

import type { Bitfield } from '../../common/bitfield.ts'
import type { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import type { PeerRoutes } from '../reach/peer-routes.ts'
import type { WayRetries } from '../reach/way-retries.ts'
import type { ReadLimit } from '../transfer/read-limit.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'
import type { ConnectTurns } from './connect-turns.ts'
import type { Misdeed } from './contacts.ts'
import type { PartsHere } from './known-blocks.ts'
import type { LanePlaces } from './lane-places.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { Precedence, Rank } from './precedence.ts'
import type { Wishes } from './wishes.ts'

/** How one download reaches peers. */
export interface SwarmNetwork {
  readonly identity: Identity
  /** The ways to peers. */
  readonly routes: PeerRoutes
  /** What becomes of connections when the network changes. */
  readonly changes: NetworkChanges
  /** The download limit. */
  readonly bucket: ReadLimit
  readonly turns: Pick<ConnectTurns, 'run'>
  /** For further connections to far peers; undefined for none. */
  readonly lanes?: LanePlaces | undefined
  /** When to try for better ways than a relay; undefined for never. */
  readonly retries?: WayRetries | undefined
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
  /** What is here of pieces that are missing. */
  readonly parts?: PartsHere | undefined
  /** Pieces that come of what is here, until `Swarm.onStoredHere` or `onNotHere`. */
  readonly fromHere?: Iterable<number> | undefined
  /** See `SpecialPieces`. */
  readonly first?: number | undefined
  /** What somebody waits for. */
  readonly wishes?: Wishes | undefined
}

/** Where the pieces of a swarm go. */
export interface SwarmStore {
  readonly manifest: Manifest
  /** Verified and written. */
  readonly have: Bitfield
  /** The pieces that are to be fetched; undefined for all. */
  readonly wanted: Bitfield | undefined
  /** A buffer for a piece whose bytes begin to arrive. */
  takeBuffer(): PieceBuffer
  /** Resolves to whether the piece is good, and kept then. Rejects with a `file` failure. */
  receive(index: number, piece: PieceBuffer): Promise<boolean>
}

export interface SwarmEvents {
  /** Every piece that is wanted is verified and written. */
  onComplete(): void
  /** The disk does not accept the pieces. */
  onFailure(failure: Failure): void
  /** Called once for each peer that sent bad data, broke the protocol or did not deliver what it promised. */
  onMisbehaved(misdeed: Misdeed): void
  /** A peer refused the ticket. */
  onTicketRefused(): void
}
