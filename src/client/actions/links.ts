// Links for guests: made, listed and taken back.

import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { notLoggedIn } from '../answers.ts'
import type { Guests } from '../guests/guests.ts'
import { linkLimits } from '../guests/limits.ts'
import type { GuestPlace, LinkOperations, LinkOptions, MadeLink } from '../link-operations.ts'
import type { Session } from '../session.ts'
import type { Core } from './core.ts'
import { spellingOf } from './entry-path.ts'

export interface LinkParts {
  /** Undefined where guests are not served. */
  readonly guestPlace?: (() => GuestPlace | undefined) | undefined
}

export function linkActions(
  { session }: Pick<Core, 'session'>,
  guests: Guests,
  { guestPlace }: LinkParts,
): LinkOperations {
  const { book } = guests
  return {
    showGuestPlace: async () => guestPlace?.(),
    async shareLink(group, name, options = {}) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      const place = guestPlace?.()
      if (place === undefined)
        return refuse('usage', 'this client serves no guests; start it with --guests <ip:port>')
      return share(guests, open, { group, name: spellingOf(name) }, { ...options, place })
    },
    async listLinks() {
      const open = session()
      return open === undefined ? notLoggedIn() : accept(book.list(open))
    },
    async revokeLink(link) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      const revoked = await book.revoke(open, link)
      if (!revoked.ok) return revoked
      const { group, name } = revoked.value
      return accept({ group, name })
    },
  }
}

async function share(
  { book, office }: Guests,
  { community, user, shares }: Session,
  { group, name }: { readonly group: string; readonly name: string },
  { forMs = linkLimits.usualMs, times, place }: LinkOptions & { readonly place: GuestPlace },
): Promise<Answer<MadeLink>> {
  if (forMs > linkLimits.longestMs) return refuse('usage', 'a link is good for a year at most')
  if (times !== undefined && (!Number.isSafeInteger(times) || times < 1))
    return refuse('usage', 'a link is used once at least')
  const shared = shares.shareOf(group, name)
  if (shared === undefined)
    return refuse('not-shared', `you do not share ${name} in ${group}; a guest can be given what you share`)
  const { fileId, sizeBytes, files } = shared
  const made = await book.make({
    ...{ community, user, group, name, fileId, sizeBytes, forMs },
    ...(files === undefined ? {} : { files }),
    ...(times === undefined ? {} : { times }),
  })
  if (!made.ok) return made
  const { secret, link } = made.value
  office.hash(link)
  const { origin, fingerprint, pin } = place
  return accept({
    ...{ link: link.record.number, group, name, url: `${origin}/${secret}`, untilMs: link.record.untilMs },
    ...(times === undefined ? {} : { times }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(pin === undefined ? {} : { pin }),
  })
}
