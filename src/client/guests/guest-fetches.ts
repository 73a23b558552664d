// What guests fetch at the moment, for whoever looks at the uploads of a client. A link has a number, which is no secret.

import { pieceBytes } from '../../common/limits.ts'
import { pieceCount } from '../../common/pieces.ts'
import type { UploadView } from '../operations.ts'
import { wayFrom } from '../way.ts'
import type { RememberedLink } from '../storage/link-store.ts'

/** A transfer to a guest. */
export interface GuestTransfer {
  /** The network of the guest. */
  readonly guest: string
  readonly sentBytes: number
  /** `nowMs`: of the monotonic clock. */
  bytesPerSecond(nowMs: number): number
  /** Ends it at once. */
  close(why: string): void
}

/** As much of a link as is looked at here. */
interface FetchedLink {
  readonly record: RememberedLink
  readonly transfers: ReadonlySet<GuestTransfer>
}

/** All that one guest fetches by one link, together: browsers and download programs fetch in parts. */
export interface GuestFetch extends UploadView {
  readonly link: number
  readonly fileId: string
}

/** `nowMs`: of the monotonic clock. */
export function fetchesBy(links: Iterable<FetchedLink>, nowMs: number): GuestFetch[] {
  return [...links].flatMap((link) => {
    const guests = [...new Set([...link.transfers].map(({ guest }) => guest))]
    return guests.map((guest) => fetchOf(link, guest, nowMs))
  })
}

function fetchOf({ record, transfers }: FetchedLink, guest: string, nowMs: number): GuestFetch {
  const { number: link, group, name, fileId, sizeBytes } = record
  const own = [...transfers].filter((each) => each.guest === guest)
  const sentBytes = own.reduce((sum, each) => sum + each.sentBytes, 0)
  const count = pieceCount(sizeBytes)
  // No user is called so: names have no spaces.
  const user = `guest by link ${link}`
  return {
    ...{ link, group, name, fileId, user, peer: `${user} at ${guest}`, sentBytes },
    bytesPerSecond: own.reduce((sum, each) => sum + each.bytesPerSecond(nowMs), 0),
    way: wayFrom(guest),
    pieceCount: count,
    pieces: Math.min(count, Math.floor(sentBytes / pieceBytes)),
  }
}
