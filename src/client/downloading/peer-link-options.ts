// What a connection to a peer is opened with.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import type { PeerRoutes } from '../reach/peer-routes.ts'
import type { ReadLimit } from '../transfer/read-limit.ts'
import type { Beside } from './beside.ts'

/** `Link`: what they become. */
export interface PeerLinkOptions<Link> {
  readonly peer: Peer
  readonly fileId: string
  readonly ticket: string
  readonly identity: Identity
  readonly routes: PeerRoutes
  readonly changes: NetworkChanges
  /** The download limit. */
  readonly bucket: ReadLimit
  /** Whether somebody may be asked to forward, where nothing else leads there. */
  readonly mayRelay?: () => boolean
  /** Nobody is asked for a way: a dial led there already. */
  readonly dialsOnly?: boolean
  /** Ends with this connection, but for what is taken of it. */
  readonly beside?: Beside<Link>
}
