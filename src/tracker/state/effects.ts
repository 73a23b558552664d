// What an applied command means for connected clients. Effects come from the log and not from the request, so every
// tracker that follows the log tells its own clients. Each carries the users it concerns, so that delivering it does
// not depend on a state that may have moved on.

import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Account } from './state.ts'

/** What a name of a group stands for from now on. */
export interface EntryNews extends FileVersion {
  readonly sizeBytes: number
  /** Which version of the name it is, from 1. */
  readonly version: number
  /** How many files a folder has; undefined for a single file. */
  readonly files: number | undefined
}

export type Effect =
  | { readonly kind: 'trackers_changed'; readonly trackers: readonly string[] }
  | {
      readonly kind: 'join_requested'
      readonly group: string
      readonly user: string
      readonly owner: string
    }
  | {
      readonly kind: 'request_decided'
      readonly group: string
      readonly user: string
      readonly accepted: boolean
    }
  /** `members` are those who are still in the group; valid only in the turn that applied it. */
  | {
      readonly kind: 'member_left'
      readonly group: string
      readonly user: string
      readonly members: Iterable<Account>
    }
  | { readonly kind: 'owner_changed'; readonly group: string; readonly owner: string }
  /** The user no longer shares this version; others still do. */
  | { readonly kind: 'share_withdrawn'; readonly version: FileVersion; readonly user: string }
  /** The group no longer has this version. `sharers` shared it last. */
  | { readonly kind: 'file_gone'; readonly version: FileVersion; readonly sharers: readonly string[] }
  /** A new name in a group, or other content behind one: for those who follow the group. */
  | { readonly kind: 'entry_changed'; readonly entry: EntryNews }
  /**
   * All logins of this account end, but those of the key `spared`, which go on with the new epoch. `account` is its
   * number: another one may have the name soon.
   */
  | {
      readonly kind: 'logins_ended'
      readonly user: string
      readonly account: number
      readonly epoch: number
      readonly spared: string | undefined
      readonly why: 'password-changed' | 'account-deleted'
    }
