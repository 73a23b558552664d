// What a client can do with links for guests, as an interface: see operations.ts.

import type { Answer } from '../common/refusal.ts'

/** Where guests are served, and how they know it. */
export interface GuestPlace {
  /** `https://host:port` */
  readonly origin: string
  /** Of a certificate that this client made: its SHA-256, in hex with colons as browsers show it. */
  readonly fingerprint?: string
  /** Likewise: `sha256//…`, the SHA-256 of its key in base64, as curl takes it. */
  readonly pin?: string
}

/** A link by which somebody without an account fetches an entry. */
export interface MadeLink {
  /** Its number. */
  readonly link: number
  readonly group: string
  readonly name: string
  /** What the guest opens. It has the secret, which is said this once. */
  readonly url: string
  /** In milliseconds since 1970. */
  readonly untilMs: number
  /** How often it may be used; absent for any number. */
  readonly times?: number
  /** Like `pin`: see `GuestPlace`. */
  readonly fingerprint?: string
  readonly pin?: string
}

export interface LinkView {
  /** Its number. */
  readonly link: number
  readonly group: string
  readonly name: string
  readonly sizeBytes: number
  /** How many files a folder has; absent for a single file. */
  readonly files?: number
  /** In milliseconds since 1970, like `untilMs`. */
  readonly madeAtMs: number
  readonly untilMs: number
  readonly times?: number
  readonly uses: number
  readonly isOpen: boolean
  /** Why it is not. */
  readonly why?: string
  /** Transfers by it at the moment. */
  readonly fetching: number
  /** Since this client started. */
  readonly sentBytes: number
}

export interface LinkOptions {
  /** How long it is good; a day by default. */
  readonly forMs?: number | undefined
  /** How often it may be used; any number by default. */
  readonly times?: number | undefined
}

/** Links for guests: people without an account, who fetch one entry over HTTPS. */
export interface LinkOperations {
  /** Undefined where guests are not served. */
  showGuestPlace(): Promise<GuestPlace | undefined>
  /** For what is shared here, as it is now. Refuses where guests are not served. */
  shareLink(group: string, name: string, options?: LinkOptions): Promise<Answer<MadeLink>>
  /** Those of the user that are good, or ended within the last month. */
  listLinks(): Promise<Answer<LinkView[]>>
  /** What it was giving ends at once. */
  revokeLink(link: number): Promise<Answer<{ group: string; name: string }>>
}
