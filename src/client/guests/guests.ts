// All of the links for guests in a client: wires the book of them, and what they give.

import type { FileVersion } from '../../common/protocol/fields.ts'
import type { ClientEvent } from '../operations.ts'
import type { EntryLimits } from '../sharing/entry-limits.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import type { UploadQueue } from '../sharing/upload-queue.ts'
import { LinkStore } from '../storage/link-store.ts'
import type { GuestAct } from './guest-audit.ts'
import { GuestOffice } from './guest-office.ts'
import { LinkBook, type LinkMaker, type LinkStanding } from './link-book.ts'

/** What a user shares from here. */
export interface Sharer extends LinkMaker {
  readonly shares: { shareOf(group: string, name: string): FileVersion | undefined }
}

export interface GuestsParts {
  /** The data folder. */
  readonly folder: string
  /** Who is logged in. */
  readonly session: () => Sharer | undefined
  readonly sources: Pick<SourceRegistry, 'find'>
  readonly uploads: UploadQueue
  readonly limits: EntryLimits
  readonly onEvent: (event: ClientEvent) => void
  /** For the audit. */
  readonly onAct?: ((act: GuestAct) => void) | undefined
  /** A bug. */
  readonly onFailure: (error: unknown) => void
}

export class Guests {
  readonly book: LinkBook
  readonly office: GuestOffice
  /** A sentence for people. */
  readonly onTrouble: (sentence: string) => void
  readonly #onFailure: (error: unknown) => void

  /** Throws a `data` failure when what is remembered cannot be read. */
  constructor(parts: GuestsParts) {
    const { folder, session, onEvent, onAct, onFailure } = parts
    this.onTrouble = (sentence) => onEvent({ kind: 'notice', sentence })
    this.#onFailure = onFailure
    this.book = new LinkBook({
      store: new LinkStore(folder, this.onTrouble),
      nowMs: Date.now,
      standing: (link) => standingOf(session(), link),
      onEvent,
      onAct: (act) => onAct?.(act),
    })
    this.office = new GuestOffice({ ...parts, book: this.book })
  }

  /** A user does not share this content under this name any more. */
  onUnshared(by: LinkMaker, file: FileVersion): void {
    this.book.onUnshared(by, file).catch(this.#onFailure)
  }
}

function standingOf(
  sharer: Sharer | undefined,
  { community, user, group, name, fileId }: LinkMaker & FileVersion,
): LinkStanding {
  if (sharer === undefined || sharer.community !== community || sharer.user !== user) return 'logged-out'
  return sharer.shares.shareOf(group, name)?.fileId === fileId ? 'shared' : 'unshared'
}
