// The ordered, durable log that all trackers of a community share, as an interface: one engine keeps it
// in a SQLite file, one in memory; others may keep it elsewhere. Knows texts and positions, not commands.

import type { Failure } from '../../common/failure.ts'

/** The state after every entry up to and including `position`. */
export interface LogSnapshot {
  readonly position: number
  readonly text: string
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

  /** For people and monitoring. Not there for a log that is never behind. */
  lag?(): LogLag

  /**
   * Keeps a snapshot and drops entries that it stands for. `take` is called if it is needed (another
   * tracker may just have done it) and gives the state as it is then.
   */
  saveSnapshot(take: () => LogSnapshot): Promise<void>

  close(): Promise<void>
}
