// Where others are told to reach this client: at the address that a tracker sees, and the port that it listens on; or
// at an address that a person has advertised, which is that of a router, say.

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isWildcard, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { localHostsMax } from '../../common/limits.ts'
import { isPrivate } from '../../common/networks.ts'
import { resolveAddress } from '../../common/resolve-address.ts'

interface Place {
  /** An IP address; absent for the one that the tracker sees. */
  readonly host?: string
  readonly port: number
  /** A router forwards the port at the request of this client. */
  readonly mapped?: true
}

export interface Where extends Place {
  /** Its private addresses, for those who are seen at the same one. */
  readonly local?: string[]
  /** The port there, where that is another one. */
  readonly localPort?: number
  /** It forwards connections of others. */
  readonly relays?: true
}

/** The private addresses at which this machine can be reached when a program listens there. */
function ownHosts(listen: Address): string[] {
  if (!isWildcard(listen.host)) return isPrivate(listen.host) ? [listen.host] : []
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const isHeard = ({ family }: { family: string }): boolean => listen.host === '::' || family === 'IPv4'
  const hosts = all.filter((one) => !one.internal && isHeard(one) && isPrivate(one.address))
  return hosts.map(({ address }) => address).slice(0, localHostsMax)
}

export interface WhereaboutsParts {
  readonly listen: Address
  /** As a person says; port 0 stands for `port`. */
  readonly advertised?: Address | undefined
  /** That this client listens on. */
  readonly port: () => number
  /** Whether it forwards connections of others. */
  readonly relays?: boolean
  /** The port that a router forwards to it; waits a moment for the router. */
  readonly mapped?: (() => Promise<number | undefined>) | undefined
}

export class Whereabouts {
  readonly #parts: WhereaboutsParts
  /** The last address of the name. */
  #host: string | undefined

  constructor(parts: WhereaboutsParts) {
    this.#parts = parts
  }

  /**
   * Looks a name up anew: its address may have changed. While nobody can be asked, the last one is good. Rejects with a
   * `connection-lost` failure when there is none yet.
   */
  async now(): Promise<Where> {
    const { listen, advertised, relays } = this.#parts
    const place = advertised === undefined ? await this.#own() : await this.#advertised(advertised)
    const own = this.#parts.port()
    return {
      ...place,
      local: ownHosts(listen),
      ...(place.port !== own && { localPort: own }),
      ...(relays === true && { relays }),
    }
  }

  async #own(): Promise<Place> {
    const port = await this.#parts.mapped?.()
    return port === undefined ? { port: this.#parts.port() } : { port, mapped: true }
  }

  async #advertised({ host, port: said }: Address): Promise<Place> {
    const port = said === 0 ? this.#parts.port() : said
    if (isIP(host) !== 0) return { host, port }
    try {
      this.#host = (await resolveAddress({ host, port })).host
    } catch (error) {
      if (!(error instanceof Failure) || this.#host === undefined) throw error
    }
    return { host: this.#host, port }
  }
}
