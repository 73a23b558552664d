// What can change the hard state: one variant for each kind of change, as it stands in the log.
// Everything that apply must not make up itself (random bytes, derived secrets) is in here already.

import type { Credentials } from '../../common/security/scram.ts'
import type { QuotaName } from './quotas.ts'
import type { RegistrationMode } from './registration-modes.ts'

/** Asked for by a logged-in user. `id` is chosen by the client and repeated by its retries. */
interface Asked {
  readonly id: string
  readonly by: string
  /**
   * Number and epoch of the account that was logged in: another account may have the name by now, or the login may have
   * ended. Absent at level 1.
   */
  readonly account?: number | undefined
  readonly epoch?: number | undefined
}

/** A tracker begins to serve. The first one of all also gives the community its name and its secret. */
export interface TrackerStarted {
  readonly kind: 'tracker_started'
  readonly key: string
  readonly cluster: string
  readonly secret: string
  /** The newest level that it can follow; absent for older programs, which can follow 1. */
  readonly level?: number
  /** Which of the community's trackers it is. */
  readonly number?: number
}

/** All trackers can follow this level: from here on its rules hold. */
export interface RaiseLevel {
  readonly kind: 'raise_level'
  readonly level: number
}

/** By an operator: this tracker's tickets become invalid. */
export interface RevokeTracker {
  readonly kind: 'revoke_tracker'
  readonly key: string
}

/** By an operator. */
export interface SetQuota {
  readonly kind: 'set_quota'
  readonly quota: QuotaName
  readonly value: number
}

export interface Register {
  readonly kind: 'register'
  readonly id: string
  readonly user: string
  readonly credentials: Credentials
  /** The hash of a code from an operator, where new users need one. */
  readonly invite?: string | undefined
}

/** By an operator: who may register. */
export interface SetRegistration {
  readonly kind: 'set_registration'
  readonly mode: RegistrationMode
}

/** By an operator: whoever has the code may register, once. */
export interface AddInvite {
  readonly kind: 'add_invite'
  readonly codeHash: string
}

export interface CreateGroup extends Asked {
  readonly kind: 'create_group'
  readonly group: string
  /** Listed only to its members and those who ask to join. */
  readonly hidden?: true | undefined
}

export interface JoinGroup extends Asked {
  readonly kind: 'join_group'
  readonly group: string
}

export interface DecideRequest extends Asked {
  readonly kind: 'accept_request' | 'reject_request'
  readonly group: string
  readonly user: string
}

export interface LeaveGroup extends Asked {
  readonly kind: 'leave_group'
  readonly group: string
}

export interface RemoveMember extends Asked {
  readonly kind: 'remove_member'
  readonly group: string
  readonly user: string
}

export interface ShareFile extends Asked {
  readonly kind: 'share_file'
  readonly group: string
  readonly name: string
  readonly fileId: string
  readonly sizeBytes: number
  /** How many files a folder has; absent for a single file. */
  readonly files?: number | undefined
}

export interface UnshareFile extends Asked {
  readonly kind: 'unshare_file'
  readonly group: string
  readonly name: string
}

/** Ends all logins but those of `key`, with which it was asked for. */
export interface ChangePassword extends Asked {
  readonly kind: 'change_password'
  readonly credentials: Credentials
  readonly key?: string | undefined
}

export interface DeleteAccount extends Asked {
  readonly kind: 'delete_account'
}

/** By somebody who has the code, logged in or not. */
export interface ResetPassword {
  readonly kind: 'reset_password'
  readonly id: string
  readonly user: string
  readonly codeHash: string
  readonly credentials: Credentials
}

/** By an operator: whoever has the code may set a new password, once. */
export interface IssueReset {
  readonly kind: 'issue_reset'
  readonly user: string
  readonly account: number
  readonly codeHash: string
}

/** By an operator. */
export interface RemoveUser {
  readonly kind: 'remove_user'
  readonly user: string
  readonly account: number
}

/** What users change in groups. */
export type Change =
  CreateGroup | JoinGroup | DecideRequest | LeaveGroup | RemoveMember | ShareFile | UnshareFile

/** What users change, whichever way they show who they are. */
export type UserCommand = Change | Register | ChangePassword | DeleteAccount | ResetPassword

export type Command =
  | TrackerStarted
  | RaiseLevel
  | RevokeTracker
  | SetQuota
  | SetRegistration
  | AddInvite
  | IssueReset
  | RemoveUser
  | UserCommand

/** At level 1: the key that a retry shares with its first try; undefined for what is never retried. */
export function legacyKey(command: Command): string | undefined {
  // User names have no spaces, so a registration never shares a key with a user's own command.
  if (command.kind === 'register') return ` ${command.id}`
  return 'by' in command ? `${command.by} ${command.id}` : undefined
}

/** What an entry of the log says about its command. */
export interface At {
  readonly position: number
  /** By the clock of the tracker that appended it, in milliseconds since 1970; 0 in logs of version 0.1. */
  readonly atMs: number
  /** The address that it came from; undefined for what a tracker did by itself, and in logs of version 0.1. */
  readonly from: string | undefined
  /** How far that tracker had applied the log when the command reached it, at least; undefined at level 1. */
  readonly after?: number | undefined
}
