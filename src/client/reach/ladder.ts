// One attempt to come to a peer, by whichever way opens first: dials it, has it called by a tracker, dials together
// with it, and last has somebody forward. After RFC 8305's idea, each way starts a little after the one before.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { lineBytesMax } from '../../common/limits.ts'
import { isPrivate } from '../../common/networks.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { makeNonce } from '../../common/security/challenge.ts'
import type { Channel } from '../../common/wire/channel.ts'
import type { OpenedWithRole } from '../../common/wire/listener.ts'
import { openChannel, openChannelOver, type TlsOptions } from '../../common/wire/open-channel.ts'
import type { Protection } from '../../common/wire/protection.ts'
import { encodeRoleHello } from '../../common/wire/role-hello.ts'
import { callFrom } from '../tracker-link/call-from.ts'
import type { AwaitedCalls } from './awaited-calls.ts'
import { dial } from './dial.ts'
import { oncePlaceIsFree, passed } from './free-place.ts'
import type { Answered } from './peer-calls.ts'
import { Race, type Fallen } from './race.ts'
import { isRoundabout, wayFrom, type Way } from '../way.ts'

export interface RouteTaken {
  readonly way: Way
  /** Why not by a better one, where one was tried in vain. */
  readonly whyNot?: string | undefined
}

/** A connection to a peer, on which this client calls. */
export interface Route extends RouteTaken {
  readonly channel: Channel
}

export interface LadderParts {
  readonly protection: Protection
  /** Where this client listens. */
  readonly listen: Address
  readonly awaited: AwaitedCalls
  /** Has trackers call the peer: see `callPeer`. */
  readonly call: (token: string, relay: boolean) => Promise<Answered>
  /** Whether the trackers see this client at that address. */
  readonly isSeenAt: (host: string) => boolean
  readonly times?: LadderTimes
}

export interface RouteRequest {
  readonly peer: Peer
  /** Whether the peer has this key: see `TlsOptions`. */
  readonly check: TlsOptions['check']
  readonly readBytesMax: () => number
  /** The way that led to it the last time. */
  readonly lastWay?: Way | undefined
  /** Whether somebody may be asked to forward; asked when nothing else has opened. */
  readonly mayRelay?: (() => boolean) | undefined
  /** Nobody is asked for anything: a dial led there already. */
  readonly dialsOnly?: boolean | undefined
  /** Told how long the dial of its address took, in milliseconds. */
  readonly onDialled?: ((tookMs: number) => void) | undefined
}

/** In milliseconds. */
export interface LadderTimes {
  /** After so long without an answer to the dial, the peer is called. */
  readonly callAfterMs: number
  /** After so long a call is repeated that no tracker has passed on, for as long as the dial is not answered. */
  readonly callAgainAfterMs: number
  /** So long a peer that was called may take to come. */
  readonly comesWithinMs: number
  /** The other ways have so long before somebody is asked to forward, from the call on. */
  readonly relayAfterMs: number
  /** Likewise where nothing else led to the peer the last time. */
  readonly relayAgainAfterMs: number
}

// By then a system has repeated, after a second, what was lost of a dial. A relay takes longer to open than any other way, so
// one that opens just now still wins.
const usualTimes: LadderTimes = {
  callAfterMs: 250,
  callAgainAfterMs: 700,
  comesWithinMs: 4000,
  relayAfterMs: 1300,
  relayAgainAfterMs: 500,
}
const dialWithinMs = 5000

export class Ladder {
  readonly #parts: LadderParts
  readonly #request: RouteRequest
  readonly #times: LadderTimes
  readonly #race = new Race<Route>(({ channel }) =>
    channel.close(new Failure('connection-lost', 'another way was faster')),
  )

  constructor(parts: LadderParts, request: RouteRequest) {
    this.#parts = parts
    this.#request = request
    this.#times = parts.times ?? usualTimes
  }

  /**
   * Rejects with a failure that says why no way leads there; code `protocol` when the peer broke it. `signal`: ends the
   * attempt, with a failure as its reason.
   */
  async climb(signal: AbortSignal): Promise<Route> {
    const stop = (): void => this.#race.stop()
    signal.addEventListener('abort', stop)
    const { peer, lastWay, dialsOnly } = this.#request
    const token = makeNonce()
    const forget = this.#parts.awaited.expect(token, (opened) => this.#onCame(opened))
    const call = (): void => {
      if (dialsOnly === true || this.#race.hasStarted('call')) return
      this.#race.start({ name: 'call', run: (signal) => this.#call(token, signal) })
    }
    const direct = (): void =>
      this.#race.start({
        name: 'direct',
        run: () =>
          this.#open(peer, 'direct').catch((error: unknown) => {
            call()
            throw error
          }),
      })
    const isNear = this.#parts.isSeenAt(peer.host)
    const isUnlikely = peer.reachable === false || isNear || (lastWay !== undefined && lastWay !== 'direct')
    if (isUnlikely) call()
    else this.#race.later(this.#times.callAfterMs, call)
    // Many routers do not let out what comes back in.
    if (isNear) this.#race.later(this.#times.callAfterMs, direct)
    else direct()
    try {
      const route = await this.#race.result
      if (route === undefined) {
        signal.throwIfAborted()
        throw noWay(this.#race.fallen)
      }
      const { channel, way } = route
      return { channel, way, ...(isRoundabout(way) && { whyNot: whyNot(this.#race, peer, way) }) }
    } finally {
      forget()
      signal.removeEventListener('abort', stop)
    }
  }

  /** Has the peer called, tries what the tracker says of it, and waits until it comes. */
  async #call(token: string, signal: AbortSignal): Promise<never> {
    const { ways, from } = await this.#passedOn(token, signal)
    const { comesWithinMs, relayAfterMs, relayAgainAfterMs } = this.#times
    const { lastWay } = this.#request
    for (const host of ways.local ?? []) {
      // Whatever a tracker says, nobody is dialled on the word of another one but in the own network.
      if (isPrivate(host)) this.#dial('lan', { host, port: ways.localPort ?? ways.port })
    }
    if (ways.outside !== undefined && from !== undefined) this.#dial('punched', ways.outside, from)
    this.#race.later(lastWay === 'relayed' ? relayAgainAfterMs : relayAfterMs, () =>
      this.#race.start({ name: 'relayed', run: () => this.#relayed() }),
    )
    await passed(comesWithinMs, signal)
    throw new Failure('timeout', 'it was called and did not come')
  }

  /** A tracker may be on its way back, or not know yet that the peer is. */
  async #passedOn(token: string, signal: AbortSignal): Promise<Answered> {
    for (;;) {
      try {
        return await this.#parts.call(token, false)
      } catch (error) {
        if (!(error instanceof Failure) || !this.#race.isRunning('direct')) throw error
        await passed(this.#times.callAgainAfterMs, signal)
        if (!this.#race.isRunning('direct')) throw error
      }
    }
  }

  #dial(way: Way, address: Address, from?: Address): void {
    const open = (): Promise<Route> => this.#open(address, way, from)
    const run = (signal: AbortSignal): Promise<Route> =>
      oncePlaceIsFree(open, { withinMs: dialWithinMs, signal })
    this.#race.start({ name: way, run })
  }

  #onCame({ socket, host }: OpenedWithRole): void {
    const { tls, readBytesMax } = this.#towards(host)
    const way = isPrivate(host) ? 'lan' : 'called-back'
    this.#race.start({
      name: way,
      run: async (signal) => ({
        channel: await openChannelOver(socket, { host, port: 0 }, lineBytesMax, {
          tls,
          readBytesMax,
          signal,
        }),
        way,
      }),
    })
  }

  async #relayed(): Promise<Route> {
    if (this.#request.mayRelay?.() === false)
      throw new Failure('connection-lost', 'no relay is used while others give every piece')
    const { ways } = await this.#parts.call(makeNonce(), true)
    const { relay } = ways
    if (relay === undefined) throw new Failure('connection-lost', 'nobody forwards between you')
    const { signal } = this.#race
    const socket = await dial(relay, { timeoutMs: dialWithinMs, signal })
    socket.write(encodeRoleHello({ role: 'relays', token: relay.token }))
    const { check, readBytesMax } = this.#request
    // Also where the user trusts the network: whoever forwards is to see nothing.
    const channel = await openChannelOver(socket, relay, lineBytesMax, {
      tls: { check },
      readBytesMax,
      signal,
    })
    return { channel, way: 'relayed' }
  }

  async #open(address: Address, way: Way, from?: Address): Promise<Route> {
    const localHost = from?.host ?? callFrom(this.#parts.listen, address)
    const channel = await openChannel(address, lineBytesMax, {
      ...this.#towards(address.host),
      localHost,
      localPort: from?.port,
      onDialled: way === 'direct' ? this.#request.onDialled : undefined,
      signal: this.#race.signal,
    })
    return { channel, way: way === 'direct' ? this.#nameOfDirect(address.host) : way }
  }

  #nameOfDirect(host: string): Way {
    const way = wayFrom(host)
    return way === 'direct' && this.#request.peer.mapped === true ? 'mapped' : way
  }

  #towards(host: string): { readonly tls: TlsOptions | undefined; readonly readBytesMax: () => number } {
    const { check, readBytesMax } = this.#request
    return { tls: this.#parts.protection.towards(host, check), readBytesMax }
  }
}

/** What a person is told first is how the plain dial failed. */
function noWay(fallen: readonly Fallen[]): Failure {
  const sorted = fallen.toSorted((one, other) => rankOf(one) - rankOf(other))
  const [first] = sorted
  if (first === undefined) return new Failure('connection-lost', 'it was not tried')
  const sentences = new Set(sorted.map(({ failure }) => failure.message))
  return new Failure(first.failure.code, [...sentences].join('; '), first.failure)
}

function rankOf({ name, failure }: Fallen): number {
  if (failure.code === 'protocol') return 0
  return name === 'direct' ? 1 : 2
}

/** What became of the ways that are better than the one that was taken. */
function whyNot(race: Race<Route>, peer: Peer, way: Way): string {
  const better = [
    { name: 'direct', unanswered: `${formatAddress(peer)} has not answered` },
    ...(way === 'relayed'
      ? [
          { name: 'call', unanswered: `${peer.user} was called and has not come` },
          { name: 'punched', unanswered: 'dialling each other at once has not opened' },
        ]
      : []),
  ]
  const sentences = better.flatMap(({ name, unanswered }) => {
    const fallen = race.fallen.filter((each) => each.name === name).map(({ failure }) => failure.message)
    return race.isRunning(name) ? [unanswered, ...fallen] : fallen
  })
  return [...new Set(sentences)].join('; ')
}
