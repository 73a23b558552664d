// A client in this process, with its door for other terminals. Loaded only where none runs yet: a command for one that
// runs should be answered before this was read.

import { resolve } from 'node:path'
import { formatAddress } from '../common/addresses.ts'
import { expandHome } from '../common/home-folder.ts'
import type { MetricsService } from '../common/prometheus/metrics-service.ts'
import { loadIdentity } from '../common/security/identity.ts'
import { Protection } from '../common/wire/protection.ts'
import type { ClientArguments } from './arguments.ts'
import { Client } from './client.ts'
import { ControlServer } from './control/server.ts'
import { GuestAudit, type GuestAct } from './guests/guest-audit.ts'
import type { GuestPlace } from './link-operations.ts'
import { GuestService, type GuestServiceOptions } from './guest-service.ts'
import { PageService } from './page-service.ts'
import type { EarlyKeys } from './tracker-link/early-keys.ts'
import { meetTrackers } from './tracker-link/meet-trackers.ts'
import { TrackerTrust } from './tracker-link/tracker-trust.ts'

export interface OwnClient {
  readonly client: Client
  /** Where guests are served; undefined where they are not. */
  readonly guestPlace: GuestPlace | undefined
  close(): Promise<void>
}

export interface OwnClientOptions {
  /** This process must have claimed it. */
  readonly folder: string
  /** Asks a person at the terminal; undefined where there is none. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
  readonly earlyKeys: EarlyKeys
  /** A bug or a system failure in background work. */
  readonly onFailure: (error: unknown) => void
}

/** Rejects with a failure that says why it cannot start. */
export async function startOwnClient(
  words: ClientArguments,
  { folder, ask, earlyKeys, onFailure }: OwnClientOptions,
): Promise<OwnClient> {
  const { listen, advertise, trackers, encryption, metricsPort } = words
  const { uploadLimit, downloadLimit, relay, mapsPort } = words
  // Before anything else: nothing is said to a tracker that is not known.
  await meetTrackers({
    trackers,
    listen,
    protection: new Protection(loadIdentity(folder).forTls, encryption),
    trust: new TrackerTrust(folder, trackers),
    ask,
  })
  const limits = { uploadLimit, downloadLimit, relay }
  const page = new PageService(() => ({
    operations: client.operations,
    subscribe: (listener) => client.subscribe(listener),
    dropFolder: words.dropFolder === undefined ? undefined : resolve(expandHome(words.dropFolder)),
    onFailure,
  }))
  const showPage = page.show.bind(page)
  const onTrouble = (sentence: string): void => client.guests.onTrouble(sentence)
  const audit =
    words.auditFile === undefined
      ? undefined
      : await GuestAudit.open({ path: resolve(expandHome(words.auditFile)), onTrouble })
  const guests = guestServiceOf(words, { folder, onTrouble, onFailure })
  const options = {
    listen,
    advertise,
    mapsPort,
    trackers,
    encryption,
    folder,
    ...limits,
    earlyKeys,
    showPage,
    guestPlace: () => guests?.place,
    onGuestAct: (act: GuestAct) => audit?.add(act),
  }
  const client: Client = new Client({ ...options, onFailure })
  await client.start()
  await guests?.start(client.guests.office)
  const control = await ControlServer.start({
    folder,
    listen: formatAddress(listen),
    operations: client.operations,
    subscribe: (listener) => client.subscribe(listener),
    onFailure,
  })
  const metrics = metricsPort === undefined ? undefined : await serveMetrics(client, metricsPort)
  const close = async (): Promise<void> => {
    await guests?.close()
    await Promise.all([client.close(), control.close(), page.close(), metrics?.close()])
    // Whatever was being sent has its line.
    await audit?.close()
  }
  return { client, guestPlace: guests?.place, close }
}

function guestServiceOf(
  { guests: listen, guestCertificate, advertise }: ClientArguments,
  others: Pick<GuestServiceOptions, 'folder' | 'onTrouble' | 'onFailure'>,
): GuestService | undefined {
  if (listen === undefined) return undefined
  const certificate = guestCertificate === undefined ? undefined : resolve(expandHome(guestCertificate))
  return new GuestService({ listen, certificate, advertise, ...others })
}

/** Rejects with a `start` failure when the port is taken. */
async function serveMetrics(client: Client, port: number): Promise<MetricsService> {
  // Loaded where it is asked for only: HTTP takes its time.
  const { serveMetricsOn } = await import('../common/prometheus/metrics-service.ts')
  return serveMetricsOn(port, (loop) => client.families(loop))
}
