// Bounds that concern the tracker alone; those that both programs share are in common/limits.ts.

/** Commands that may wait for the log at once; past it a tracker answers `busy` instead of growing. */
export const commandsWaitingMax = 16_384

/** Commands between two snapshots: replaying so many takes a fraction of a second. */
export const commandsPerSnapshot = 50_000

/**
 * Entries that stay in the log behind a snapshot, so that a tracker which is a little behind the one
 * that took it finds the entries it lacks and need not start over from the snapshot.
 */
export const entriesKeptBehindSnapshot = 10_000

/** How often a tracker looks for entries of others while nobody asks it anything. A look costs 3 µs. */
export const followEveryMs = 25

/**
 * How long one try of a commit may wait for another tracker's. Theirs take milliseconds, and meanwhile
 * this one's event loop stands still …
 */
export const lockTimeoutMs = 200
/** … so it is tried again between turns, for so long: SQLite's lock is not fair, and others may win often. */
export const lockPatienceMs = 8_000

/** Pairs of user and address whose failed logins are remembered; the oldest is forgotten first. */
export const failedLoginPairsMax = 10_000

/** A connection that is turned away has this long to read why. */
export const turnedAwayMs = 1_000
