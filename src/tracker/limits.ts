// Bounds that concern the tracker alone; those that both programs share are in common/limits.ts.

/** Commands that may wait for the log at once; past it a tracker answers `busy` instead of growing. */
export const commandsWaitingMax = 16_384

/** How the tracker's time is shared out. */
export const fairness = {
  /** Changes of one user that may wait for the log at once; its further ones wait with their connections. */
  changesOfOwnerMax: 512,
  /** Requests are served for so long before the event loop has its turn: what a ping waits behind. */
  sliceMs: 4,
  /** Work that each user has in a round: a few cheap requests or one dear one. */
  quantumMicroseconds: 250,
  /** Requests of one turn of the event loop share what brings the state up to date, so all wait for its end. */
  atOnceMicroseconds: 0,
}

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

/**
 * Bytes of commands in one append. An append to NATS is one message, of at most 1 MiB unless the server
 * is told otherwise, and quoting its entries in JSON at most doubles them. 700 commands of usual length.
 */
export const appendBytesMax = 256 * 1024

/** What NATS must take as one message: an append, quoted, and its headers. */
export const natsMessageBytesMax = 2 * appendBytesMax + 1024

/** How long a tracker waits at its start for the servers of NATS, which may be starting and electing. */
export const natsStartPatienceMs = 30_000

/** How long to wait for a server of NATS to take a connection, and then to answer a request. */
export const natsConnectTimeoutMs = 2_000
export const natsRequestTimeoutMs = 1_000

/** A connection that was cut says nothing; after so many pings without an answer another server is tried. */
export const natsPingEveryMs = 1_000
export const natsPingsMissedMax = 2

/** Between two tries. */
export const natsPauseMs = 100

/**
 * How long an append is tried: a new leader of the log is there after 4 to 9 s, and a client waits 10 s
 * for an answer.
 */
export const natsAppendPatienceMs = 9_000
/** Without a connection nothing is in doubt, and a client should try another tracker soon. */
export const natsDownPatienceMs = 1_000

/** How long a read waits to hear what is in the log; then it is answered from what is here. */
export const natsReadPatienceMs = 500

/** How often a tracker asks what is in the log, in case that news of others were lost. */
export const natsLookEveryMs = 1_000

/** Messages asked for at once while catching up: 16 MiB when all are of the greatest size. */
export const natsReadsAtOnce = 64

/**
 * How long the log may seem to have lost messages. A leader that was just elected, or has just been
 * replaced, may for a moment know less than was read already.
 */
export const natsDoubtMs = 10_000

/** Parts of a snapshot, each one message, and how many are written at once. */
export const natsPartBytes = 512 * 1024
export const natsPartsAtOnce = 4

/** A snapshot may be replaced while it is read; somebody who is that slow so many times is not. */
export const natsSnapshotTriesMax = 5

/**
 * Connections to this tracker. Whoever has not logged in after a moment makes room for somebody who wants to:
 * a login takes a fraction of a second, most of it in the client. A whole school may come from one address
 * at once, and a swarm of tests from loopback.
 */
export const connectionLimits = {
  unheard: 0,
  waiting: 0,
  unproven: 1024,
  unprovenOfNetwork: 64,
  unprovenOfLoopback: 256,
  unprovenGraceMs: 2_000,
  /** Nobody claims to be somebody here. */
  claimed: 0,
  claimedOfOwner: 0,
  /** One person's machines. */
  ofOwner: 64,
  proven: 65_536,
  /** A connection takes about 20 KiB. */
  all: 65_536,
}
