// Goes to clients that cannot come to this one: dials them when a tracker passes on that they call, and serves there.

import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { isLoopback, isPrivate } from '../../common/networks.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { ToldParams } from '../../common/wire/methods.ts'
import { encodeRoleHello, type RoleHello } from '../../common/wire/role-hello.ts'
import { callFrom } from '../tracker-link/call-from.ts'
import type { Way } from '../way.ts'
import { dial } from './dial.ts'
import { oncePlaceIsFree } from './free-place.ts'

export type Call = ToldParams<TrackerProtocol, 'toCaller', 'peer_calls'>

export interface CalledParts {
  /** Where this client listens. */
  readonly listen: Address
  /** Serves on a connection as on one that came. */
  readonly serveOn: (socket: Socket, way: Way) => void
  /** Whether anybody may fetch from here: a user is logged in. */
  readonly isServing: () => boolean
  readonly onFailure: (bug: unknown) => void
}

/** A dial, and what is said when it is answered. */
interface Errand {
  readonly way: Way
  readonly address: Address
  readonly hello?: RoleHello
  /** Where to dial from. */
  readonly from?: Address
}

/** Dials under way at once; calls beyond that are not followed, and come again. */
const dialsMax = 32
/** As long as the other end waits. */
const dialWithinMs = 4000

export class Called {
  readonly #parts: CalledParts
  readonly #stop = new AbortController()
  #dials = 0

  constructor(parts: CalledParts) {
    this.#parts = parts
    setMaxListeners(dialsMax, this.#stop.signal)
  }

  /** `from`: this end of the connection to the tracker that passed it on. */
  onCall(call: Call, from: Address | undefined): void {
    const { token, host, port, reachable, local, localPort = port, outside, relay } = call
    if (!this.#parts.isServing()) return
    if (relay !== undefined) {
      this.#go({ way: 'relayed', address: relay, hello: { role: 'relays', token: relay.token } })
      return
    }
    const hello = { role: 'serves', token } as const
    for (const near of local ?? [])
      if (isPrivate(near)) this.#go({ way: 'lan', address: { host: near, port: localPort }, hello })
    if (isLoopback(host)) return
    if (reachable !== false) this.#go({ way: 'called-back', address: { host, port }, hello })
    // Both dial, so it is known who is there and what for.
    if (outside !== undefined && from !== undefined) this.#go({ way: 'punched', address: outside, from })
  }

  close(): void {
    this.#stop.abort()
  }

  #go(errand: Errand): void {
    if (this.#dials >= dialsMax) return
    this.#dials++
    this.#dial(errand)
      .catch(this.#parts.onFailure)
      .finally(() => this.#dials--)
  }

  async #dial({ way, address, hello, from }: Errand): Promise<void> {
    const host = callFrom(this.#parts.listen, address)
    try {
      const { signal } = this.#stop
      const options = {
        from: from ?? (host === undefined ? undefined : { host, port: 0 }),
        timeoutMs: dialWithinMs,
        signal,
      }
      const socket = await oncePlaceIsFree(() => dial(address, options), { withinMs: dialWithinMs, signal })
      if (hello !== undefined) socket.write(encodeRoleHello(hello))
      this.#parts.serveOn(socket, way)
    } catch (error) {
      // The other end tries more ways, and calls again.
      if (!(error instanceof Failure)) throw error
    }
  }
}
