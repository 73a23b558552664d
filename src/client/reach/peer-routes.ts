// Finds a way to a peer, and remembers which one led there.

import type { Address } from '../../common/addresses.ts'
import { lineBytesMax } from '../../common/limits.ts'
import { isLoopback } from '../../common/networks.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { openChannel, type TlsOptions } from '../../common/wire/open-channel.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import { callFrom } from '../tracker-link/call-from.ts'
import type { AwaitedCalls } from './awaited-calls.ts'
import { Ladder, type Route } from './ladder.ts'
import { callPeer, type CallingTracker } from './peer-calls.ts'
import type { Way } from '../way.ts'

export interface PeerRoutesParts {
  readonly protection: Protection
  /** Ends attempts when the network has changed. */
  readonly changes: Pick<NetworkChanges, 'attempts'>
  /** Where this client listens. */
  readonly listen: Address
  readonly awaited: AwaitedCalls
  /** Trackers at which the user is logged in, the one to ask first first. */
  readonly trackers: () => readonly CallingTracker[]
  /** Whether a tracker sees this client at that address. */
  readonly isSeenAt: (host: string) => boolean
}

export interface Destination {
  readonly peer: Peer
  /** A group that this client and the peer are in. */
  readonly group: string
  /** Whether the peer has this key: see `TlsOptions`. */
  readonly check: TlsOptions['check']
  /** The most bytes of a body to read at once. */
  readonly readBytesMax: () => number
  /** Whether somebody may be asked to forward; asked when nothing else has opened. */
  readonly mayRelay?: (() => boolean) | undefined
  /** Nobody is asked for anything: a dial led there already. */
  readonly dialsOnly?: boolean | undefined
  /** Told how long the dial of its address took, in milliseconds; not on this machine. */
  readonly onDialled?: ((tookMs: number) => void) | undefined
}

/** Of so many peers it is remembered which way led to them. */
const remembered = 1000

export class PeerRoutes {
  readonly #parts: PeerRoutesParts
  readonly #lastWays = new Map<string, Way>()

  constructor(parts: PeerRoutesParts) {
    this.#parts = parts
  }

  /** Rejects with a failure that says why no way leads there; code `protocol` when the peer broke it. */
  async open(destination: Destination): Promise<Route> {
    const { peer, group, check, readBytesMax } = destination
    const { protection, changes, listen, trackers } = this.#parts
    const { attempts: signal } = changes
    if (isLoopback(peer.host)) {
      const tls = protection.towards(peer.host, check)
      const localHost = callFrom(listen, peer)
      const channel = await openChannel(peer, lineBytesMax, { localHost, readBytesMax, tls, signal })
      return { channel, way: 'direct' }
    }
    const { user, key } = peer
    const call: ConstructorParameters<typeof Ladder>[0]['call'] = (token, relay) =>
      callPeer(trackers(), { group, user, key, token, ...(relay && { relay }) })
    const ladder = new Ladder({ ...this.#parts, call }, { ...destination, lastWay: this.#lastWays.get(key) })
    const route = await ladder.climb(signal)
    this.#remember(key, route.way)
    return route
  }

  #remember(key: string, way: Way): void {
    this.#lastWays.delete(key)
    this.#lastWays.set(key, way)
    if (this.#lastWays.size <= remembered) return
    for (const oldest of this.#lastWays.keys()) {
      this.#lastWays.delete(oldest)
      return
    }
  }
}
