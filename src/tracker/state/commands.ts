// What can change the hard state: one variant for each kind of change, as it stands in the log.
// Everything that apply must not make up itself (random bytes, derived secrets) is in here already.

import type { Credentials } from '../../common/security/scram.ts'

/** A change that a logged-in user asked for. `id` is chosen by the client and repeated by its retries. */
interface Change {
  readonly id: string
  readonly by: string
}

/** A tracker begins to serve. The first one of all also gives the community its name and its secret. */
export interface TrackerStarted {
  readonly kind: 'tracker_started'
  readonly key: string
  readonly cluster: string
  readonly secret: string
}

export interface Register {
  readonly kind: 'register'
  readonly id: string
  readonly user: string
  readonly credentials: Credentials
}

export interface CreateGroup extends Change {
  readonly kind: 'create_group'
  readonly group: string
}

export interface JoinGroup extends Change {
  readonly kind: 'join_group'
  readonly group: string
}

export interface DecideRequest extends Change {
  readonly kind: 'accept_request' | 'reject_request'
  readonly group: string
  readonly user: string
}

export interface LeaveGroup extends Change {
  readonly kind: 'leave_group'
  readonly group: string
}

export interface RemoveMember extends Change {
  readonly kind: 'remove_member'
  readonly group: string
  readonly user: string
}

export interface ShareFile extends Change {
  readonly kind: 'share_file'
  readonly group: string
  readonly name: string
  readonly fileId: string
  readonly sizeBytes: number
}

export interface UnshareFile extends Change {
  readonly kind: 'unshare_file'
  readonly group: string
  readonly name: string
}

export type Command =
  | TrackerStarted
  | Register
  | CreateGroup
  | JoinGroup
  | DecideRequest
  | LeaveGroup
  | RemoveMember
  | ShareFile
  | UnshareFile

/** Typed as a record so that a kind which is missing here does not compile. */
const kinds: Readonly<Record<Command['kind'], true>> = {
  tracker_started: true,
  register: true,
  create_group: true,
  join_group: true,
  accept_request: true,
  reject_request: true,
  leave_group: true,
  remove_member: true,
  share_file: true,
  unshare_file: true,
}

/** Whether something read from a log is a command that this program knows. */
export function isCommand(value: unknown): value is Command {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  return typeof value.kind === 'string' && Object.hasOwn(kinds, value.kind)
}

/** What a retry of this command has in common with the first try; undefined for what is never retried. */
export function retryKey(command: Command): string | undefined {
  if (command.kind === 'tracker_started') return undefined
  // User names have no spaces, so a registration never shares a key with a user's own command.
  return command.kind === 'register' ? ` ${command.id}` : `${command.by} ${command.id}`
}
