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
 * How long one try for the lock of another tracker may stand still: SQLite waits asleep, and its sleeps grow.
 * With 200 ms one of three trackers that all wrote without a pause waited 1.1 s for its turn, and its clients
 * saw stalls of half a second; with 1 ms the worst was 0.1 s, and all got the same share …
 */
export const lockTimeoutMs = 1
/** … so it is tried again between turns, for so long: a program that copies the file may hold it for seconds. */
export const lockPatienceMs = 8_000

/** How often a tracker that nobody asks to write looks whether its data file is still where it was. */
export const lookForFileEveryMs = 1_000

/** Pairs of user and address whose failed logins are remembered; the oldest is forgotten first. */
export const failedLoginPairsMax = 10_000

/** A connection that is turned away has this long to read why. */
export const turnedAwayMs = 1_000
