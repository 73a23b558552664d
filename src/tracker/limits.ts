// Bounds that concern the tracker alone; those that both programs share are in common/limits.ts.

/** Commands that may wait for the log at once; past it a tracker answers `busy` instead of growing. */
export const commandsWaitingMax = 16_384

/** How the tracker's time is shared out. */
export const fairness = {
  /** Changes of one user that may wait for the log at once; its further ones wait with their connections. */
  changesOfOwnerMax: 512,
  /** Changes of all users likewise: what the change of somebody else waits behind. */
  changesMax: 2048,
  /** Requests are served for so long before the event loop has its turn: what a ping waits behind. */
  sliceMs: 4,
  /** Work that each user has in a round: a few cheap requests or one dear one. */
  quantumMicroseconds: 250,
}

/** Of one user, so many clients of a file are named to others: a person's machines, and not a crowd of his making. */
export const peersOfUserMax = 8

/**
 * Between two rounds of news of a swarm, in milliseconds: for each watcher, at least, and at most. What a round
 * costs grows with the watchers; a few of them shall meet soon.
 */
export const newsPaceMsPerWatcher = 5
export const newsPaceMinMs = 50
export const newsPaceMaxMs = 1_000

/**
 * Commands between two snapshots. A snapshot writes what they changed, in one go: so few take some milliseconds,
 * however much there is in the state.
 */
export const commandsPerSnapshot = 2_000

/** At level 1, where a snapshot is the whole state: replaying so many takes a fraction of a second. */
export const commandsPerLegacySnapshot = 50_000

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

/**
 * Failed attempts a minute to log in, or to register a name that is taken: of one address with one user, of one
 * address with whatever users, and for one user from wherever. Behind one address may be a school whose people
 * mistype; on loopback a swarm of tests. A thousand guesses a day and user find no password worth the name.
 */
export const failedAttemptsOfPairPerMinute = 5
export const failedAttemptsOfNetworkPerMinute = 60
export const failedAttemptsOfLoopbackPerMinute = 600
export const failedAttemptsOfUserPerMinute = 50

/** Addresses whose failed attempts are counted each for itself; further ones are counted together. */
export const countedNetworksMax = 10_000

/** Of each user, the keys that have logged in lately: as many machines as a person has. */
export const knownKeysOfUserMax = 8

/**
 * Bytes of commands in one append. An append to NATS is one message, of at most 1 MiB unless the server
 * is told otherwise, and quoting its entries in JSON at most doubles them. 700 commands of usual length.
 */
export const appendBytesMax = 256 * 1024

/**
 * Commands in one append. What they are applied with, a hundredth of a second, is what a ping waits behind; more of
 * them would hardly make the flush any cheaper for each.
 */
export const appendCommandsMax = 256

/** What it costs to tell one login something, in microseconds: to be charged to whoever caused it. */
export const noticeMicroseconds = 8

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

/** Changes of a snapshot are merged into it when they are as long as it is, and not before they are so long. */
export const natsMergeMinBytes = 1024 * 1024

/** A snapshot may be replaced while it is read; somebody who is that slow so many times is not. */
export const natsSnapshotTriesMax = 5

/**
 * Connections to this tracker. Whoever has not begun to log in makes room for somebody who wants to. A login that
 * has begun takes a fraction of a second, most of it in the client, and longer where that is slow. A whole
 * school may come from one address at once, and a swarm of tests from loopback.
 */
export const connectionLimits = {
  unheard: 0,
  waiting: 0,
  unproven: 1024,
  unprovenOfNetwork: 64,
  unprovenOfLoopback: 256,
  begunGraceMs: 10_000,
  /** Nobody claims to be somebody here. */
  claimed: 0,
  claimedOfOwner: 0,
  /** One person's machines. */
  ofOwner: 64,
  proven: 65_536,
  /** A connection takes about 20 KiB. */
  all: 65_536,
}
