// The hard state of a community. Changed by apply alone; everybody else reads. Accounts, groups and entries have
// numbers that are never used again, so a new one with the name of one that is gone inherits nothing. Maps, Sets and
// trees only, since every name comes from outside. The order of a Set is part of the state: it is the order in which
// things happened, the same on every tracker that applied the same log.

import type { Credentials } from '../../common/security/scram.ts'
import type { Holdings } from './holdings.ts'
import type { LegacyOutcomes } from './legacy-outcomes.ts'
import type { OrderedSet } from './ordered-set.ts'
import type { Quotas } from './quotas.ts'
import type { Registration } from './registration-modes.ts'
import { firstOf, type Sharers } from './sharers.ts'
import type { Shelves } from './shelves.ts'
import type { SortedMap } from './sorted-map.ts'

export interface Account {
  /** From 1, in the order of registration. */
  readonly id: number
  readonly name: string
  credentials: Credentials
  /** Goes up to end all earlier logins and tokens. */
  epoch: number
  /** How many groups it is in. */
  memberships: number
  /** How many of them it owns. */
  owned: number
  /** How many groups it asks to join. */
  requests: number
  /** How many entries it shares. */
  shares: number
  /** The hidden groups that it is in or asks to join, for its listing; undefined without any. */
  hidden?: SortedMap<Group> | undefined
  /** Outcomes of its last commands, oldest first: see remembered.ts. */
  remembered: readonly number[]
  /** Whoever has the code of this hash may set a new password, until then by the time in the log. */
  reset?: { readonly codeHash: string; readonly untilMs: number } | undefined
}

export interface Group {
  readonly id: number
  readonly name: string
  /** Listed only to its members and those who ask to join. */
  readonly isHidden: boolean
  /**
   * The position at which one of its entries was last added, replaced or removed, at the earliest. No part of the state
   * that trackers share: one that began with a snapshot knows only that it was no later than that.
   */
  entriesChangedAt: number
  /** In the order of joining. Never empty. The first one is the owner: see `ownerOf`. */
  readonly members: OrderedSet<Account>
  /** Those who ask to join, oldest first. None of them is a member. */
  readonly requests: OrderedSet<Account>
  readonly entries: SortedMap<Entry>
  /** The same entries by who shares them. */
  readonly holdings: Holdings<Account, Entry>
}

/** A name in a group, and the content behind it, which is known by its id. */
export interface Entry {
  readonly id: number
  readonly group: Group
  readonly name: string
  fileId: string
  sizeBytes: number
  /** In the order in which they shared it; the first one may replace it. Never empty. */
  sharers: Sharers<Account>
  /** Of the content that it has now; undefined for one from before level 3. */
  edition: Edition | undefined
  /** What it had before, oldest first, at most `earlierVersionsMax`; undefined for nothing. */
  earlier: readonly EarlierVersion[] | undefined
}

/** Which content of a name this is, and where it came from. */
export interface Edition {
  /** 1 for the first content of the name. */
  readonly number: number
  /** When it was shared first, by the log: in milliseconds since 1970. */
  readonly atMs: number
  /** The name of the user who shared it first; another account may have it by now. */
  readonly by: string
  /** How many files a folder has; undefined for a single file. */
  readonly files: number | undefined
}

/** A content that a name no longer has. */
export interface EarlierVersion {
  readonly fileId: string
  readonly sizeBytes: number
  /** As in an entry. */
  readonly edition: Edition | undefined
}

export interface KnownTracker {
  /** The newest level of the state that it can follow. */
  level: number
  /** Which of the community's trackers it is; undefined for older programs, which did not say. */
  number: number | undefined
}

export interface State {
  /** Position of the last command that was applied. */
  position: number
  /** Which rules hold: see levels.ts. */
  level: number
  /** Names the community; empty until the first tracker has started. */
  community: string
  /** Known to trackers only: the seed of made-up credentials for users that do not exist. */
  secret: string
  /** By public key: the trackers whose tickets are good here, oldest first. */
  readonly trackers: Map<string, KnownTracker>
  readonly accounts: SortedMap<Account>
  readonly groups: SortedMap<Group>
  /** Those that are not hidden. */
  readonly listedGroups: SortedMap<Group>
  quotas: Quotas
  /**
   * Accounts made today, by the network they came from. `day` counts days since 1970, `changedAt` is the position
   * of the last one.
   */
  readonly registrations: { day: number; changedAt: number; readonly byNetwork: Map<string, number> }
  /** Who may register. */
  readonly registration: Registration
  /**
   * The last commands that deleted an account, which has no memory of its own any more (see remembered.ts), and the
   * position at which one was last deleted or removed.
   */
  readonly departures: { remembered: readonly number[]; lastAt: number }
  /** At level 1: outcomes of everybody's last commands. */
  readonly outcomes: LegacyOutcomes
  /** The same accounts, groups and entries by number, with when they changed: for snapshots. */
  readonly shelves: {
    readonly accounts: Shelves<Account>
    readonly groups: Shelves<Group>
    readonly entries: Shelves<Entry>
  }
}

/**
 * The owner of a group is its longest-standing member: the founder, then the next in the order of joining. So
 * ownership is not a field that could disagree with the members.
 */
export function ownerOf(group: Group): Account {
  const { first } = group.members
  if (first !== undefined) return first
  throw new Error('invariant broken: a group without members')
}

/** The first of those who still share an entry. */
export function firstSharerOf(entry: Entry): Account {
  const first = firstOf(entry.sharers)
  if (first !== undefined) return first
  throw new Error('invariant broken: an entry without sharers')
}
