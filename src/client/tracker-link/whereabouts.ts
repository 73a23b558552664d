// Where others are told to reach this client: at the address that a tracker sees, and the port that it listens on; or
// at an address that a person has advertised, which is that of a router, say.

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isWildcard, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { localHostsMax } from '../../common/limits.ts'
import { isPrivate } from '../../common/networks.ts'
import { resolveAddress } from '../../common/resolve-address.ts'

export interface Where {
  /** An IP address; absent for the one that the tracker sees. */
  readonly host?: string
  readonly port: number
  /** Its private addresses, for those who are seen at the same one. */
  readonly local?: string[]
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

export class Whereabouts {
  readonly #listen: Address
  readonly #advertised: Address | undefined
  readonly #port: () => number
  readonly #relays: boolean
  /** The last address of the name. */
  #host: string | undefined

  /**
   * `advertised`: port 0 stands for `port`, the one that this client listens on. `relays`: whether it forwards connections
   * of others.
   */
  constructor(listen: Address, advertised: Address | undefined, port: () => number, relays = false) {
    this.#listen = listen
    this.#advertised = advertised
    this.#port = port
    this.#relays = relays
  }

  /**
   * Looks a name up anew: its address may have changed. While nobody can be asked, the last one is good. Rejects with a
   * `connection-lost` failure when there is none yet.
   */
  async now(): Promise<Where> {
    const advertised = this.#advertised
    const rest = { local: ownHosts(this.#listen), ...(this.#relays && { relays: true as const }) }
    if (advertised === undefined) return { port: this.#port(), ...rest }
    const port = advertised.port === 0 ? this.#port() : advertised.port
    if (isIP(advertised.host) !== 0) return { host: advertised.host, port, ...rest }
    try {
      this.#host = (await resolveAddress({ host: advertised.host, port })).host
    } catch (error) {
      if (!(error instanceof Failure) || this.#host === undefined) throw error
    }
    return { host: this.#host, port, ...rest }
  }
}
