// The ordered, durable log that all trackers of a community share, as an interface; engines keep it in SQLite, in
// NATS or in memory. Knows texts and positions, not commands.

import type { Failure } from '../../common/failure.ts'

/**
 * Replaces every entry up to and including `position`: one text, as in version 0.1, or sections in the order of their
 * keys.
 */
export type LogSnapshot =
  | { readonly position: number; readonly text: string }
  | { readonly position: number; readonly sections: Iterable<readonly [key: string, text: string]> }

/** A snapshot to keep: one text, or the sections that changed since the kept ones; one without text was removed. */
export type SnapshotToKeep =
  | { readonly position: number; readonly text: string }
  | {
      readonly position: number
      /** Made while it is read, which must be in the same turn of the event loop in which it was taken. */
      readonly changed: Iterable<readonly [key: string, text: string | undefined]>
      /** All sections: it builds on nothing that is kept. */
      readonly isWhole?: boolean
    }

/** What is kept already: the positions of the snapshot and of its sections; each 0 when there is none. */
export interface Kept {
  readonly position: number
  readonly ofSections: number
}

/** How far delivery is behind the log, as far as the engine knows. */
export interface LogLag {
  /** Entries that are known to be durable and not delivered yet. */
  readonly entries: number
  /** Milliseconds since everything in the log was last known to be delivered. */
  readonly ms: number
}

/** Who reads the log. Called in log order, one call at a time. */
export interface LogFollower {
  /**
   * Replaces every entry up to its position. Comes first if the log has a snapshot, and again if the entries that
   * this follower lacks were truncated while it was away.
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
   * Makes the entries durable, all or none, in this order and behind those of earlier calls. Resolves when they are;
   * they come back through the follower like anybody's, before or after that. Rejects when that failed or is
   * uncertain: an entry may then still be delivered later.
   */
  append(entries: readonly string[]): Promise<void>

  /**
   * Delivers everything that was acknowledged, here or at any other tracker, before the call. Undefined when that is
   * done at once. An engine that must ask returns a promise, which resolves when it is done or cannot be: reads are
   * then answered from what is here. Never rejects.
   */
  sync(): Promise<void> | undefined

  /** Whether the last `sync` could know what is in the log. */
  readonly isCurrent: boolean

  /** For people and monitoring; absent for a log that is never behind. */
  lag?(): LogLag

  /**
   * Keeps a snapshot, entirely or not at all, and drops entries that it replaces. `take` returns the state as it is
   * in that turn, or what changed since the kept sections; undefined when another tracker has just done it.
   */
  saveSnapshot(take: (kept: Kept) => SnapshotToKeep | undefined): Promise<void>

  close(): Promise<void>
}
