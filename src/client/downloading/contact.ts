// Describes a peer that a swarm knows, connected or not: its addresses, its state and its retry delay.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { Pace } from '../transfer/pace.ts'
import { Conduct } from './conduct.ts'
import type { PeerLanes } from './peer-lanes.ts'
import type { Share } from './under-way.ts'

export interface Contact {
  readonly key: string
  readonly user: string
  /**
   * Known addresses, the one to try next first. Trackers may see one peer under several addresses, e.g.
   * through a tunnel and on the local network.
   */
  readonly addresses: Peer[]
  link: PeerLanes | undefined
  /** Its pieces under way, while it is connected. */
  share: Share | undefined
  /** What its connection had received when the pace was last measured, in bytes. */
  measuredBytes: number
  readonly pace: Pace
  connecting: boolean
  /** Time of the last connection attempt, in milliseconds of `performance.now()`. */
  triedAtMs: number
  /** Consecutive failures; determines the delay before the next retry. */
  failures: number
  retry: NodeJS.Timeout | undefined
  /** Put aside: while other peers deliver, news of this one does not bring `retry` forward. */
  isAside: boolean
  readonly conduct: Conduct
  /** It sent bad data or broke the protocol: it is not used for this file again. */
  banned: boolean
}

const firstRetryMs = 500
const longestRetryMs = 30_000
const addressesMax = 4

export function newContact(peer: Peer): Contact {
  return {
    key: peer.key,
    user: peer.user,
    addresses: [peer],
    link: undefined,
    share: undefined,
    measuredBytes: 0,
    pace: new Pace(),
    connecting: false,
    triedAtMs: 0,
    failures: 0,
    retry: undefined,
    isAside: false,
    conduct: new Conduct(),
    banned: false,
  }
}

/** Whether it takes one more request: those by index and those that leave the choice share one queue at the peer. */
export function hasRoom({ conduct }: Contact, link: PeerLanes, isOnlyPeer: boolean): boolean {
  // With no other peer to ask, there is nothing to lose.
  const unprovenMax = isOnlyPeer ? undefined : conduct.unprovenMax
  return link.askedCount + link.openCount < (unprovenMax ?? link.takesAtOnce)
}

/** Puts the peer's latest address first, to be tried next; leaves an open connection alone. */
export function learnAddress({ addresses }: Contact, peer: Peer): void {
  const known = addresses.findIndex(({ host, port }) => host === peer.host && port === peer.port)
  if (known !== -1) addresses.splice(known, 1)
  addresses.unshift(peer)
  addresses.splice(addressesMax)
}

/** Moves the first address to the end, because it does not lead to the peer. */
export function tryNextAddress({ addresses }: Contact): void {
  const [first] = addresses.splice(0, 1)
  if (first !== undefined) addresses.push(first)
}

/** How long to wait before the next retry, in milliseconds, after this many consecutive failures. */
export function retryAfterMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** failures)
}
