// A peer that a swarm knows of, connected or not.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { Conduct } from './conduct.ts'
import type { PeerLink } from './peer-link.ts'
import type { Share } from './under-way.ts'

export interface Contact {
  readonly key: string
  readonly user: string
  /**
   * Where it is said to be, the address to try next first. Trackers may see one peer under several addresses:
   * through a tunnel and on the local network, say.
   */
  readonly addresses: Peer[]
  link: PeerLink | undefined
  /** What it has under way, while it is connected. */
  share: Share | undefined
  connecting: boolean
  /** When it was last tried, in milliseconds of `performance.now()`. */
  triedAtMs: number
  /** Failures in a row; decides how long to wait before the next try. */
  failures: number
  retry: NodeJS.Timeout | undefined
  /** Put aside: no news of it is a reason to try it before `retry`. */
  isAside: boolean
  readonly conduct: Conduct
  /** It lied or broke the protocol: nothing more is asked of it for this file. */
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
    connecting: false,
    triedAtMs: 0,
    failures: 0,
    retry: undefined,
    isAside: false,
    conduct: new Conduct(),
    banned: false,
  }
}

/** The peer is said to be here: to be tried first, without a word to a connection that stands. */
export function learnAddress({ addresses }: Contact, peer: Peer): void {
  const known = addresses.findIndex(({ host, port }) => host === peer.host && port === peer.port)
  if (known !== -1) addresses.splice(known, 1)
  addresses.unshift(peer)
  addresses.splice(addressesMax)
}

/** The address that was tried first does not lead to the peer: the next one is tried before it. */
export function tryNextAddress({ addresses }: Contact): void {
  const [first] = addresses.splice(0, 1)
  if (first !== undefined) addresses.push(first)
}

/** How long to wait before it is tried again, in milliseconds, after so many failures in a row. */
export function retryAfterMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** failures)
}
