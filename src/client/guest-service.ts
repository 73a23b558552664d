// Serves guests where the client was asked to.

import type { GuestOptions, ServedGuests } from '../web/guests/serve-guests.ts'
import type { GuestLinks } from './guest-links.ts'

export type GuestServiceOptions = Omit<GuestOptions, 'links'>

export class GuestService {
  readonly #options: GuestServiceOptions
  #served: ServedGuests | undefined

  constructor(options: GuestServiceOptions) {
    this.#options = options
  }

  /** Where links lead; undefined before the start. */
  get place(): ServedGuests | undefined {
    return this.#served
  }

  /** Rejects with a `start` failure when the address is taken or the certificate is of no use. */
  async start(links: GuestLinks): Promise<void> {
    // Loaded where it is asked for only: HTTP takes its time.
    const { serveGuests } = await import('../web/serving.ts')
    this.#served = await serveGuests({ ...this.#options, links })
  }

  async close(): Promise<void> {
    await this.#served?.close()
  }
}
