// Serves guests with a certificate of the user's or one that is made, and shows one that changed on disk.

import { networkInterfaces } from 'node:os'
import type { GuestLinks } from '../../client/guest-links.ts'
import { formatAddress, isWildcard, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { keptCertificate, ownCertificate, stampOf } from './guest-certificate.ts'
import { GuestServer } from './guest-server.ts'

export interface GuestOptions {
  readonly listen: Address
  /** A file of the user's with a certificate and its key; undefined for one that is made. */
  readonly certificate?: string | undefined
  /** Where others reach this machine, if that was said. */
  readonly advertise?: Address | undefined
  /** The data folder. */
  readonly folder: string
  readonly links: GuestLinks
  /** A sentence for people. */
  readonly onTrouble: (sentence: string) => void
  /** A bug. */
  readonly onFailure: (error: unknown) => void
  /** How often the file of the certificate is looked at. */
  readonly lookEveryMs?: number
}

export interface ServedGuests {
  /** `https://host:port` */
  readonly origin: string
  /** Of a certificate that was made: see `GuestCertificate`. */
  readonly fingerprint?: string
  readonly pin?: string
  close(): Promise<void>
}

const usualLookEveryMs = 10_000

/** Rejects with a `start` failure when the address is taken or the certificate is of no use. */
export async function serveGuests(options: GuestOptions): Promise<ServedGuests> {
  const { listen, certificate: path, advertise, folder, links, onFailure } = options
  const stamp = path === undefined ? undefined : stampOf(path)
  const { pem, name, fingerprint, pin } = path === undefined ? keptCertificate(folder) : ownCertificate(path)
  const server = await GuestServer.start({ listen, pem, links, onFailure })
  const looks = path === undefined ? undefined : watch(path, stamp, server, options)
  const host = name ?? (isWildcard(listen.host) ? (advertise?.host ?? hostOfMachine()) : listen.host)
  return {
    origin: `https://${formatAddress({ host, port: server.port })}`,
    ...(path === undefined ? { fingerprint, pin } : {}),
    close: () => {
      clearInterval(looks)
      return server.close()
    },
  }
}

/** `stamp`: of the file as it was read. */
function watch(
  path: string,
  stamp: string | undefined,
  server: GuestServer,
  { onTrouble, lookEveryMs = usualLookEveryMs }: GuestOptions,
): NodeJS.Timeout {
  let seen = stamp
  const look = (): void => {
    const now = stampOf(path)
    if (now === undefined || now === seen) return
    seen = now
    try {
      server.show(ownCertificate(path).pem)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      onTrouble(`${error.message}; guests are shown the one before`)
    }
  }
  return setInterval(look, lookEveryMs).unref()
}

/** An address of this machine in its network; loopback where it has none. */
function hostOfMachine(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const found = addresses.find(({ internal, family }) => !internal && family === 'IPv4')
  return found?.address ?? '127.0.0.1'
}
