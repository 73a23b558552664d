// What somebody without an account may fetch by a link, as an interface: for whoever serves guests.

import type { Answer } from '../common/refusal.ts'

/** Bytes that a guest may fetch. */
export interface GuestContent {
  readonly name: string
  readonly sizeBytes: number
  /** The same for the same bytes, and for no others. */
  readonly tag: string
  /**
   * Counts the use and resolves to these bytes, no faster than the upload limits and the turns of others allow. Refuses
   * what the link does not allow any more, and what cannot be read. The stream fails when the link ends. `signal`: the
   * guest has gone.
   */
  send(part: GuestPart, guest: string, signal: AbortSignal): Promise<Answer<ReadableStream<Uint8Array>>>
}

export interface GuestPart {
  readonly from: number
  /** Behind the last byte. */
  readonly to: number
  readonly isWhole: boolean
}

/** A file in a folder. */
export interface GuestFile {
  /** Names with "/" between them. */
  readonly path: string
  readonly sizeBytes: number
}

export interface GuestEntry {
  readonly name: string
  /** Who shares it. */
  readonly user: string
  readonly sizeBytes: number
  /** How many files a folder has; undefined for a file. */
  readonly files: number | undefined
  /** Until when the link is good, in milliseconds since 1970. */
  readonly untilMs: number
  /** Of a file, in hex; undefined while it is worked out. */
  readonly sha256: string | undefined
  /** The files of a folder, the first few. Refuses when they cannot be read. */
  list(max: number): Promise<Answer<readonly GuestFile[]>>
  /** The file; of a folder all of it as a tar archive, or the file at this path. */
  open(path: string | undefined): Promise<Answer<GuestContent>>
}

/** `ended`: why nothing is given by the link, as a sentence for the guest. */
export type GuestLink = { readonly entry: GuestEntry } | { readonly ended: string }

export interface GuestLinks {
  /** Undefined for what is no link. `guest`: the network that asks. */
  find(secret: string, guest: string): GuestLink | undefined
}
