// The hard state of a community. Changed by apply alone; everybody else reads.
// Maps and Sets only, since every key comes from outside. Their order is part of the state: it is the
// order in which things happened, and it is the same on every tracker that applied the same log.

import type { Answer } from '../../common/refusal.ts'
import type { Credentials } from '../../common/security/scram.ts'
import { RememberedOutcomes } from './remembered-outcomes.ts'

/** What a command came to. */
export type Outcome = Answer<object>

export interface SharedFile {
  readonly fileId: string
  readonly sizeBytes: number
  /** Users in the order in which they shared it; the first one may replace it. Never empty. */
  readonly sharers: Set<string>
}

export interface Group {
  /** Users in the order of joining. Never empty. The first one is the owner: see `ownerOf`. */
  readonly members: Set<string>
  /** Users that ask to join, oldest first. None of them is a member. */
  readonly requests: Set<string>
  readonly files: Map<string, SharedFile>
}

export interface State {
  /** Names the community; empty until the first tracker has started. */
  cluster: string
  /** Known to trackers only: makes the made-up credentials of users that do not exist. */
  secret: string
  /** Public keys of the trackers, whose tickets are good here. */
  readonly trackers: Set<string>
  readonly users: Map<string, Credentials>
  readonly groups: Map<string, Group>
  readonly outcomes: RememberedOutcomes
}

export function emptyState(): State {
  return {
    cluster: '',
    secret: '',
    trackers: new Set(),
    users: new Map(),
    groups: new Map(),
    outcomes: new RememberedOutcomes(),
  }
}

/**
 * The owner of a group is its longest-standing member: the founder, and when the owner leaves whoever
 * has been in the group for longest. So ownership is not a field that could disagree with the members.
 */
export function ownerOf(group: Group): string {
  return firstOf(group.members)
}

/** Whoever shared a file first, of those who still share it. */
export function firstSharerOf(file: SharedFile): string {
  return firstOf(file.sharers)
}

function firstOf(users: ReadonlySet<string>): string {
  for (const user of users) return user
  throw new Error('invariant broken: a group without members, or a file without sharers')
}
