// What a client is made with.

import type { Address } from '../common/addresses.ts'
import type { ListedTracker } from '../common/tracker-info.ts'
import type { Encryption } from '../common/wire/protection.ts'
import type { LinkParts } from './actions/links.ts'
import type { PageParts } from './actions/page.ts'
import type { GuestAct } from './guests/guest-audit.ts'
import type { EarlyKeys } from './tracker-link/early-keys.ts'

export interface ClientOptions {
  readonly listen: Address
  /** See `TrackerLinkOptions`. */
  readonly advertise?: Address | undefined
  readonly trackers: readonly ListedTracker[]
  /** Which connections are encrypted: those beyond this machine by default. */
  readonly encryption?: Encryption
  /** Holds the identity, the manifests and what users share. */
  readonly folder: string
  /** Bytes per second; undefined means no limit. */
  readonly uploadLimit?: number | undefined
  readonly downloadLimit?: number | undefined
  /** Has a router forward the port. */
  readonly mapsPort?: boolean
  /** Forwards between members who cannot reach each other, so many bytes a second; undefined to forward nothing. */
  readonly relay?: { readonly bytesPerSecond: number | undefined } | undefined
  /** Serves the page of this client. */
  readonly showPage?: PageParts['showPage']
  /** Where guests are served; undefined where they are not. */
  readonly guestPlace?: LinkParts['guestPlace']
  /** What becomes of links for guests, for the audit. */
  readonly onGuestAct?: ((act: GuestAct) => void) | undefined
  /** Keys that are being derived already. */
  readonly earlyKeys?: EarlyKeys | undefined
  /** Called for a bug or a system failure in background work. */
  readonly onFailure: (error: unknown) => void
}
