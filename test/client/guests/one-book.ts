// A book of links with a clock and a standing that a test moves.

import { LinkBook, type LinkStanding, type LinkWish } from '../../../src/client/guests/link-book.ts'
import type { GuestAct } from '../../../src/client/guests/guest-audit.ts'
import type { ClientEvent } from '../../../src/client/operations.ts'
import { LinkStore } from '../../../src/client/storage/link-store.ts'
import { temporaryFolder } from '../temporary-folder.ts'

export const hourMs = 3_600_000
export const ann = { community: 'c', user: 'ann' }

export interface OneBook {
  readonly book: LinkBook
  readonly folder: string
  readonly events: ClientEvent[]
  readonly acts: GuestAct[]
  /** Another one on the same folder, as after a restart. */
  again(): LinkBook
  nowMs: number
  standing: LinkStanding
}

export function oneBook(): OneBook {
  const folder = temporaryFolder()
  const [events, acts]: [ClientEvent[], GuestAct[]] = [[], []]
  const again = (): LinkBook =>
    new LinkBook({
      store: new LinkStore(folder, (sentence) => events.push({ kind: 'notice', sentence })),
      nowMs: () => one.nowMs,
      standing: () => one.standing,
      onEvent: (event) => events.push(event),
      onAct: (act) => acts.push(act),
    })
  const one: OneBook = { book: again(), folder, events, acts, again, nowMs: 1_000_000, standing: 'shared' }
  return one
}

export function wish(part: Partial<LinkWish> = {}): LinkWish {
  return { ...ann, group: 'g', name: 'f', fileId: 'a'.repeat(64), sizeBytes: 100, forMs: hourMs, ...part }
}

/** A new link, and its secret. */
export async function madeIn({ book }: OneBook, part: Partial<LinkWish> = {}) {
  const made = await book.make(wish(part))
  if (!made.ok) throw new Error(made.refusal.sentence)
  return made.value
}
