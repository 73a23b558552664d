// What an audit says, one line of JSON each. Names the fields of a command one by one, so that none that is secret, or
// that is added later, gets into the file by itself.

import type { AppliedEntry } from '../sequencer.ts'
import type { Command } from '../state/commands.ts'

/** Every line has a position, so that the last line alone says how far the file has come. */
export interface AuditLine {
  /** Of the entry; in lines that are about none, of the last entry before. */
  readonly position: number
  /** ISO 8601; undefined for entries of version 0.1, which do not say. */
  readonly time: string | undefined
  readonly who?: string | undefined
  /** The address. */
  readonly from?: string | undefined
  readonly what: string
  readonly [name: string]: string | number | undefined
}

export function textOf(line: AuditLine): string {
  return `${JSON.stringify(line)}\n`
}

export function lineOfEntry({ position, atMs, from, command, outcome }: AppliedEntry): AuditLine {
  return {
    position,
    time: atMs === 0 ? undefined : timeOf(atMs),
    who: whoDid(command),
    from,
    what: command.kind,
    ...namesIn(command),
    outcome: outcome.ok ? 'done' : outcome.reason,
  }
}

/** The text of a line's position; undefined for what is no line of an audit. */
export function positionIn(text: string): number | undefined {
  try {
    const line: unknown = JSON.parse(text)
    if (typeof line !== 'object' || line === null || !('what' in line) || !('position' in line))
      return undefined
    return Number.isSafeInteger(line.position) ? Number(line.position) : undefined
  } catch {
    return undefined
  }
}

/** Clocks may be wrong, and an entry may hold any number: outside of this range there is no such date. */
export function timeOf(atMs: number): string | undefined {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** Undefined for what a tracker or an operator did. */
function whoDid(command: Command): string | undefined {
  if (command.kind === 'register' || command.kind === 'reset_password') return command.user
  return 'by' in command ? command.by : undefined
}

function namesIn(command: Command): Record<string, string | number | undefined> {
  switch (command.kind) {
    // Credentials, keys and hashes of codes stay out.
    case 'register':
    case 'change_password':
    case 'delete_account':
    case 'reset_password':
    case 'add_invite':
      return {}
    case 'issue_reset':
    case 'remove_user':
      return { user: command.user }
    case 'set_registration':
      return { registration: command.mode }
    case 'create_group':
      return { group: command.group, ...(command.hidden && { hidden: 'yes' }) }
    case 'join_group':
    case 'leave_group':
      return { group: command.group }
    case 'accept_request':
    case 'reject_request':
    case 'remove_member':
      return { group: command.group, user: command.user }
    case 'share_file':
      return { group: command.group, name: command.name, sizeBytes: command.sizeBytes }
    case 'unshare_file':
      return { group: command.group, name: command.name }
    case 'tracker_started':
      return { tracker: command.number }
    case 'raise_level':
      return { level: command.level }
    case 'revoke_tracker':
      // Its public key, which the list of trackers has too.
      return { tracker: command.key }
    case 'set_quota':
      return { quota: command.quota, value: command.value }
    default:
      return command satisfies never
  }
}
