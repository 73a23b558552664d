// Where others are told to reach this client: at the address that a tracker sees, and the port that it listens on; or
// at an address that a person has advertised, which is that of a router, say.

import { isIP } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { resolveAddress } from './resolve-address.ts'

export interface Where {
  /** An IP address; absent for the one that the tracker sees. */
  readonly host?: string
  readonly port: number
}

export class Whereabouts {
  readonly #advertised: Address | undefined
  readonly #port: () => number
  /** The last address of the name. */
  #host: string | undefined

  /** `advertised`: port 0 stands for `port`, the one that this client listens on. */
  constructor(advertised: Address | undefined, port: () => number) {
    this.#advertised = advertised
    this.#port = port
  }

  /**
   * Looks a name up anew: its address may have changed. While nobody can be asked, the last one is good. Rejects with a
   * `connection-lost` failure when there is none yet.
   */
  async now(): Promise<Where> {
    const advertised = this.#advertised
    if (advertised === undefined) return { port: this.#port() }
    const port = advertised.port === 0 ? this.#port() : advertised.port
    if (isIP(advertised.host) !== 0) return { host: advertised.host, port }
    try {
      this.#host = (await resolveAddress({ host: advertised.host, port })).host
    } catch (error) {
      if (!(error instanceof Failure) || this.#host === undefined) throw error
    }
    return { host: this.#host, port }
  }
}
