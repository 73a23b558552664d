// All by which this client and others come to each other: ways to them, their calls, looks of trackers from outside,
// forwarding for others, and a port that a router forwards.

import type { Socket } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { relayPairsOfClient } from '../../common/limits.ts'
import type { Identity } from '../../common/security/identity.ts'
import type { OpenedWithRole } from '../../common/wire/listener.ts'
import { Relay, type RelayTokens, type RelayUsers } from '../../common/wire/relay.ts'
import type { Role } from '../../common/wire/role-hello.ts'
import type { Way } from '../way.ts'
import { AwaitedCalls } from './awaited-calls.ts'
import { Called, type Call } from './called.ts'
import { PeerRoutes, type PeerRoutesParts } from './peer-routes.ts'
import { PortMap } from './port-map.ts'
import { ProbeAnswers } from './probe-answers.ts'
import { findRouters } from './routers.ts'

export interface ReachParts {
  readonly identity: Identity
  /** Where this client listens, and the port that it really got. */
  readonly listen: Address
  readonly port: () => number
  /** What to forward for others; undefined for nothing. */
  readonly relay?: { readonly bytesPerSecond: number | undefined } | undefined
  /** Whether a router is to forward a port. */
  readonly mapsPort: boolean
  /** Serves on a connection as on one that came. */
  readonly serveOn: (socket: Socket, way: Way) => void
  /** Whether anybody may fetch from here: a user is logged in. */
  readonly isServing: () => boolean
  /** Others reach this client at another port now. */
  readonly onMoved: () => void
  readonly onFailure: (bug: unknown) => void
}

export class Reach {
  readonly #parts: ReachParts
  readonly #awaited = new AwaitedCalls()
  readonly #called: Called
  readonly #relay: Relay | undefined
  readonly #probed: ProbeAnswers
  /** Undefined where no router is to be asked. */
  readonly portMap: PortMap | undefined

  constructor(parts: ReachParts) {
    const { identity, relay, mapsPort, port, onMoved, onFailure } = parts
    this.#parts = parts
    this.#called = new Called(parts)
    this.#relay = relay && new Relay({ ...relay, limits: { pairs: relayPairsOfClient } })
    this.#probed = new ProbeAnswers(identity)
    this.portMap = mapsPort
      ? new PortMap({ port, find: findRouters, onChanged: onMoved, onFailure })
      : undefined
  }

  /** Who takes over connections that begin with a role. */
  get roles(): Readonly<Record<Role, (opened: OpenedWithRole) => boolean>> {
    return {
      serves: (opened) => this.#awaited.take(opened),
      relays: (opened) => this.#relay?.take(opened) === true,
      probes: (opened) => this.#probed.take(opened),
    }
  }

  /** The ways to others. */
  routes(parts: Omit<PeerRoutesParts, 'listen' | 'awaited'>): PeerRoutes {
    return new PeerRoutes({ ...parts, listen: this.#parts.listen, awaited: this.#awaited })
  }

  /** See `Called`. */
  onCall(call: Call, from: Address | undefined): void {
    this.#called.onCall(call, from)
  }

  /** Two members will come, for whom this client is to forward. */
  onRelay(users: RelayUsers, tokens: RelayTokens): void {
    if (this.#parts.isServing()) this.#relay?.expect(users, tokens)
  }

  /** This client listens. */
  start(): void {
    this.portMap?.ask()
  }

  /** This machine may be in another network now. */
  onNetworkChanged(): void {
    this.portMap?.ask()
  }

  onLoggedOut(): void {
    this.#relay?.endAll()
  }

  async close(): Promise<void> {
    this.#called.close()
    this.#relay?.close()
    await this.portMap?.stop()
  }
}
