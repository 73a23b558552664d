// A peer that a swarm knows of, connected or not.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { PeerLink } from './peer-link.ts'

export interface Contact {
  peer: Peer
  link: PeerLink | undefined
  connecting: boolean
  /** Failures in a row; decides how long to wait before the next try. */
  failures: number
  retry: NodeJS.Timeout | undefined
  /** Asked nothing before this time, in milliseconds of `performance.now()`. */
  restUntilMs: number
  banned: boolean
}

const firstRetryMs = 500
const longestRetryMs = 30_000

export function newContact(peer: Peer): Contact {
  return {
    peer,
    link: undefined,
    connecting: false,
    failures: 0,
    retry: undefined,
    restUntilMs: 0,
    banned: false,
  }
}

/** How long to wait before it is tried again, after so many failures in a row. */
export function retryAfterMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** failures)
}
