// Serves guests where the client was asked to, and shows a certificate that changed on disk.

import { networkInterfaces } from 'node:os'
import { formatAddress, isWildcard, type Address } from '../common/addresses.ts'
import { Failure } from '../common/failure.ts'
import type { GuestServer } from '../web/guests/guest-server.ts'
import type { GuestPlace } from './actions/links.ts'
import type { GuestLinks } from './guest-links.ts'

export interface GuestServiceOptions {
  readonly listen: Address
  /** A file of the user's with a certificate and its key; undefined for one that is made. */
  readonly certificate?: string | undefined
  /** Where others reach this machine, if that was said. */
  readonly advertise?: Address | undefined
  /** The data folder. */
  readonly folder: string
  /** A sentence for people. */
  readonly onTrouble: (sentence: string) => void
  /** A bug. */
  readonly onFailure: (error: unknown) => void
  /** How often the file of the certificate is looked at. */
  readonly lookEveryMs?: number
}

const usualLookEveryMs = 10_000

export class GuestService {
  readonly #options: GuestServiceOptions
  #server: GuestServer | undefined
  #place: GuestPlace | undefined
  #looks: NodeJS.Timeout | undefined

  constructor(options: GuestServiceOptions) {
    this.#options = options
  }

  /** Where links lead; undefined before the start. */
  get place(): GuestPlace | undefined {
    return this.#place
  }

  /** Rejects with a `start` failure when the address is taken or the certificate is of no use. */
  async start(links: GuestLinks): Promise<void> {
    const { listen, certificate: path, advertise, folder, onFailure } = this.#options
    // Loaded where it is asked for only: HTTP takes its time.
    const { GuestServer } = await import('../web/guests/guest-server.ts')
    const certificates = await import('../web/guests/guest-certificate.ts')
    let stamp = path === undefined ? undefined : certificates.stampOf(path)
    const { pem, name, fingerprint, pin } =
      path === undefined ? certificates.keptCertificate(folder) : certificates.ownCertificate(path)
    const server = await GuestServer.start({ listen, pem, links, onFailure })
    this.#server = server
    const host = name ?? (isWildcard(listen.host) ? (advertise?.host ?? hostOfMachine()) : listen.host)
    const origin = `https://${formatAddress({ host, port: server.port })}`
    this.#place = path === undefined ? { origin, fingerprint, pin } : { origin }
    if (path === undefined) return
    const look = (): void => {
      const now = certificates.stampOf(path)
      if (now === undefined || now === stamp) return
      stamp = now
      try {
        server.show(certificates.ownCertificate(path).pem)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        this.#options.onTrouble(`${error.message}; guests are shown the one before`)
      }
    }
    this.#looks = setInterval(look, this.#options.lookEveryMs ?? usualLookEveryMs).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#looks)
    await this.#server?.close()
  }
}

/** An address of this machine in its network; loopback where it has none. */
function hostOfMachine(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const found = addresses.find(({ internal, family }) => !internal && family === 'IPv4')
  return found?.address ?? '127.0.0.1'
}
