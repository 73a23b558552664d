// The ordered, durable log that all trackers of a community share, as an interface: one engine keeps it
// in a SQLite file, one in memory; others may keep it elsewhere. Knows texts and positions, not commands.

import type { Failure } from '../../common/failure.ts'

/**
 * What stands for every entry up to and including `position`: one text, as version 0.1 has it, or sections by
 * key, in the order of their keys.
 */
export type LogSnapshot =
  | { readonly position: number; readonly text: string }
  | { readonly position: number; readonly sections: Iterable<readonly [key: string, text: string]> }

/**
 * A snapshot to be kept: one text, or the sections that changed since the one that is kept; a section without a
 * text is no more.
 */
export type SnapshotToKeep =
  | { readonly position: number; readonly text: string }
  | {
      readonly position: number
      /** Made as they are read, which has to be in the turn in which they are taken. */
      readonly changed: Iterable<readonly [key: string, text: string | undefined]>
    }

/** What is kept already: the position of the snapshot, and that of its sections; each 0 when there is none. */
export interface Kept {
  readonly position: number
  readonly ofSections: number
}

/** How far what was delivered is behind the log, as far as an engine knows. */
export interface LogLag {
  /** Entries that are known to be durable and were not delivered yet. */
  readonly entries: number
  /** Milliseconds since everything that was in the log was last known to be delivered. */
  readonly ms: number
}

/** Who reads the log. Called in log order, one call at a time. */
export interface LogFollower {
  /**
   * Stands for every entry up to its position. Comes first if the log has a snapshot, and again if this
   * follower was away for so long that the entries it lacks have been truncated.
   */
  onSnapshot(snapshot: LogSnapshot): void
  /** Positions count from 1 without a gap. An entry is delivered only when it is durable. */
  onEntry(position: number, text: string): void
  /** The log cannot be followed any further, for example because the file is damaged. Nothing comes after it. */
  onLost(failure: Failure): void
}

export interface CommandLog {
  /**
   * Delivers everything until now and then resolves; what comes later, from this or other trackers, is
   * delivered as it becomes durable. Called once, before `append`. Rejects with a `data` failure for a
   * log that cannot be read.
   */
  follow(follower: LogFollower): Promise<void>

  /**
   * Makes the entries durable, all or none, in this order and behind those of earlier calls. Resolves
   * when they are; they come back through the follower like everybody's, before or after that.
   * Rejects when that failed or is not certain: an entry may then still be delivered later.
   */
  append(entries: readonly string[]): Promise<void>

  /**
   * Delivers everything that was acknowledged, here or at any other tracker, before the call. Undefined where
   * an engine can know that at once, and has done it. An engine that must ask gives a promise that resolves
   * then, or when it turns out that it cannot know: a read is then answered from what is here. Never rejects.
   */
  sync(): Promise<void> | undefined

  /** Whether the last `sync` could know what is in the log. */
  readonly isCurrent: boolean

  /** For people and monitoring. Not there for a log that is never behind. */
  lag?(): LogLag

  /**
   * Keeps a snapshot, as a whole or not at all, and drops entries that it stands for. `take` gives the state as
   * it is in that turn, or what changed of it since the sections that are kept; undefined when that is not worth
   * it, since another tracker has just done it.
   */
  saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void>

  close(): Promise<void>
}
